"""mixup and CutMix, image by image and pixel by pixel.

mixup (Zhang et al., arXiv:1710.09412, equation 1) blends two images; CutMix (Yun et al., arXiv:1905.04899,
equations 1 and 2) cuts a box out of one and fills it from the other. With the weight w of the first image::

    mixup     x = w x_i + (1 - w) x_j                    y = w y_i + (1 - w) y_j
    CutMix    x = x_j inside the box, x_i outside        y = w y_i + (1 - w) y_j,  1 - w the box's share

>>> sorted(box(height=4, width=4, weight=0.75, centre=(0, 3)))             # sides of 2, cut off at the border
[(0, 2), (0, 3)]
"""

import math

import torch
from torch import Tensor


def mixup(images: Tensor, targets: Tensor, partner: list[int], weights: list[float]) -> tuple[Tensor, Tensor]:
    """Blend each image and its target with its partner's.

    Args:
        images: [B, C, H, W].
        targets: probabilities [B, K].
        partner: for each image, the index of the one that it is mixed with.
        weights: for each image, its own weight in [0, 1]; the partner has the rest.

    Returns:
        The mixed images and targets, of the same shapes.
    """
    mixed, soft = torch.zeros_like(images), torch.zeros_like(targets)
    for i in range(len(images)):
        mixed[i] = weights[i] * images[i] + (1 - weights[i]) * images[partner[i]]
        soft[i] = weights[i] * targets[i] + (1 - weights[i]) * targets[partner[i]]
    return mixed, soft


def box(height: int, width: int, weight: float, centre: tuple[int, int]) -> set[tuple[int, int]]:
    """List the pixels of the box that CutMix cuts out (equation 2): its sides are sqrt(1 - weight) of the
    image's.

    Args:
        height: of the image, in pixels.
        width: of the image, in pixels.
        weight: share of the pixels outside the box, in [0, 1], before the box is cut off at the border.
        centre: (row, column) of the box's middle.

    Returns:
        The pixels (row, column) of the box that lie in the image.
    """
    # 1e-12: a product that is a whole number in exact arithmetic must not be rounded down to the next lower
    # one.
    half_height = math.floor(height * math.sqrt(1 - weight) / 2 + 1e-12)
    half_width = math.floor(width * math.sqrt(1 - weight) / 2 + 1e-12)
    row, column = centre
    return {
        (y, x)
        for y in range(row - half_height, row + half_height)
        for x in range(column - half_width, column + half_width)
        if 0 <= y < height and 0 <= x < width
    }


def cutmix(
    images: Tensor, targets: Tensor, partner: list[int], pixels: set[tuple[int, int]]
) -> tuple[Tensor, Tensor]:
    """Copy the pixels of a box from each image's partner, and mix the targets by counting pixels.

    Args:
        images: [B, C, H, W].
        targets: probabilities [B, K].
        partner: for each image, the index of the one that fills its box.
        pixels: (row, column) of the box, the same for all images.

    Returns:
        The cut images and their targets, of the same shapes.
    """
    cut, soft = images.clone(), targets.clone()
    share = 1 - len(pixels) / (images.shape[2] * images.shape[3])  # of the image that keeps its border
    for i in range(len(images)):
        for y, x in pixels:
            cut[i, :, y, x] = images[partner[i], :, y, x]
        soft[i] = share * targets[i] + (1 - share) * targets[partner[i]]
    return cut, soft
