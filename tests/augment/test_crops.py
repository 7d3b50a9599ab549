"""Crops against slices and torchvision, their places and sizes; averaged views; seeded faults."""

import math

import pytest
import torch
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms.v2 import functional as reference

from dlbook.augment import crops
from tests.augment.augment_checks import (
    check_uniform,
    check_unrelated,
    cuda,
    pictures,
    same,
    seeded,
)
from tests.seeded import edited


def places(count, height=6, width=7):
    """Images that say where a pixel is: channel 0 the row + 1, channel 1 the column + 1; padding is 0."""
    rows, columns = torch.meshgrid(torch.arange(height) + 1.0, torch.arange(width) + 1.0, indexing="ij")
    return torch.stack([rows, columns]).expand(count, -1, -1, -1)


def check_random_crop(random_crop):
    """Each result is the slice of the padded image at one of 25 equally likely places, rows and columns
    unrelated, images too.
    """
    count, padding = 5000, 2
    out = random_crop(places(count), seeded(1), padding)
    padded = torch.nn.functional.pad(places(1)[0], (padding,) * 4)
    # The first number that is not padding says where the crop begins.
    numbers = (out[:, 0].amax(2), out[:, 1].amax(1))  # of the rows [B, 6] and of the columns [B, 7]
    top, left = (
        torch.tensor([next(int(n) - k for k, n in enumerate(line) if n) for line in lines.tolist()])
        - 1
        + padding
        for lines in numbers
    )
    for image, y, x in zip(out[:200], top, left, strict=False):
        assert torch.equal(image, padded[:, y : y + 6, x : x + 7])
    assert out.shape[2:] == (6, 7) and top.min() >= 0 and top.max() <= 4
    counts = torch.bincount(5 * top + left, minlength=25).double()
    assert ((counts - count / 25) ** 2 / (count / 25)).sum() < 65, (
        "places are not equally likely"
    )  # chi squared, 24 degrees: 1e-5
    check_unrelated(top, left)
    check_unrelated(top[1:], top[:-1])


def test_random_crop():
    check_random_crop(crops.random_crop)
    small = crops.random_crop(places(50), seeded(1), padding=0, size=(3, 2))
    assert small.shape == (50, 2, 3, 2) and small.min() >= 1
    reflected = crops.random_crop(places(50), seeded(1), padding=3, padding_mode="reflect")
    assert reflected.min() >= 1


def check_resized(resized_crop):
    images = pictures(6, dtype=torch.float64)
    boxes = torch.tensor(
        [[0, 0, 24, 33], [3, 5, 10, 9], [2, 0, 5, 33], [20, 30, 4, 3], [1, 1, 22, 31], [7, 9, 1, 1]]
    )
    for size in ((24, 33), (8, 8), (40, 50), (7, 60), (1, 1)):
        got = resized_crop(images, boxes, size)
        for image, mine, box in zip(images, got, boxes.tolist(), strict=True):
            same(mine, reference.resized_crop(image, *box, list(size), antialias=True), 1e-9)


@pytest.mark.parametrize(
    "resize", [crops.resized_crop, crops._by_matrices], ids=["by interpolation", "by matrices"]
)
def test_resized_crop_is_torchvisions(resize):
    check_resized(resize)


def check_boxes(draw_boxes):
    """Area and log ratio uniform where all boxes fit; places uniform over all that fit; and torchvision's
    moments where they do not.
    """
    boxes = draw_boxes(torch.empty(3000, 1, 1000, 1000), seeded(1), (0.1, 0.5)).double()
    top, left, height, width = boxes.unbind(1)
    check_uniform(height * width / 1e6, 0.1, 0.5)
    check_uniform((width / height).log(), math.log(3 / 4), math.log(4 / 3))
    check_uniform(top / (1000 - height), 0, 1)
    check_uniform(left / (1000 - width), 0, 1)
    check_unrelated(height * width, width / height)
    torch.manual_seed(0)
    image = torch.empty(1, 300, 200)
    theirs = torch.tensor(
        [RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(3000)]
    ).double()
    ours = draw_boxes(image.expand(3000, 1, -1, -1), seeded(2)).double()
    error = (theirs.var(0) / 3000 + ours.var(0) / 3000).sqrt()
    assert ((ours.mean(0) - theirs.mean(0)) / error).abs().max() < 5
    assert (ours.std(0) / theirs.std(0) - 1).abs().max() < 0.1
    assert (
        (ours[:, 0] + ours[:, 2]).max() <= 300 and (ours[:, 1] + ours[:, 3]).max() <= 200 and ours.min() >= 0
    )


def test_boxes():
    check_boxes(crops.draw_boxes)


@pytest.mark.parametrize(("height", "width"), [(4, 400), (400, 4)])
def test_box_that_never_fits(height, width):
    """torchvision's way out: the largest box of a fitting ratio, in the middle."""
    image = torch.empty(1, 1, height, width)
    theirs = RandomResizedCrop.get_params(image[0], [0.9, 1.0], [3 / 4, 4 / 3])
    assert crops.draw_boxes(image, seeded(1), (0.9, 1.0)).tolist() == [list(theirs)]


def check_ten(ten_crop):
    for shape, size in (((2, 3, 24, 33), 16), ((2, 3, 17, 14), 9), ((1, 2, 11, 15), 8), ((1, 1, 8, 8), 8)):
        images = torch.rand(shape, generator=seeded(1))
        theirs = torch.stack(reference.ten_crop(images, [size, size]), dim=1)
        assert torch.equal(ten_crop(images, size), theirs)


def test_ten_crops_are_torchvisions():
    check_ten(crops.ten_crop)
    assert torch.equal(
        crops.five_crop(pictures(), 16), torch.stack(reference.five_crop(pictures(), [16, 16]), dim=1)
    )


def check_average(average_probs):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, 5), torch.nn.Tanh()).double()
    views = crops.ten_crop(pictures(4, dtype=torch.float64), 16)
    expected = torch.zeros(4, 5, dtype=torch.float64)
    for i in range(4):
        for view in views[i]:
            logits = 3 * model(view[None])[0]
            expected[i] += logits.exp() / logits.exp().sum() / 10
    same(average_probs(lambda images: 3 * model(images), views), expected, 1e-12)
    same(average_probs(lambda images: 3 * model(images), list(views.unbind(1))), expected, 1e-12)


def test_probabilities_are_averaged():
    check_average(crops.average_probs)


@pytest.mark.cuda
@cuda
def test_on_a_gpu():
    boxes = torch.tensor([[3, 5, 10, 9]] * 12)
    same(
        crops.resized_crop(pictures().cuda(), boxes.cuda(), (8, 8)).cpu(),
        crops.resized_crop(pictures(), boxes, (8, 8)),
        2e-3,
    )  # TF32 if allowed


def last_place_missing(images, generator, padding):
    padded = torch.nn.functional.pad(images, (padding,) * 4)
    top, left = (torch.randint(2 * padding, (len(images),), generator=generator) for _ in range(2))
    return crops.crop(padded, top, left, tuple(images.shape[2:]))


def diagonal(images, generator, padding):
    padded = torch.nn.functional.pad(images, (padding,) * 4)
    place = torch.randint(2 * padding + 1, (len(images),), generator=generator)
    return crops.crop(padded, place, place, tuple(images.shape[2:]))


def of_logits(model, views):
    return (
        torch.stack([model(view) for view in (views.unbind(1) if isinstance(views, torch.Tensor) else views)])
        .mean(0)
        .softmax(1)
    )


def without_antialias(images, boxes, size):
    return torch.stack(
        [
            reference.resized_crop(i, *b, list(size), antialias=False)
            for i, b in zip(images, boxes.tolist(), strict=True)
        ]
    )


FAULTS = {
    "the last place is never drawn": (last_place_missing, check_random_crop),
    "one place for rows and columns": (diagonal, check_random_crop),
    "one place for the batch": (
        lambda i, g, p: crops.random_crop(i[:1], g, p).expand_as(i),
        check_random_crop,
    ),
    "no mirror images": (lambda i, s: crops.five_crop(i, s).repeat(1, 2, 1, 1, 1), check_ten),
    "mirrored after cropping": (
        lambda i, s: torch.cat([crops.five_crop(i, s), crops.five_crop(i, s).flip(-1)], 1),
        check_ten,
    ),
    "centre rounded down": (
        lambda i, s: torch.cat(
            [
                torch.cat(
                    [
                        crops.five_crop(x, s)[:, :4],
                        x[:, None, :, (x.shape[2] - s) // 2 :, (x.shape[3] - s) // 2 :][..., :s, :s],
                    ],
                    1,
                )
                for x in (i, i.flip(-1))
            ],
            1,
        ),
        check_ten,
    ),
    "logits averaged": (of_logits, check_average),
    "views of one image taken for images": (
        lambda m, v: (
            m((v.transpose(0, 1) if isinstance(v, torch.Tensor) else torch.stack(v)).flatten(0, 1))
            .softmax(1)
            .reshape(-1, 10, 5)
            .mean(1)
        ),
        check_average,
    ),
    "no antialiasing": (without_antialias, check_resized),
    "weights not normalised": (lambda i, b, s: crops._by_matrices(i, b, s) * 1.01, check_resized),
    "height and width exchanged": (
        lambda i, b, s: crops._by_matrices(i, b[:, [0, 1, 3, 2]], s),
        check_resized,
    ),
    "box half a pixel off": (
        lambda i, b, s: crops._by_matrices(i, b + 0.5 * torch.tensor([1, 0, 0, 0]), s),
        check_resized,
    ),
    "ratio uniform, not its logarithm": (
        lambda i, g, *a: (
            lambda b, r: torch.stack(
                [
                    b[:, 0],
                    b[:, 1],
                    ((b[:, 2] * b[:, 3]) / r).sqrt().round().long(),
                    ((b[:, 2] * b[:, 3]) * r).sqrt().round().long(),
                ],
                1,
            )
        )(crops.draw_boxes(i, g, *a), 0.75 + 0.583 * torch.rand(len(i), generator=g)),
        check_boxes,
    ),
    "side uniform, not area": (
        lambda i, g, a=(0.08, 1.0): (lambda b: (b * torch.rand(len(i), 1, generator=g)).long())(
            crops.draw_boxes(i, g, a)
        ),
        check_boxes,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: crops.random_crop(pictures(), None, -1), "padding >= 0"),
        (lambda: crops.random_crop(pictures(), None, 0, (30, 3)), "a crop within"),
        (lambda: crops.ten_crop(pictures(), 25), "a crop within"),
        (lambda: crops.draw_boxes(pictures(), None, (0.0, 1.0)), "0 < area"),
        (lambda: crops.resized_crop(pictures(), torch.ones(4), (3, 3)), r"\[12, 4\]"),
        (lambda: crops.average_probs(None, []), "at least one view"),
        (lambda: crops.average_probs(None, pictures()), r"\[B, V, C, H, W\]"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def check_box_of_full_side(module) -> None:
    """A box that is exactly as wide, or as high, as the image fits, and its other place is drawn."""
    for height, width, place in ((12, 6, 0), (6, 12, 1)):
        images = torch.zeros(40, 1, height, width)
        drawn = module["draw_boxes"](images, torch.Generator().manual_seed(0), (0.5, 0.5), (1.0, 1.0))
        assert drawn[:, 2:].unique().tolist() == [6] and len(drawn[:, place].unique()) > 4


def test_a_box_as_large_as_the_side_fits():
    check_box_of_full_side(vars(crops))


@pytest.mark.parametrize("side", ["width <= wide", "height <= high"])
def test_the_check_sees_a_box_that_must_be_smaller(side):
    broken = edited(crops, f"({side})", f"({side.replace('<=', '<')})")
    with pytest.raises(AssertionError):
        check_box_of_full_side(broken)
