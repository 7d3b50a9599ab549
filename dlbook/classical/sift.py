"""SIFT's descriptor on a grid: 16 small histograms of where the edges around a point lead.

Lowe, "Distinctive Image Features from Scale-Invariant Keypoints" (IJCV 60, 2004), section 6. The
Fisher vectors of 2010 were built on no keypoints, but on descriptors at every few pixels of a grid.

The descriptor of one place in five lines::

    down, right = half the difference of the two neighbours of each pixel
    vote    = gradient length * exp(-distance^2 / (2 (2 cell)^2))      # the Gaussian: half a window wide
    shares: to the 4 cells whose middles are nearest, and to the 2 nearest of 8 directions, linearly
    vector  = the 4 x 4 x 8 sums, divided by its length
    result  = vector cut off at 0.2, divided by its length again

A vote's share in a cell is its share along the rows times its share along the columns, and the Gaussian is
such a product, too. So all sums are two matrix products: over the picture's rows, and over its columns.

Departures from the paper

1. No keypoints, no scale and no turning: the caller chooses the places, `cell` the size, and up stays up.
2. The picture is not blurred first; whoever wants it does that before.
3. The 128 numbers stay floating-point; in the paper they are bytes of 512 times the value.

>>> ramp = torch.arange(32.0).expand(1, 1, 32, 32)  # lighter to the right everywhere: direction 0
>>> descriptors, places = dense_sift(ramp, cell=4, step=8)
>>> descriptors.shape, places[0].tolist()
(torch.Size([1, 9, 128]), [7.5, 7.5])
>>> descriptors[0, 0].view(16, 8).sum(0).nonzero().flatten().tolist()
[0]
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from dlbook.checks import require_above, require_images, require_positive
from dlbook.classical.hog import gradients

CELLS = 4  # along each side of a window
DIRECTIONS = 8  # around the circle
LIMIT = 0.2  # the largest share that one number keeps of the vector's length


def direction_maps(images: Tensor) -> Tensor:
    """Share out each pixel's gradient length among 8 directions, linearly between the two nearest.

    Args:
        images: floating-point [B, 1, H, W].

    Returns:
        [B, 8, H, W]: map 0 is a gradient to the right, map 2 downwards, map 4 to the left, map 6 upwards; at
        the border a gradient has no part along the axis of the missing neighbour.

    Raises:
        ValueError: images of another shape or type.
    """
    require_images(images, 1, "take one channel")
    down, right = (each / 2 for each in gradients(images))
    length = torch.hypot(down, right)[:, None]
    place = torch.atan2(down, right)[:, None] * (DIRECTIONS / (2 * math.pi)) % DIRECTIONS
    lower = place.floor()
    upper_share, lower = place - lower, lower.long() % DIRECTIONS
    maps = length.new_zeros(len(images), DIRECTIONS, *images.shape[2:])
    maps.scatter_(1, lower, length * (1 - upper_share))
    return maps.scatter_(1, (lower + 1) % DIRECTIONS, length * upper_share)


def cell_weights(middles: Tensor, length: int, cell: float) -> Tensor:
    """Return how much each pixel of an axis counts in each cell of the windows along this axis.

    Args:
        middles: floating-point [R], the windows' middles on the axis, in pixels; pixel i lies at i.
        length: of the axis, in pixels.
        cell: side of a cell in pixels, above 0.

    Returns:
        [R, 4, length]: the share by the distance to a cell's middle, times the Gaussian about the window's.

    Raises:
        ValueError: a number out of range.
    """
    require_positive("length", length)
    require_above("cell", cell)
    pixels = torch.arange(length, dtype=middles.dtype, device=middles.device)
    away = (pixels - middles[:, None, None]) / cell  # [R, 1, length], in cells
    centres = torch.arange(CELLS, dtype=middles.dtype, device=middles.device)[:, None] - (CELLS - 1) / 2
    share = (1 - (away - centres).abs()).clamp(min=0)
    return share * torch.exp(-((away / (CELLS / 2)) ** 2) / 2)


def describe(images: Tensor, rows: Tensor, columns: Tensor, cell: float = 4) -> Tensor:
    """Describe images at each crossing of the given rows and columns.

    Args:
        images: floating-point [B, 1, H, W], in any range; a factor and a constant of all
            pixels change nothing.
        rows: [R], the windows' middles in pixels; pixel i lies at i, and halves are allowed.
        columns: [C], likewise.
        cell: side of one of the 4 x 4 cells in pixels, above 0. Pixels outside the picture do not vote.

    Returns:
        [B, R, C, 128], from 0 to 1: 4 rows of cells, in each 4 columns, in each 8 directions. A
        window without any edge is described by zeros.

    Raises:
        ValueError: images of another shape or type, or a cell that is not above 0.
    """
    maps = direction_maps(images)
    height, width = maps.shape[2:]
    by_row, by_column = cell_weights(rows.to(maps), height, cell), cell_weights(columns.to(maps), width, cell)
    sums = by_row.flatten(0, 1) @ maps @ by_column.flatten(0, 1).T  # [B, 8, R * 4, C * 4]
    sums = sums.unflatten(3, (len(columns), CELLS)).unflatten(2, (len(rows), CELLS))
    vectors = sums.permute(0, 2, 4, 3, 5, 1).flatten(3)
    tiny = torch.finfo(vectors.dtype).tiny  # zeros stay zeros
    return F.normalize(F.normalize(vectors, dim=3, eps=tiny).clamp(max=LIMIT), dim=3, eps=tiny)


def dense_sift(images: Tensor, cell: int = 4, step: int = 4) -> tuple[Tensor, Tensor]:
    """Describe images by all windows of a grid that lie whole in the picture.

    Args:
        images: floating-point [B, 1, H, W], at least 4 cells high and wide.
        cell: side of a cell in pixels; a window is 4 x 4 cells.
        step: between the windows, in pixels.

    Returns:
        descriptors [B, N, 128], row by row, and places [N, 2], the row and the column of the windows' middles
        in pixels.

    Raises:
        ValueError: images of another shape or smaller than a window, or a number below 1.
    """
    require_positive("cell", cell)
    require_positive("step", step)
    require_images(images, 1, "take one channel")
    window = CELLS * cell
    if min(images.shape[2:]) < window:
        raise ValueError(
            f"expected images of at least {window} x {window} pixels, got {list(images.shape)}; "
            "take smaller cells"
        )
    rows, columns = (
        torch.arange(0, side - window + 1, step, device=images.device) + (window - 1) / 2
        for side in images.shape[2:]
    )
    places = torch.cartesian_prod(rows, columns).view(-1, 2)
    return describe(images, rows, columns, cell).flatten(1, 2), places
