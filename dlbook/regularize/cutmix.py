"""CutMix: Yun et al. 2019, *CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
Features*, arXiv:1905.04899, eq. 1 and 2, algorithm A1.

::

    lambda ~ Beta(alpha, alpha)                      # alpha = 1: uniform
    r_x, r_y uniform in the image;  r_w = W sqrt(1 - lambda),  r_h = H sqrt(1 - lambda)
    x      <- x_i, but x_j within the box centred at (r_x, r_y), clipped to the image
    lambda <- 1 - (pixels of the box) / (H W)
    y      <- lambda y_i + (1 - lambda) y_j

The fourth line is not in the paper's equations, though it is in its algorithm: a box that is cut off at the
border is smaller than 1 - lambda, and without it the labels promise pixels that are not there.

Departures from the paper

1. The centre is a whole pixel and half the box's side is rounded down, as in the authors' code and in
   torchvision.
2. One box for a batch, as in the authors' code.

>>> # half of 5 rows is 2, half of 10 columns is 5; it is cut off at the top
>>> box(height=10, width=20, weight=0.75, centre=(0, 10))
(0, 2, 5, 15)
"""

import math

import torch
from torch import Generator, Tensor

from dlbook.checks import require_images, require_in
from dlbook.regularize.mixup import beta, require_batch

Box = tuple[int, int, int, int]  # top, bottom, left, right; the second and fourth are outside


def box(height: int, width: int, weight: float, centre: tuple[int, int]) -> Box:
    """Return the clipped box around a pixel.

    Args:
        height, width: of the image, in pixels.
        weight: lambda in [0, 1].
        centre: (row, column).

    Raises:
        ValueError: the weight is out of range.
    """
    require_in("weight", weight, 0, 1, fix="it is the share of the first image")
    side = 0.5 * math.sqrt(1 - weight)
    half_height, half_width = int(side * height), int(side * width)
    row, column = centre
    return (
        max(row - half_height, 0),
        min(row + half_height, height),
        max(column - half_width, 0),
        min(column + half_width, width),
    )


def paste(images: Tensor, targets: Tensor, partner: Tensor, where: Box) -> tuple[Tensor, Tensor]:
    """Paste the box of each image's partner into it, and mix the targets by the box's true share.

    Args:
        images: float [B, C, H, W].
        targets: probabilities [B, K].
        partner: the partner of each image, int64 [B].
        where: the box, for all of them.

    Returns:
        Two new tensors of the shapes of images and targets.

    Raises:
        ValueError: shapes or types that do not fit.
    """
    _check(images, targets)
    top, bottom, left, right = where
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images[partner, :, top:bottom, left:right]
    kept = 1 - max(bottom - top, 0) * max(right - left, 0) / (images.shape[2] * images.shape[3])
    return mixed, kept * targets + (1 - kept) * targets[partner]


def cutmix(
    images: Tensor, targets: Tensor, alpha: float = 1.0, generator: Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Cut and mix the images and targets of one batch.

    Args:
        images: float [B, C, H, W].
        targets: probabilities [B, K].
        alpha: > 0.
        generator: on the images' device.

    Raises:
        ValueError: as in `paste`, or alpha is out of range.
    """
    _check(images, targets)
    height, width = images.shape[2:]
    weight = float(beta(alpha, 1, generator, images.device))
    centre = tuple(
        int(torch.randint(side, (), generator=generator, device=images.device)) for side in (height, width)
    )
    partner = torch.randperm(len(images), generator=generator, device=images.device)
    return paste(images, targets, partner, box(height, width, weight, centre))


def _check(images: Tensor, targets: Tensor) -> None:
    require_batch(images, targets)
    require_images(images, fix="add the missing axis")
