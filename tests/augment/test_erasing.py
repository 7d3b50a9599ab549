"""Cutout and random erasing: pixels one by one, torchvision's and timm's boxes, statistics of the draws, and
seeded faults.
"""

import math
import random

import pytest
import torch
from timm.data.random_erasing import RandomErasing as TimmErasing
from torchvision.transforms import v2

from dlbook.augment import cutout, random_erasing
from dlbook.augment.cutout import erase
from dlbook.augment.erasing import boxes
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


def check_boxes(boxes):
    """Where every box fits at once: areas, logarithms of aspects, and corners uniform as asked for."""
    count, height, width, low, high_aspect = 20_000, 64, 96, math.log(0.5), math.log(1.5)
    top, bottom, left, right = boxes(
        count, height, width, (0.02, 0.33), (0.5, 1.5), torch.Generator().manual_seed(0)
    )
    assert bool(((top >= 0) & (bottom <= height) & (left >= 0) & (right <= width)).all())
    high, wide = (bottom - top).double(), (right - left).double()
    area, aspect = high * wide / (height * width), (high / wide).log()
    assert area.min() > 0.017 and area.max() < 0.34  # sides are rounded
    assert abs(area.mean() - 0.175) < 0.004 and abs(area.std() - 0.31 / math.sqrt(12)) < 0.003
    assert (
        abs(aspect.mean() - (low + high_aspect) / 2) < 0.01
        and abs(aspect.std() - (high_aspect - low) / math.sqrt(12)) < 0.02
    )
    for start, side, length in ((top, high, height), (left, wide, width)):
        share = (start / (length - side)).double()
        assert abs(share.mean() - 0.5) < 0.01 and abs(share.std() - 1 / math.sqrt(12)) < 0.02


def check_torchvision(boxes):
    """The same means as 3,000 draws of torchvision's, for an image that is not square."""
    transform, image = v2.RandomErasing(p=1.0, scale=(0.02, 0.33), ratio=(0.3, 3.3)), torch.zeros(1, 30, 50)
    torch.manual_seed(0)
    drawn = [transform.make_params([image]) for _ in range(3000)]
    theirs = torch.tensor(
        [[d["i"], d["i"] + d["h"], d["j"], d["j"] + d["w"]] for d in drawn], dtype=torch.float64
    ).T
    ours = torch.stack(
        boxes(20_000, 30, 50, (0.02, 0.33), (0.3, 3.3), torch.Generator().manual_seed(0))
    ).double()
    for mine, other in zip(
        (*ours, ours[1] - ours[0], ours[3] - ours[2]),
        (*theirs, theirs[1] - theirs[0], theirs[3] - theirs[2]),
        strict=True,
    ):
        error = math.hypot(float(mine.std()) / math.sqrt(20_000), float(other.std()) / math.sqrt(3000))
        assert abs(float(mine.mean() - other.mean())) < 5 * error
        assert abs(float(mine.std() / other.std()) - 1) < 0.08


def check_probability(random_erasing):
    images = torch.full((10_000, 1, 12, 12), 2.0)
    erased = (
        (random_erasing(images, 0.3, fill=0.0, generator=torch.Generator().manual_seed(0)) == 0)
        .flatten(1)
        .any(1)
    )
    assert within(int(erased.sum()), 10_000, 0.3)


def test_erase():
    check_erase(erase)


def test_cutout():
    check_cutout(cutout)


def test_boxes():
    check_boxes(boxes)


def test_boxes_equal_torchvisions_in_distribution():
    check_torchvision(boxes)


def test_areas_equal_timms_in_distribution():
    """timm's largest area and aspect set to ours; its holes counted in the image."""
    random.seed(0)
    theirs = (
        TimmErasing(1.0, 0.02, 0.33, 0.3, 3.3, device="cpu")(torch.ones(3000, 1, 30, 50))
        .eq(0)
        .double()
        .mean((1, 2, 3))
    )
    ours = (
        random_erasing(
            torch.ones(20_000, 1, 30, 50),
            1.0,
            (0.02, 0.33),
            (0.3, 3.3),
            0.0,
            torch.Generator().manual_seed(0),
        )
        .eq(0)
        .double()
        .mean((1, 2, 3))
    )
    error = math.hypot(float(ours.std()) / math.sqrt(20_000), float(theirs.std()) / math.sqrt(3000))
    assert abs(float(ours.mean() - theirs.mean())) < 5 * error


def test_probability():
    check_probability(random_erasing)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_the_ends_of_probability(probability):
    images = torch.full((300, 1, 12, 12), 2.0)
    changed = (random_erasing(images, probability) != images).flatten(1).any(1)
    assert bool((changed == bool(probability)).all())


def test_fills():
    """ "uniform" fills [0, 1) with mean 1/2, "normal" with mean 0 and variance 1, each channel and pixel by
    itself; a number with itself.
    """
    images = torch.full((500, 3, 20, 20), 9.0)
    for fill, mean, std in (("uniform", 0.5, 1 / math.sqrt(12)), ("normal", 0.0, 1.0), (4.0, 4.0, 0.0)):
        erased = random_erasing(images, 1.0, fill=fill, generator=torch.Generator().manual_seed(0))
        values = erased[erased != 9.0]
        assert abs(values.mean() - mean) < 0.01 and abs(values.std() - std) < 0.01
    assert bool((erased[:, 0] == erased[:, 1]).all())


def test_boxes_that_never_fit_leave_the_image():
    images = torch.ones(20, 1, 4, 4)
    assert torch.equal(random_erasing(images, 1.0, area=(1.0, 1.0), fill=0.0), images)


def test_small_images():
    assert random_erasing(torch.ones(50, 1, 1, 1), 1.0).shape == cutout(torch.ones(50, 1, 1, 1), 16).shape
    assert cutout(torch.ones(3, 1, 1, 1), 16).sum() == 0 and cutout(torch.ones(3, 1, 5, 5), 1).sum() == 75


def test_equal_seeds_give_equal_batches():
    images = torch.rand(10, 3, 9, 9)
    for call in (lambda g: cutout(images, 4, generator=g), lambda g: random_erasing(images, generator=g)):
        assert torch.equal(call(torch.Generator().manual_seed(3)), call(torch.Generator().manual_seed(3)))


def test_no_gradient_where_the_image_was_erased():
    images = torch.rand(4, 2, 6, 6, requires_grad=True)
    out = cutout(images, 4, generator=torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad(out.sum(), images)
    assert torch.equal(gradient, (out != 0).float())


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda x: cutout(x.byte(), 4), "float"),
        (lambda x: cutout(x[0], 4), r"\[B, C, H, W\]"),
        (lambda x: cutout(x, 0), "side"),
        (lambda x: cutout(x, 2.5), "side"),
        (lambda x: random_erasing(x[0]), "images"),
        (lambda x: random_erasing(x, 1.5), "probability"),
        (lambda x: random_erasing(x, area=(0.4, 0.2)), "area"),
        (lambda x: random_erasing(x, area=(0.0, 0.2)), "area"),
        (lambda x: random_erasing(x, aspect=(0.0, 1.0)), "aspect"),
        (lambda x: random_erasing(x, fill="noise"), "fill"),
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


def aspect_uniform(count, height, width, area, aspect, generator=None, device="cpu"):
    """r itself uniform, as in the paper: high boxes preferred."""
    first, second, third, fourth = torch.rand(4, count, generator=generator, dtype=torch.float64)
    size, ratio = (
        (area[0] + (area[1] - area[0]) * first) * height * width,
        aspect[0] + (aspect[1] - aspect[0]) * second,
    )
    high, wide = (
        (size * ratio).sqrt().round().clamp(max=height - 1).long(),
        (size / ratio).sqrt().round().clamp(max=width - 1).long(),
    )
    top, left = (third * (height - high + 1)).long(), (fourth * (width - wide + 1)).long()
    return top, top + high, left, left + wide


def sides_exchanged(count, height, width, area, aspect, generator=None, device="cpu"):
    return boxes(count, width, height, area, aspect, generator, device)


def corner_at_the_top(count, height, width, area, aspect, generator=None, device="cpu"):
    top, bottom, left, right = boxes(count, height, width, area, aspect, generator, device)
    return top // 2, bottom - top + top // 2, left, right


@pytest.mark.parametrize("broken", [one_box_for_all, last_pixel_too, negative_indices_wrap])
def test_the_check_of_erasing_sees_the_fault(broken):
    with pytest.raises((AssertionError, RuntimeError)):
        check_erase(broken)


@pytest.mark.parametrize("broken", [centre_never_at_the_border, side_halved_twice])
def test_the_check_of_cutout_sees_the_fault(broken):
    with pytest.raises(AssertionError):
        check_cutout(broken)


@pytest.mark.parametrize("broken", [aspect_uniform, sides_exchanged, corner_at_the_top])
def test_the_check_of_boxes_sees_the_fault(broken):
    with pytest.raises(AssertionError):
        check_torchvision(broken)


def test_the_check_of_the_probability_sees_its_complement():
    with pytest.raises(AssertionError):
        check_probability(
            lambda images, probability, **options: random_erasing(images, 1 - probability, **options)
        )
