"""Whether images are what augmentations of brightness and colour expect: numbers in [0, 1].

>>> import torch
>>> require_values(torch.full((1, 3, 2, 2), 200.0))
Traceback (most recent call last):
ValueError: expected images with values in [0, 1], got some up to 200; divide bytes by 255
"""

from torch import Tensor

from dlbook.checks import require_images

__all__ = ["require_values"]

# Noise and normalisation leave [0, 1], but not so far: values beyond are bytes that were not divided.
LARGEST = 16.0


def require_values(images: Tensor, channels: int | tuple[int, ...] | None = None) -> None:
    """Raise ValueError unless `images` is a floating-point tensor [B, C, H, W] that may lie in [0, 1].

    The values are looked at on the CPU only: on a GPU this would wait for the device in every step.

    Args:
        images: what was given.
        channels: as for `require_images`.
    """
    require_images(images, channels)
    if images.device.type == "cpu" and (largest := images.max()) > LARGEST:
        raise ValueError(
            f"expected images with values in [0, 1], got some up to {largest.item():.4g}; divide bytes by 255"
        )
