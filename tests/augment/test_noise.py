"""Noise: its mean, spread and rate, independent where it should be and shared where it should be; seeded
faults.
"""

from functools import partial

import pytest
import torch

from dlbook.augment import noise
from tests.augment.augment_checks import (
    check_rate,
    check_step,
    check_unrelated,
    cuda,
    pictures,
    seeded,
)

GREY = torch.full((16, 3, 40, 50), 0.5)


def check_normal(values, sigma):
    """Mean 0, standard deviation and kurtosis of a normal distribution; unrelated between images, channels
    and neighbours.
    """
    count = values.numel()
    assert values.mean().abs() < 5 * sigma / count**0.5, "mean"
    assert (values.std() / sigma - 1).abs() < 5 / (2 * count) ** 0.5, "spread"
    assert ((values**4).mean() / sigma**4 - 3).abs() < 5 * (96 / count) ** 0.5, "not normal"
    for first, second in (
        (values[1:], values[:-1]),
        (values[:, 0], values[:, 1]),
        (values[:, 1], values[:, 2]),
        (values[..., 1:], values[..., :-1]),
        (values[:, :, 1:], values[:, :, :-1]),
    ):
        check_unrelated(first, second)


def check_gaussian(gaussian_noise):
    check_normal((gaussian_noise(GREY, seeded(1), 0.05) - 0.5).double(), 0.05)


def test_gaussian_noise():
    check_gaussian(noise.gaussian_noise)
    each = noise.gaussian_noise(GREY, seeded(1), torch.linspace(0, 0.075, 16)) - 0.5
    assert ((each.flatten(1).std(1) - torch.linspace(0, 0.075, 16)).abs() < 0.003).all() and (
        each[0] == 0
    ).all()


def check_speckle(speckle):
    """In proportion to the brightness."""
    images = GREY * torch.tensor([0.2, 0.6, 1.0])[:, None, None]
    check_normal((speckle(images, seeded(1), 0.1) / images - 1).double(), 0.1)


def test_speckle():
    check_speckle(noise.speckle)


def check_salt_and_pepper(salt_and_pepper):
    out = salt_and_pepper(GREY, seeded(1), 0.1, 0.25)
    assert torch.equal(out, out[:, :1].expand_as(out)), "a speck is one pixel in all channels"
    white, black = out[:, 0] == 1, out[:, 0] == 0
    assert (white | black | (out[:, 0] == 0.5)).all()
    check_rate(white, 0.025)
    check_rate(black, 0.075)
    specks = white | black
    for first, second in (
        (specks[1:], specks[:-1]),
        (specks[..., 1:], specks[..., :-1]),
        (specks[:, 1:], specks[:, :-1]),
    ):
        check_unrelated(first, second)


def test_salt_and_pepper():
    check_salt_and_pepper(noise.salt_and_pepper)
    each = noise.salt_and_pepper(GREY, seeded(1), torch.linspace(0, 0.45, 16))
    assert (
        (each[:, 0] != 0.5).flatten(1).double().mean(1) - torch.linspace(0, 0.45, 16)
    ).abs().max() < 0.06 and (each[0] == 0.5).all()
    assert (noise.salt_and_pepper(GREY, seeded(1), 1.0, 1.0) == 1).all() and (
        noise.salt_and_pepper(GREY, seeded(1), 1.0, 0.0) == 0
    ).all()


@pytest.mark.cuda
@cuda
def test_on_a_gpu():
    check_normal((noise.gaussian_noise(GREY.cuda(), seeded(1, "cuda"), 0.05) - 0.5).double().cpu(), 0.05)


def per_channel(images, generator, amount, salt):
    flat = images.flatten(0, 1)[:, None]
    return noise.salt_and_pepper(flat, generator, amount, salt).reshape(images.shape)


FAULTS = {
    "specks in each channel": (per_channel, check_salt_and_pepper),
    "salt and pepper exchanged": (
        lambda i, g, a, s: noise.salt_and_pepper(i, g, a, 1 - s),
        check_salt_and_pepper,
    ),
    "the amount of each kind": (
        lambda i, g, a, s: noise.salt_and_pepper(i, g, 2 * a, s),
        check_salt_and_pepper,
    ),
    "the same specks in each image": (
        lambda i, g, a, s: noise.salt_and_pepper(i[:1], g, a, s).expand_as(i),
        check_salt_and_pepper,
    ),
    "the same noise in each channel": (
        lambda i, g, s: noise.gaussian_noise(i[:, :1], g, s).expand_as(i),
        check_gaussian,
    ),
    "the same noise in each image": (
        lambda i, g, s: noise.gaussian_noise(i[:1], g, s).expand_as(i),
        check_gaussian,
    ),
    "variance for deviation": (lambda i, g, s: noise.gaussian_noise(i, g, s**0.5 / 4), check_gaussian),
    "uniform noise": (
        lambda i, g, s: i + s * 3**0.5 * (2 * torch.rand(i.shape, generator=g) - 1),
        check_gaussian,
    ),
    "speckle that only adds": (lambda i, g, s: noise.gaussian_noise(i, g, s), check_speckle),
    "not clamped": (lambda i, g=None: i + 0.5 * torch.randn(i.shape, generator=g), check_step),
    "draws from the global generator": (lambda i, g: noise.gaussian_noise(i), check_step),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(noise.gaussian_noise, pictures(), None, -0.1), "sigma >= 0"),
        (partial(noise.speckle, pictures()[0]), "batch axis"),
        (partial(noise.salt_and_pepper, pictures(), None, 5), r"amount in \[0, 1\]"),
        (partial(noise.salt_and_pepper, pictures(), None, 0.1, 2), "salt"),
        (partial(noise.gaussian_noise, pictures(), None, torch.ones(3)), "one for each of the 12"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
