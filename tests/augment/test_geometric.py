"""Flips and maps against torchvision image by image, how the random ones are distributed; faults."""

import math
from functools import partial

import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as reference

from dlbook.augment import geometric
from tests.augment.augment_checks import (
    check_own_draw,
    check_rate,
    check_uniform,
    check_unrelated,
    cuda,
    pictures,
    same,
    seeded,
)

MODES = {"bilinear": InterpolationMode.BILINEAR, "nearest": InterpolationMode.NEAREST}


def amounts(low, high, seed, count=12):
    return low + (high - low) * torch.rand(count, generator=seeded(seed), dtype=torch.float64)


def check_affine(affine, mode):
    images = pictures(dtype=torch.float64)
    drawn = [
        amounts(-50, 50, 1),
        amounts(-6, 6, 2),
        amounts(-6, 6, 3),
        amounts(0.5, 1.7, 4),
        amounts(-30, 30, 5),
        amounts(-20, 20, 6),
    ]
    got = affine(images, *drawn, mode=mode)
    for image, mine, *each in zip(images, got, *drawn, strict=True):
        angle, right, down, scale, shear_x, shear_y = (number.item() for number in each)
        theirs = reference.affine(image, angle, [right, down], scale, [shear_x, shear_y], MODES[mode])
        same(mine, theirs, 1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_affine_is_torchvisions_image_by_image(mode):
    check_affine(geometric.affine, mode)


def check_rotate(rotate):
    images = pictures(dtype=torch.float64)
    for degrees in (-170.0, -30.0, 0.0, 7.5, 90.0):
        same(rotate(images, degrees), reference.rotate(images, degrees, MODES["bilinear"]), 1e-9)
    with_fill = rotate(images, 25.0, mode="nearest", fill=0.3)
    same(with_fill, reference.rotate(images, 25.0, MODES["nearest"], fill=0.3), 1e-9)


def test_rotate_is_torchvisions():
    check_rotate(geometric.rotate)


def test_translate_and_shear_are_torchvisions():
    images = pictures(dtype=torch.float64)
    same(
        geometric.translate(images, 3, -5.5),
        reference.affine(images, 0, [3, -5.5], 1.0, [0, 0], MODES["bilinear"]),
        1e-9,
    )
    same(
        geometric.shear(images, 12.0, -8.0),
        reference.affine(images, 0, [0, 0], 1.0, [12.0, -8.0], MODES["bilinear"]),
        1e-9,
    )
    corner = geometric.affine(images, shear_x=14.0, centre="corner", mode="nearest")
    same(corner, reference.affine(images, 0, [0, 0], 1.0, [14.0, 0], MODES["nearest"], center=[0, 0]), 0)


def check_fill(rotate):
    """As if the image went on with this value; torchvision's bilinear fill darkens the border twice, so it is
    no oracle here.
    """
    images = pictures(dtype=torch.float64)
    wide = torch.nn.functional.pad(images, (20,) * 4, value=0.3)
    same(rotate(images, 25.0, fill=0.3), rotate(wide, 25.0)[..., 20:-20, 20:-20], 1e-9)


def test_outside_is_fill():
    check_fill(geometric.rotate)


def check_perspective(perspective):
    images = pictures(dtype=torch.float64)
    corners = torch.tensor([[0, 0], [33, 0], [33, 24], [0, 24]], dtype=torch.float64)
    ends = corners + torch.randint(-4, 5, (12, 4, 2), generator=seeded(2))
    for mode in MODES:
        got = perspective(images, corners.expand(12, 4, 2), ends, mode=mode)
        for image, mine, end in zip(images, got, ends, strict=True):
            theirs = reference.perspective(image, corners.int().tolist(), end.int().tolist(), MODES[mode])
            if mode == "bilinear":
                same(mine, theirs, 1e-5)  # torchvision solves for the map in float32
            else:
                assert ((mine - theirs).abs() > 1e-9).double().mean() < 5e-3  # some pixels are at ties


def test_perspective_is_torchvisions():
    check_perspective(geometric.perspective)


def check_flip(random_flip):
    images = pictures(4000, 1, 2, 3)
    for probability, vertical in ((0.5, False), (0.2, True)):
        flipped = random_flip(images, seeded(1), probability, vertical)
        mirrored = images.flip(2 if vertical else 3)
        hits = (flipped == mirrored).flatten(1).all(1)
        assert (hits | (flipped == images).flatten(1).all(1)).all()
        check_rate(hits, probability)
        check_unrelated(hits[1:], hits[:-1])


def test_flip_rate():
    check_flip(geometric.random_flip)


def dots(count, height=41, width=61, right=0.0, dtype=torch.float64):
    """A small blob `right` pixels beside the centre."""
    x, y = torch.arange(width) - width // 2, torch.arange(height) - height // 2
    blob = torch.exp(-0.5 * ((x - right) ** 2 + y[:, None] ** 2) / 1.5**2)
    return blob.to(dtype).expand(count, 1, -1, -1)


def centres(images):
    """(x, y) of the centre of mass from the middle, [B, 2]."""
    total = images.sum((1, 2, 3))
    x = (images.sum((1, 2)) * (torch.arange(images.shape[3]) - images.shape[3] // 2)).sum(1) / total
    y = (images.sum((1, 3)) * (torch.arange(images.shape[2]) - images.shape[2] // 2)).sum(1) / total
    return torch.stack([x, y], dim=1)


def check_angles(random_rotation):
    """Where a dot beside the centre goes: uniform angles of both signs."""
    where = centres(random_rotation(dots(1500, right=12.0), seeded(1), degrees=40.0))
    check_uniform(torch.rad2deg(torch.atan2(-where[:, 1], where[:, 0])), -40, 40)


def test_angles_are_uniform():
    check_angles(geometric.random_rotation)


def check_shifts(random_translation):
    where = centres(random_translation(dots(1500), seeded(1), fraction=0.2))
    check_uniform(where[:, 0], -0.2 * 61, 0.2 * 61)
    check_uniform(where[:, 1], -0.2 * 41, 0.2 * 41)
    check_unrelated(where[:, 0], where[:, 1])


def test_shifts_are_uniform_and_of_each_side():
    check_shifts(geometric.random_translation)


def test_slants_and_scales_are_uniform():
    """A dot to the right goes up or down by the slant along y; its distance is the scale."""
    where = centres(geometric.random_shear(dots(1500, right=12.0), seeded(1), degrees=30.0))
    check_uniform(torch.rad2deg(torch.atan(where[:, 1] / 12)), -30, 30)
    grown = geometric.random_affine(
        dots(1500, right=12.0), seeded(1), degrees=0, fraction=0, scale=(0.5, 1.5)
    )
    check_uniform(centres(grown)[:, 0] / 12, 0.5, 1.5)


def test_corners_go_inwards_uniformly():
    """The image of a dot near a corner lies within the rectangle that the corner may reach."""
    white = torch.ones(1500, 1, 40, 60, dtype=torch.float64)
    seen = geometric.random_perspective(white, seeded(1), distortion=0.4)[:, 0] > 0.5
    assert seen[:, 10:-10, 14:-14].all(), "a corner went too far"
    first = seen.int().argmax(2)[
        :, 20
    ]  # left border, in the middle row: the mean of two uniform corners at most
    assert 4 < first.double().mean() < 8 and first.max() <= 12


@pytest.mark.cuda
@cuda
def test_on_a_gpu():
    images = pictures()
    same(geometric.rotate(images.cuda(), 20.0).cpu(), geometric.rotate(images, 20.0), 1e-4)


def whole_batch(step):
    return lambda images, generator=None, *given, **how: step(images[:1], generator, *given, **how).expand(
        len(images), -1, -1, -1
    )


FAULTS = {
    "one angle for the batch": (whole_batch(geometric.random_rotation), check_angles),
    "one view for equal images": (whole_batch(geometric.random_affine), check_own_draw),
    "never a negative angle": (
        lambda i, g, degrees: geometric.rotate(i, degrees * torch.rand(len(i), generator=g, dtype=i.dtype)),
        check_angles,
    ),
    "radians for degrees": (lambda i, d, **k: geometric.rotate(i, math.degrees(d), **k), check_rotate),
    "clockwise": (lambda i, d, **k: geometric.rotate(i, -d, **k), check_rotate),
    "fill left out": (lambda i, d, **k: geometric.rotate(i, d), check_fill),
    "width for height": (
        lambda i, g, fraction: geometric.random_translation(i.mT, g, fraction=fraction * 41 / 61).mT,
        check_shifts,
    ),
    "one shift for both axes": (
        lambda i, g, fraction: geometric.translate(
            i,
            *[
                s * fraction * (2 * torch.rand(len(i), generator=seeded(1), dtype=i.dtype) - 1)
                for s in (61, 41)
            ],
        ),
        check_shifts,
    ),
    "shears exchanged": (
        lambda i, a, r, d, s, x, y, **k: geometric.affine(i, a, r, d, s, y, x, **k),
        partial(check_affine, mode="bilinear"),
    ),
    "scale not inverted": (
        lambda i, a, r, d, s, x, y, **k: geometric.affine(i, a, r, d, 1 / s, x, y, **k),
        partial(check_affine, mode="nearest"),
    ),
    "points exchanged": (
        lambda i, start, end, **k: geometric.perspective(i, end, start, **k),
        check_perspective,
    ),
    "flips by batch": (whole_batch(geometric.random_flip), check_flip),
    "always flips": (lambda i, g, p, v: geometric.random_flip(i, g, 1.0, v), check_flip),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: geometric.affine(pictures()[0]), "add a batch axis"),
        (lambda: geometric.affine(pictures(), centre="left"), "'middle' or 'corner'"),
        (lambda: geometric.rotate(pictures(), 3.0, mode="cubic"), "'nearest' or 'bilinear'"),
        (lambda: geometric.rotate(pictures(), torch.ones(5)), "one for each of the 12 images"),
        (lambda: geometric.random_flip(pictures(), None, 50), r"probability in \[0, 1\]"),
        (lambda: geometric.random_translation(pictures(), None, 10), r"fraction in \[0, 1\]"),
        (lambda: geometric.random_affine(pictures(), None, scale=(1.2, 0.8)), "smallest <= largest"),
        (lambda: geometric.random_perspective(pictures(), None, 2), "distortion"),
        (lambda: geometric.perspective(pictures(), torch.ones(4, 2), torch.ones(4, 2)), r"\[12, 4, 2\]"),
        (lambda: geometric.flip((pictures() * 255).byte(), torch.ones(12).bool()), "divide bytes by 255"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
