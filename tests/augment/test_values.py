"""Bytes that were not divided are refused by every augmentation that counts on values in [0, 1]."""

import pytest
import torch

from dlbook.augment import cutout, digits, noise, pca_color, photometric, policies, random_erasing
from dlbook.augment.values import LARGEST, require_values

CALLS = {
    "brightness": lambda images, g: photometric.brightness(images, 1.2),
    "invert": lambda images, g: photometric.invert(images),
    "noise": lambda images, g: noise.gaussian_noise(images, g),
    "cutout": lambda images, g: cutout(images, 2, generator=g),
    "erasing": lambda images, g: random_erasing(images, 1.0, generator=g),
    "randaugment": lambda images, g: policies.rand_augment(images, g),
    "autoaugment": lambda images, g: policies.auto_augment(images, g, policies.CIFAR10),
    "weak digits": digits.weak,
    "strong digits": digits.strong,
    "colour of PCA": lambda images, g: pca_color.pca_color(images, g),
}


@pytest.mark.parametrize("name", CALLS)
def test_bytes_are_refused_and_divided_bytes_are_not(name):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (4, 3, 16, 16), generator=generator).float()
    assert CALLS[name](images / 255, generator).shape == images.shape
    with pytest.raises(ValueError, match=r"values in \[0, 1\], got some up to 255; divide bytes by 255"):
        CALLS[name](images, generator)


def test_noise_and_normalised_values_are_taken():
    require_values(torch.tensor([-3.0, 1.4, 2.9, LARGEST]).reshape(1, 1, 2, 2))
