"""CutMix: pixels one by one, torchvision, timm's box, the fixed lambda, the distribution of boxes, and
seeded faults.
"""

import sys

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from timm.data.mixup import rand_bbox
from torchvision.transforms import v2

from dlbook.regularize import cutmix, smooth_targets
from dlbook.regularize.cutmix import box, paste
from tests.oracles.mixing import batch, box_by_loop, pasted_by_loop, pixels_of, within

module = sys.modules["dlbook.regularize.cutmix"]
PARTNER = torch.tensor([3, 0, 5, 1, 4, 2])


def check_boxes(box):
    """All pixels of all boxes of three images that are not square, against sets of pixels."""
    for height, width in ((7, 9), (8, 3), (1, 5)):
        for weight in (0.0, 0.19, 0.5, 0.84, 1.0):
            for row in range(height):
                for column in range(width):
                    ours = pixels_of(box(height, width, weight, (row, column)))
                    assert ours == box_by_loop(height, width, weight, (row, column)), (
                        height,
                        width,
                        weight,
                        row,
                        column,
                    )


def check_paste(paste):
    images, targets = batch()
    before = images.clone()
    for where in ((0, 3, 2, 9), (2, 6, 0, 1), (3, 3, 4, 4), (0, 7, 0, 9)):
        for ours, naive in zip(
            paste(images, targets, PARTNER, where),
            pasted_by_loop(images, targets, PARTNER, pixels_of(where)),
            strict=True,
        ):
            torch.testing.assert_close(ours, naive, rtol=1e-12, atol=1e-12)
    assert torch.equal(images, before)


def check_torchvision(box, paste):
    """Twenty draws of its own lambda, column and row, on images that are not square."""
    images, _ = batch(height=7, width=12, dtype=torch.float32)
    labels = torch.tensor([0, 1, 2, 3, 1, 0])
    transform, neighbours = v2.CutMix(alpha=1.0, num_classes=4), torch.arange(6).roll(1)
    for seed in range(20):
        torch.manual_seed(seed)
        expected, soft = transform(images, labels)
        torch.manual_seed(seed)
        weight = float(transform._dist.sample(()))
        column, row = int(torch.randint(12, size=(1,))), int(torch.randint(7, size=(1,)))
        ours, mixed = paste(
            images, smooth_targets(labels, 4, 0.0), neighbours, box(7, 12, weight, (row, column))
        )
        assert torch.equal(ours, expected)
        torch.testing.assert_close(mixed, soft, rtol=1e-6, atol=1e-6)


def check_labels_tell_the_pixels(cutmix):
    """Images of ones and zeros: the share of ones in each image is its own target, whatever was clipped."""
    images = torch.ones(8, 1, 6, 10) * torch.arange(8).reshape(8, 1, 1, 1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        mixed, soft = cutmix(images, torch.eye(8), 1.0, generator)
        for k in range(8):
            torch.testing.assert_close((mixed == k).float().mean((1, 2, 3)), soft[:, k], rtol=0, atol=1e-6)


def check_centres(cutmix):
    """The box covers each half of a high image equally often, and its area before clipping is uniform: lambda
    ~ Beta(1, 1).
    """
    generator = torch.Generator().manual_seed(1)
    images = torch.stack([torch.zeros(1, 40, 20), torch.ones(1, 40, 20)])
    top = left = moved = large = 0
    for _ in range(2000):
        mixed, _ = cutmix(images, torch.eye(2), 1.0, generator)
        hole = mixed[0, 0] == 1
        if hole.any():
            moved += 1
            rows, columns = hole.any(1).nonzero().flatten().float(), hole.any(0).nonzero().flatten().float()
            top += bool(rows.mean() < 19.5)
            left += bool(columns.mean() < 9.5)
            large += bool(len(rows) > 20)
    assert within(moved, 2000, 0.5 * 0.99, 6)  # a partner of its own in half of the cases
    assert abs(top / moved - 0.5) < 0.08 and abs(left / moved - 0.5) < 0.08
    assert 0.35 < large / moved < 0.75


def test_boxes():
    check_boxes(box)


def test_paste():
    check_paste(paste)


def test_equals_torchvision():
    check_torchvision(box, paste)


def test_labels_tell_the_pixels():
    check_labels_tell_the_pixels(cutmix)


def test_centres():
    check_centres(cutmix)


def test_timms_box_where_its_sides_are_even(monkeypatch):
    """timm rounds the whole side down, and gives the odd pixel to the lower right."""
    for weight in (0.36, 0.75, 0.19):
        for row, column in ((0, 0), (5, 19), (9, 10), (3, 7)):
            drawn = iter((row, column))
            monkeypatch.setattr(np.random, "randint", lambda *_, drawn=drawn, **__: np.int64(next(drawn)))
            yl, yh, xl, xh = (int(bound) for bound in rand_bbox((10, 20), weight))
            side = np.sqrt(1 - weight)
            top, bottom, left, right = box(10, 20, weight, (row, column))
            assert (top, left) == (yl, xl)
            assert min(yh - bottom, 1) in ({0} if int(10 * side) % 2 == 0 else {0, 1}) and min(
                xh - right, 1
            ) in ({0} if int(20 * side) % 2 == 0 else {0, 1})


@settings(max_examples=100)
@given(
    height=st.integers(1, 50),
    width=st.integers(1, 50),
    weight=st.floats(0, 1),
    place=st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)),
)
def test_a_box_lies_within_the_image_and_is_never_too_large(height, width, weight, place):
    top, bottom, left, right = box(height, width, weight, (int(place[0] * height), int(place[1] * width)))
    assert 0 <= top <= bottom <= height and 0 <= left <= right <= width
    assert (bottom - top) * (right - left) <= (1 - weight) * height * width + 1e-9


def test_gradient_to_the_images():
    """Each pixel's gradient goes to where the pixel came from."""
    images, targets = batch(2, 1, 3, 3)
    assert torch.autograd.gradcheck(
        lambda x: paste(x, targets, torch.tensor([1, 0]), (0, 2, 1, 3))[0], images.requires_grad_()
    )


def test_equal_seeds_give_equal_batches():
    images, targets = batch()
    runs = [cutmix(images, targets, generator=torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(runs[0][0], runs[1][0]) and torch.equal(runs[0][1], runs[1][1])


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: cutmix(torch.zeros(2, 8), torch.zeros(2, 3)), r"\[B, C, H, W\]"),
        (lambda: cutmix(torch.zeros(2, 1, 4, 4), torch.tensor([0, 1])), "probabilities"),
        (lambda: cutmix(torch.zeros(2, 1, 4, 4), torch.zeros(2, 3), alpha=-1.0), "alpha"),
        (lambda: box(4, 4, 1.5, (0, 0)), "weight"),
    ],
)
def test_bad_arguments(call, what):
    with pytest.raises(ValueError, match=what):
        call()


def axes_exchanged(height, width, weight, centre):
    """Rows for columns."""
    top, bottom, left, right = box(height, width, weight, centre)
    return left, right, top, bottom


def without_the_root(height, width, weight, centre):
    return box(height, width, 1 - (1 - weight) ** 2, centre)


def not_clipped_below(height, width, weight, centre):
    half_height, half_width = (int(0.5 * (1 - weight) ** 0.5 * side) for side in (height, width))
    return (
        max(centre[0] - half_height, 0),
        centre[0] + half_height,
        max(centre[1] - half_width, 0),
        centre[1] + half_width,
    )


def moved_inside(height, width, weight, centre):
    """Boxes shifted so that nothing is cut off."""
    half_height, half_width = (int(0.5 * (1 - weight) ** 0.5 * side) for side in (height, width))
    row, column = (
        min(max(centre[0], half_height), height - half_height),
        min(max(centre[1], half_width), width - half_width),
    )
    return row - half_height, row + half_height, column - half_width, column + half_width


def target_exchanged(images, targets, partner, where):
    return paste(images, targets, partner, where)[0], paste(
        images, targets[partner], partner.argsort(), where
    )[1]


def partner_of_the_targets_only(images, targets, partner, where):
    return paste(images, targets, torch.arange(len(images)), where)[0], paste(
        images, targets, partner, where
    )[1]


def lambda_not_mended(images, targets, partner, where):
    """Every box believed to be a quarter of the image, which is what was drawn for it."""
    return paste(images, targets, partner, where)[0], 0.75 * targets + 0.25 * targets[partner]


@pytest.mark.parametrize("broken", [axes_exchanged, without_the_root, not_clipped_below, moved_inside])
def test_the_check_of_boxes_sees_the_fault(broken):
    with pytest.raises(AssertionError):
        check_boxes(broken)


@pytest.mark.parametrize("broken", [target_exchanged, partner_of_the_targets_only])
def test_the_check_of_pasting_sees_the_fault(broken):
    with pytest.raises(AssertionError):
        check_paste(broken)


def test_labels_see_a_lambda_that_is_not_mended(monkeypatch):
    monkeypatch.setattr(module, "beta", lambda *_: 0.75)
    check_labels_tell_the_pixels(cutmix)
    monkeypatch.setattr(module, "paste", lambda_not_mended)
    with pytest.raises(AssertionError):
        check_labels_tell_the_pixels(cutmix)


@pytest.mark.parametrize("broken", [axes_exchanged, without_the_root])
def test_torchvision_sees_the_fault(broken):
    with pytest.raises((AssertionError, RuntimeError)):
        check_torchvision(broken, paste)
