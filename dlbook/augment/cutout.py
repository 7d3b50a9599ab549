"""Cutout: DeVries & Taylor 2017, *Improved Regularization of Convolutional Neural Networks with Cutout*,
arXiv:1708.04552, section 3.

::

    centre uniform over the pixels of the image
    x <- 0 within the square of side L around it, clipped to the image

A square may be cut off at the border, so that some images lose little; the paper found that to matter. 0 is
the data set's mean if the images are normalised, and that is what the paper fills in. L: 16 for CIFAR-10, 8
for CIFAR-100.

Departures from the paper

None. An odd L is rounded down to 2 floor(L / 2), as in the authors' code.

>>> holes = cutout(torch.ones(2, 3, 8, 8), side=4, generator=torch.Generator().manual_seed(0)) == 0
>>> bool((holes.sum((1, 2, 3)) <= 3 * 16).all()), bool((holes[:, 0] == holes[:, 2]).all())
(True, True)
"""

import torch
from torch import Generator, Tensor

from dlbook.augment.values import require_values
from dlbook.checks import require_positive


def erase(
    images: Tensor, top: Tensor, bottom: Tensor, left: Tensor, right: Tensor, fill: float | Tensor = 0.0
) -> Tensor:
    """Fill a box of each image, in a new tensor.

    Args:
        images: float [B, C, H, W].
        top, bottom, left, right: the bounds, int64 [B]; `bottom` and `right` are outside the box, and what
            lies beyond the image is cut off.
        fill: a number, or a tensor that broadcasts to the images.

    Raises:
        ValueError: other images.
    """
    require_values(images)
    rows, columns = (torch.arange(side, device=images.device) for side in images.shape[2:])
    in_rows = (rows >= top[:, None]) & (rows < bottom[:, None])  # [B, H]
    in_columns = (columns >= left[:, None]) & (columns < right[:, None])  # [B, W]
    hole = in_rows[:, None, :, None] & in_columns[:, None, None, :]  # [B, 1, H, W]
    return torch.where(hole, torch.as_tensor(fill, dtype=images.dtype, device=images.device), images)


def cutout(images: Tensor, side: int, fill: float = 0.0, generator: Generator | None = None) -> Tensor:
    """Fill a square hole of each image's own, in a new tensor.

    Args:
        images: float [B, C, H, W].
        side: L >= 1 in pixels.
        fill: what is written into the hole.
        generator: on the images' device.

    Raises:
        ValueError: an argument is out of range.
    """
    require_values(images)
    require_positive("side", side, "give pixels; the paper has 16 of 32")
    row, column = (
        torch.randint(length, (len(images),), generator=generator, device=images.device)
        for length in images.shape[2:]
    )
    half = side // 2
    return erase(images, row - half, row + half, column - half, column + half, fill)
