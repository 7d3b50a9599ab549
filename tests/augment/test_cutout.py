"""Cutout: pixels one by one, where the centres lie, what may be left of a square; seeded faults."""

import pytest
import torch

from dlbook.augment import cutout
from dlbook.augment.cutout import erase
from tests.oracles.mixing import within


def check_erase(erase):
    """Boxes that stick out on every side, one that is empty; a number and a tensor as fill."""
    images = torch.rand(5, 2, 6, 8, generator=torch.Generator().manual_seed(0))
    top, bottom, left, right = torch.tensor(
        [[-2, 2, 1, 4, 3], [2, 5, 9, 4, 6], [3, -1, 0, 2, 6], [5, 2, 1, 7, 12]]
    )
    for fill in (0.0, 0.5, torch.rand(5, 2, 6, 8, generator=torch.Generator().manual_seed(1))):
        expected = images.clone()
        for i in range(5):
            for y in range(6):
                for x in range(8):
                    if top[i] <= y < bottom[i] and left[i] <= x < right[i]:
                        expected[i, :, y, x] = fill[i, :, y, x] if isinstance(fill, torch.Tensor) else fill
        before = images.clone()
        assert torch.equal(erase(images, top, bottom, left, right, fill), expected) and torch.equal(
            images, before
        )


def check_cutout(cutout):
    """Centres uniform: a corner pixel is in a hole of side 4 with probability 3/H 3/W (its lower left half
    sticks out), an inner one 4/H 4/W.
    """
    count, height, width = 20_000, 8, 12
    holes = (
        cutout(torch.ones(count, 1, height, width), 4, generator=torch.Generator().manual_seed(0))[:, 0] == 0
    )
    covered = holes.sum(0)
    assert (
        within(int(covered[4, 6]), count, 16 / 96)
        and within(int(covered[0, 0]), count, 9 / 96)
        and within(int(covered[-1, -1]), count, 4 / 96)
    )
    sizes = holes.sum((1, 2))
    assert sizes.max() == 16 and sizes.min() == 4
    assert within(int((sizes == 16).sum()), count, 5 / 8 * 9 / 12)


def test_erase():
    check_erase(erase)


def test_cutout():
    check_cutout(cutout)


def test_no_gradient_where_the_image_was_erased():
    images = torch.rand(4, 2, 6, 6, requires_grad=True)
    out = cutout(images, 4, generator=torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad(out.sum(), images)
    assert torch.equal(gradient, (out != 0).float())


def test_small_images():
    assert cutout(torch.ones(3, 1, 1, 1), 16).sum() == 0 and cutout(torch.ones(3, 1, 5, 5), 1).sum() == 75


def test_equal_seeds_give_equal_batches():
    images = torch.rand(10, 3, 9, 9)
    runs = [cutout(images, 4, generator=torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*runs) and not torch.equal(runs[0], images)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda x: cutout(x.byte(), 4), "float"),
        (lambda x: cutout(x[0], 4), r"\[B, C, H, W\]"),
        (lambda x: cutout(x, 0), "side"),
        (lambda x: cutout(x, 2.5), "side"),
    ],
)
def test_bad_arguments(call, what):
    with pytest.raises(ValueError, match=f"expected .*{what}"):
        call(torch.ones(2, 1, 8, 8))


def one_box_for_all(images, top, bottom, left, right, fill=0.0):
    return erase(images, *(bound[:1].expand(len(images)) for bound in (top, bottom, left, right)), fill)


def last_pixel_too(images, top, bottom, left, right, fill=0.0):
    return erase(images, top, bottom + 1, left, right + 1, fill)


def negative_indices_wrap(images, top, bottom, left, right, fill=0.0):
    out = images.clone()
    for i in range(len(images)):
        piece = fill[i, :, top[i] : bottom[i], left[i] : right[i]] if isinstance(fill, torch.Tensor) else fill
        out[i, :, top[i] : bottom[i], left[i] : right[i]] = piece
    return out


def centre_never_at_the_border(images, side, generator=None):
    """The square always inside."""
    half = side // 2
    row, column = (
        torch.randint(half, length - half + 1, (len(images),), generator=generator)
        for length in images.shape[2:]
    )
    return erase(images, row - half, row + half, column - half, column + half)


def side_halved_twice(images, side, generator=None):
    return cutout(images, side // 2, generator=generator)


@pytest.mark.parametrize("broken", [one_box_for_all, last_pixel_too, negative_indices_wrap])
def test_the_check_of_erasing_sees_the_fault(broken):
    with pytest.raises((AssertionError, RuntimeError)):
        check_erase(broken)


@pytest.mark.parametrize("broken", [centre_never_at_the_border, side_halved_twice])
def test_the_check_of_cutout_sees_the_fault(broken):
    with pytest.raises(AssertionError):
        check_cutout(broken)
