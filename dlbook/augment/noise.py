"""Noise: Gaussian, speckle, and salt and pepper.

    Gaussian:          x + sigma n,      n ~ N(0, 1) for each value
    speckle:           x (1 + sigma n),  so that bright places are noisier
    salt and pepper:   a share of the pixels turns white (salt) or black (pepper)

Gaussian noise and speckle are independent in each channel; a speck of salt or pepper is one pixel, white or
black in all channels. The results are clamped to [0, 1], so that near black and near white the noise is
one-sided and its mean not zero.

>>> grey = torch.full((1, 3, 100, 100), 0.5)
>>> noisy = salt_and_pepper(grey, torch.Generator().manual_seed(0), amount=0.1)
>>> sorted(set(noisy.flatten().tolist())), 0.09 < (noisy != grey).float().mean().item() < 0.11
([0.0, 0.5, 1.0], True)
"""

import torch
from torch import Generator, Tensor

from dlbook.augment.steps import per_image
from dlbook.augment.values import require_values
from dlbook.checks import require_in

__all__ = ["gaussian_noise", "salt_and_pepper", "speckle"]

Amount = float | Tensor


def gaussian_noise(images: Tensor, generator: Generator | None = None, sigma: Amount = 0.05) -> Tensor:
    """Add normal noise.

    Args:
        sigma: its standard deviation, >= 0; a number or one for each image `[B]`.

    Raises:
        ValueError: `sigma` is negative.
    """
    return (images + _normal(images, sigma, generator)).clamp_(0, 1)


def speckle(images: Tensor, generator: Generator | None = None, sigma: Amount = 0.1) -> Tensor:
    """Multiply by 1 + normal noise.

    Args:
        sigma: its standard deviation, >= 0; a number or one for each image `[B]`.

    Raises:
        ValueError: `sigma` is negative.
    """
    return (images + images * _normal(images, sigma, generator)).clamp_(0, 1)


def _normal(images: Tensor, sigma: Amount, generator: Generator | None) -> Tensor:
    require_values(images)
    if not isinstance(sigma, Tensor) and sigma < 0:
        raise ValueError(f"expected sigma >= 0, got {sigma}; it is a standard deviation, of values in [0, 1]")
    return per_image(sigma, images) * torch.randn(
        images.shape, generator=generator, device=images.device, dtype=images.dtype
    )


def salt_and_pepper(
    images: Tensor, generator: Generator | None = None, amount: Amount = 0.05, salt: float = 0.5
) -> Tensor:
    """Turn pixels white or black.

    Args:
        images: `[B, C, H, W]`.
        amount: share of the pixels that change, in [0, 1]; a number or one for each image `[B]`.
        salt: share of these that turn white, in [0, 1].

    Raises:
        ValueError: a share outside [0, 1].
    """
    require_values(images)
    require_in("salt", salt, 0, 1, fix="it is a share, not a percentage")
    if not isinstance(amount, Tensor):
        require_in("amount", amount, 0, 1, fix="it is a share, not a percentage")
    amount = per_image(amount, images)
    draw = torch.rand(
        (len(images), 1, *images.shape[2:]), generator=generator, device=images.device, dtype=images.dtype
    )
    white, changed = draw < amount * salt, draw < amount
    return torch.where(changed, white.to(images.dtype), images)
