"""Random erasing: torchvision's and timm's boxes, statistics of the draws, the fills; seeded faults."""

import math
import random

import pytest
import torch
from timm.data.random_erasing import RandomErasing as TimmErasing
from torchvision.transforms import v2

from dlbook.augment import erasing, random_erasing
from dlbook.augment.erasing import boxes
from tests.oracles.mixing import within
from tests.seeded import edited


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
    assert torch.equal(random_erasing(torch.ones(50, 1, 1, 1), 1.0), torch.ones(50, 1, 1, 1))


def test_equal_seeds_give_equal_batches():
    images = torch.rand(10, 3, 9, 9)
    runs = [random_erasing(images, generator=torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*runs) and not torch.equal(runs[0], images)


@pytest.mark.parametrize(
    ("call", "what"),
    [
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


@pytest.mark.parametrize("broken", [aspect_uniform, sides_exchanged, corner_at_the_top])
def test_the_check_of_boxes_sees_the_fault(broken):
    with pytest.raises(AssertionError):
        check_torchvision(broken)


def test_the_check_of_the_probability_sees_its_complement():
    with pytest.raises(AssertionError):
        check_probability(
            lambda images, probability, **options: random_erasing(images, 1 - probability, **options)
        )


def check_whole_side(module) -> None:
    """Departure 2: a box has h < H and w < W; one as high as the image is drawn again, then left out."""
    for height, width in ((8, 20), (20, 8)):
        share = 64 / (height * width)
        top, bottom, left, right = module["boxes"](5, height, width, (share, share), (1.0, 1.0))
        assert torch.equal(top, bottom) and torch.equal(left, right)


def test_a_box_as_large_as_the_side_does_not_fit():
    check_whole_side(vars(erasing))


@pytest.mark.parametrize("side", ["high < height", "wide < width"])
def test_the_check_sees_a_box_of_the_whole_side(side):
    broken = edited(erasing, f"({side})", f"({side.replace('<', '<=')})")
    with pytest.raises(AssertionError):
        check_whole_side(broken)
