"""Each operation against torchvision, image by image; colour jitter's distribution; seeded faults."""

import itertools
from functools import partial

import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from dlbook.augment import photometric
from tests.augment.augment_checks import (
    byte_pictures,
    check_uniform,
    check_unrelated,
    cuda,
    pictures,
    same,
    seeded,
)

# name: amounts; the first changes nothing or the most
WITH_AMOUNT = {
    "brightness": (reference.adjust_brightness, (0.0, 0.3, 1.0, 1.9)),
    "contrast": (reference.adjust_contrast, (0.0, 0.3, 1.0, 1.9)),
    "saturation": (reference.adjust_saturation, (0.0, 0.3, 1.0, 1.9)),
    "sharpness": (reference.adjust_sharpness, (0.0, 0.3, 1.0, 3.0)),
    "hue": (reference.adjust_hue, (-0.5, -0.21, 0.0, 0.1, 0.34, 0.5)),
    "gamma": (reference.adjust_gamma, (0.0, 0.4, 1.0, 2.2)),
    "solarize": (reference.solarize, (0.0, 0.25, 0.5, 1.0)),
}
WITHOUT = {
    "autocontrast": reference.autocontrast,
    "equalize": reference.equalize,
    "invert": reference.invert,
    "grayscale": partial(reference.rgb_to_grayscale, num_output_channels=3),
}


def check_amounts(function, name, channels=3):
    """One number for all, and one for each image; float32, since torchvision turns the hue in float32."""
    theirs, amounts = WITH_AMOUNT[name]
    images = pictures(len(amounts), channels)
    images[:, :, :6] = (images[:, :, :6] * 8).round() / 8  # values that lie on a threshold
    for amount in amounts:
        same(function(images, amount), theirs(images, amount), 2e-6)
    each = function(images, torch.tensor(amounts))
    for image, mine, amount in zip(images, each, amounts, strict=True):
        same(mine, theirs(image, amount), 2e-6)


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("name", WITH_AMOUNT)
def test_operation_is_torchvisions(name, channels):
    check_amounts(getattr(photometric, name), name, channels)


def check_plain(function, name):
    images = torch.cat(
        [pictures(6), torch.full((1, 3, 24, 33), 0.4), pictures(1) * 0.5 + 0.2, byte_pictures(count=4)[1]]
    )
    same(function(images), WITHOUT[name](images), 1e-6)


@pytest.mark.parametrize("name", WITHOUT)
def test_operation_without_amount_is_torchvisions(name):
    check_plain(getattr(photometric, name), name)


def check_posterize(posterize):
    """torchvision's for bytes, exactly: for floating point it has other levels, by which even 8 bits change
    the image.
    """
    levels, images = byte_pictures()
    for bits in range(9):
        same(posterize(images, bits), reference.posterize(levels, bits) / 255, 0)
    each = posterize(images, torch.arange(12.0) % 9)
    for level, mine, bits in zip(levels, each, range(12), strict=True):
        same(mine, reference.posterize(level, bits % 9) / 255, 0)


def test_posterize_is_torchvisions_for_bytes():
    check_posterize(photometric.posterize)


def test_bytes_of_torchvision_differ_by_rounding_only():
    """On bytes torchvision truncates after each operation (one level), and takes the mean grey of truncated
    greys (one more).
    """
    levels, images = byte_pictures()
    for name, (theirs, amounts) in WITH_AMOUNT.items():
        for amount in amounts:
            if name != "solarize":
                same(getattr(photometric, name)(images, amount), theirs(levels, amount) / 255, 2 / 255 + 1e-6)
    for name, theirs in WITHOUT.items():
        same(
            getattr(photometric, name)(images),
            theirs(levels) / 255,
            (0 if name == "equalize" else 1 / 255) + 1e-6,
        )


def check_blur(blur):
    images = pictures(3, dtype=torch.float64)
    for size, sigma in ((3, 0.5), (9, 2.0), (5, 0.1)):
        same(blur(images, sigma, size), reference.gaussian_blur(images, [size, size], [sigma, sigma]), 1e-9)
    each = blur(images, torch.tensor([0.4, 1.0, 3.0]), 7)
    for image, mine, sigma in zip(images, each, (0.4, 1.0, 3.0), strict=True):
        same(mine, reference.gaussian_blur(image, [7, 7], [sigma, sigma]), 1e-7)


def test_blur_is_torchvisions():
    check_blur(photometric.blur)


def check_hue_circle(hue):
    """A whole turn, and three thirds, change nothing; a third moves red to green; wraps both ways."""
    images = pictures(dtype=torch.float64)
    for turns in (1.0, -1.0, 3.0):
        same(hue(images, turns), images, 1e-12)
    same(hue(hue(hue(images, 0.4), 0.35), 0.25), images, 1e-12)
    same(hue(images, 1 / 3), images.roll(1, dims=1), 1e-12)
    same(hue(images, -1 / 3), images.roll(-1, dims=1), 1e-12)


def test_hue_is_a_circle():
    check_hue_circle(photometric.hue)


def test_inputs_stay():
    """No operation writes into its input or hands it back."""
    images = pictures()
    kept = images.clone()
    for channels in (1, 3):
        given = images[:, :channels]
        calls = [
            partial(getattr(photometric, name), given, amounts[2])
            for name, (_, amounts) in WITH_AMOUNT.items()
        ]
        calls += [partial(getattr(photometric, name), given) for name in WITHOUT]
        for call in [*calls, partial(photometric.posterize, given, 8), partial(photometric.blur, given, 1.0)]:
            call().zero_()
            assert torch.equal(images, kept), call


def check_factors(color_jitter):
    """On a flat grey image brightness alone is visible; on a flat colour hue is the place on the circle."""
    grey = torch.full((3000, 3, 2, 2), 0.3, dtype=torch.float64)
    check_uniform(color_jitter(grey, seeded(1), 0.4, 0, 0, 0)[:, 0, 0, 0] / 0.3, 0.6, 1.4)
    assert (color_jitter(grey, seeded(1), 2.0, 0, 0, 0) >= 0).all()
    red = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)[:, None, None].expand(3000, 3, 2, 2)
    got = color_jitter(red, seeded(1), 0, 0, 0, 0.1)[:, :, 0, 0]
    check_uniform((got[:, 1] - got[:, 2]) / 0.25 / 6, -0.1, 0.1)
    got = color_jitter(red, seeded(1), 0, 0, 0.4, 0)[:, :, 0, 0]
    check_uniform((got[:, 0] - got[:, 1]) / 0.25, 0.6, 1.4)


def test_factors_are_uniform():
    check_factors(photometric.color_jitter)


def check_order(color_jitter, monkeypatch):
    """Replace the four by writing their number: each image has all four, the 24 orders are equally likely,
    neighbours are unrelated.
    """
    monkeypatch.setattr(
        photometric, "JITTER", [lambda images, amount, k=k: images * 10 + k for k in (1, 2, 3, 4)]
    )
    written = color_jitter(torch.zeros(4800, 3, 1, 1, dtype=torch.float64), seeded(1))[:, 0, 0, 0].long()
    orders = [int("".join(map(str, order))) for order in itertools.permutations((1, 2, 3, 4))]
    counts = torch.tensor([(written == order).sum() for order in orders]).double()
    assert counts.sum() == 4800
    assert ((counts - 200) ** 2 / 200).sum() < 60  # chi squared, 23 degrees of freedom: 1e-4 of chance
    check_unrelated((written // 1000)[1:], (written // 1000)[:-1])


def test_each_image_has_its_own_order(monkeypatch):
    check_order(photometric.color_jitter, monkeypatch)


def test_draws_are_independent_of_each_other():
    grey = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)[:, None, None].expand(3000, 3, 2, 2)
    got = photometric.color_jitter(grey, seeded(1), 0.3, 0, 0, 0.05)[:, :, 0, 0]
    check_unrelated(got[:, 0], (got[:, 1] - got[:, 2]) / got[:, 0])


@pytest.mark.cuda
@cuda
def test_on_a_gpu():
    images = pictures()
    for operation in (
        photometric.equalize,
        photometric.autocontrast,
        partial(photometric.posterize, bits=3),
        partial(photometric.hue, turns=0.2),
    ):
        same(operation(images.cuda()).cpu(), operation(images), 1e-5)


def jitter_by_batch(images, generator=None, *given):
    return photometric.color_jitter(images[:1], generator, *given).expand_as(images)


FAULTS = {
    "hue is not wrapped": (
        lambda i, turns: torch.where(torch.as_tensor(turns) < 0, i, photometric.hue(i, turns)),
        check_hue_circle,
    ),
    "hue in radians": (lambda i, turns: photometric.hue(i, turns / 6.283), check_hue_circle),
    "hue turns backwards": (lambda i, turns: photometric.hue(i, -turns), partial(check_amounts, name="hue")),
    "contrast around 0.5": (
        lambda i, f: (0.5 + (i - 0.5) * torch.as_tensor(f).reshape(-1, 1, 1, 1)).clamp(0, 1),
        partial(check_amounts, name="contrast"),
    ),
    "mean of the batch": (
        lambda i, f: (lambda m: (m + (i - m) * torch.as_tensor(f).reshape(-1, 1, 1, 1)).clamp(0, 1))(
            photometric.grayscale(i).mean()
        ),
        partial(check_amounts, name="contrast"),
    ),
    "grey is the mean of the channels": (
        lambda i, f: (lambda m: (m + (i - m) * torch.as_tensor(f).reshape(-1, 1, 1, 1)).clamp(0, 1))(
            i.mean(1, keepdim=True)
        ),
        partial(check_amounts, name="saturation"),
    ),
    "solarize above, not at": (
        lambda i, t: torch.where(i > torch.as_tensor(t).reshape(-1, 1, 1, 1), 1 - i, i),
        partial(check_amounts, name="solarize"),
    ),
    "not clamped": (
        lambda i, f: i * torch.as_tensor(f).reshape(-1, 1, 1, 1),
        partial(check_amounts, name="brightness"),
    ),
    "one stretch for all channels": (
        lambda i: (i - i.amin((1, 2, 3), True)) / (i.amax((1, 2, 3), True) - i.amin((1, 2, 3), True) + 1e-12),
        partial(check_plain, name="autocontrast"),
    ),
    "levels of floating point": (lambda i, bits: photometric.posterize(i, bits) * 255 / 256, check_posterize),
    "low bits kept": (lambda i, bits: photometric.posterize(i, 8 - bits), check_posterize),
    "variance for deviation": (lambda i, sigma, size: photometric.blur(i, sigma**2, size), check_blur),
    "one jitter for the batch": (jitter_by_batch, check_factors),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


def test_a_fixed_order_is_caught(monkeypatch):
    def fixed(images, generator):
        for number, change in enumerate(photometric.JITTER):
            images = change(images, number)
        return images

    with pytest.raises(AssertionError):
        check_order(fixed, monkeypatch)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: photometric.contrast(pictures(channels=2), 1.0), "1 or 3, H, W"),
        (lambda: photometric.brightness(pictures(), -1), "a factor >= 0"),
        (lambda: photometric.gamma(pictures(), -1.0), "exponent >= 0"),
        (lambda: photometric.posterize(pictures(), 2.5), "from 0 to 8"),
        (lambda: photometric.blur(pictures(), 1.0, 4), "odd kernel_size"),
        (lambda: photometric.blur(pictures(), 0.0), "sigma > 0"),
        (lambda: photometric.hue(pictures(), torch.ones(3)), "one for each of the 12 images"),
        (lambda: photometric.color_jitter(pictures(), hue=0.6), "hue <= 0.5"),
        (lambda: photometric.invert(pictures()[0]), "batch axis"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
