"""Histograms of oriented gradients: a picture as the directions of its edges, cell by cell.

Dalal, Triggs, "Histograms of Oriented Gradients for Human Detection" (CVPR 2005).

The descriptor in five lines::

    down, right = differences of the two neighbours of each pixel, above and below, left and right
    length, angle = polar form of (right, down); the angle modulo 180 degrees
    histogram[cell, bin] = mean of the length over the cell's pixels whose angle lies in the bin
    block = 2 x 2 cells side by side: divide by its length, cut off at 0.2, divide by its length again
    descriptor = all blocks; neighbouring blocks overlap, so an inner cell is in four of them

Departures from the paper

1. A pixel votes for one bin of one cell. In the paper it shares its vote between the two nearest bins and the
   four nearest cells, and votes far from the block's middle count less (a Gaussian of 8 pixels). This is the
   form of scikit-image, against which the tests hold every number.
2. No square root of the pixel values comes first; whoever wants it takes it of the images.
3. A pixel at the picture's border has no vote along the missing neighbour's axis, as in scikit-image.

>>> edge = torch.zeros(1, 1, 16, 16)
>>> edge[..., 8:] = 1  # dark to the left, light to the right: the gradient points to the right, bin 0
>>> cell_histograms(edge)[0, 0, 0].nonzero().flatten().tolist()
[0]
>>> hog(edge).shape  # one block: 2 x 2 cells x 9 orientations
torch.Size([1, 36])
"""

import torch
from torch import Tensor

from dlbook.checks import require_images, require_positive
from dlbook.nn.windows import Pair, pair

EPSILON = 1e-5  # under the lengths of blocks, so that an empty block stays empty
LIMIT = 0.2  # the largest share that one bin keeps of its block's length


def gradients(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return how the pixel values change downwards and to the right, in the channel that changes most.

    The change is the difference of the two neighbours, not halved. Along an axis on which a neighbour is
    missing it is 0.

    Args:
        images: floating-point [B, C, H, W].

    Returns:
        down, right: each [B, H, W], of the channel with the longest gradient at each pixel.

    Raises:
        ValueError: images of another shape or type.
    """
    require_images(images)
    down, right = torch.zeros_like(images), torch.zeros_like(images)
    down[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    right[..., 1:-1] = images[..., 2:] - images[..., :-2]
    if images.shape[1] == 1:
        return down[:, 0], right[:, 0]
    strongest = torch.hypot(down, right).argmax(1, keepdim=True)
    return down.gather(1, strongest)[:, 0], right.gather(1, strongest)[:, 0]


def cell_histograms(images: Tensor, orientations: int = 9, cell: Pair = 8) -> Tensor:
    """Return how strong the gradients of each direction are in each cell.

    Args:
        images: floating-point [B, C, H, W]. Rows and columns beyond the last whole cell do not vote.
        orientations: number of bins between 0 and 180 degrees; bin 0 begins at a gradient to the right, and
            the angle grows as the gradient turns downwards.
        cell: height and width in pixels; one number for a square.

    Returns:
        [B, H // height, W // width, orientations]: the gradient lengths of a cell's pixels, summed bin by
        bin and divided by the number of pixels.

    Raises:
        ValueError: images of another shape or smaller than a cell, or a number below 1.
    """
    require_positive("orientations", orientations)
    height, width = pair("cell", cell)
    down, right = gradients(images)
    rows, columns = down.shape[1] // height, down.shape[2] // width
    if min(rows, columns) == 0:
        raise ValueError(
            f"expected images of at least one cell, {height} x {width}, got {list(images.shape)}; "
            "take smaller cells"
        )
    angle = torch.rad2deg(torch.atan2(down, right)) % 180
    edges = torch.arange(1, orientations, dtype=angle.dtype, device=angle.device) * (180 / orientations)
    bins = torch.bucketize(angle.contiguous(), edges, right=True)
    bins[angle == 180] = 0  # what rounding left of an angle just below 0

    def by_cell(each: Tensor) -> Tensor:
        """Gather the pixels [B, H, W] of each cell: [B, rows, columns, height * width]."""
        whole = each[:, : rows * height, : columns * width].unflatten(2, (columns, width))
        return whole.unflatten(1, (rows, height)).transpose(2, 3).flatten(3)

    empty = torch.zeros(len(images), rows, columns, orientations, dtype=angle.dtype, device=angle.device)
    return empty.scatter_add(3, by_cell(bins), by_cell(torch.hypot(down, right))) / (height * width)


def normalize_blocks(histograms: Tensor, block: Pair = 2) -> Tensor:
    """Return overlapping blocks of cells, each of length 1 with no entry far above the others (L2-Hys).

    Args:
        histograms: [B, R, C, orientations], from `cell_histograms`.
        block: height and width in cells; one number for a square.

    Returns:
        [B, R - height + 1, C - width + 1, height, width, orientations].

    Raises:
        ValueError: fewer cells than a block has, or a number below 1.
    """
    height, width = pair("block", block)
    if histograms.shape[1] < height or histograms.shape[2] < width:
        raise ValueError(
            f"expected at least {height} x {width} cells, got {list(histograms.shape[1:3])}; "
            "take smaller cells or blocks"
        )
    blocks = histograms.unfold(1, height, 1).unfold(2, width, 1).permute(0, 1, 2, 4, 5, 3)
    return _unit(_unit(blocks).clamp(max=LIMIT))


def hog(
    images: Tensor,
    orientations: int = 9,
    cell: Pair = 8,
    block: Pair = 2,
) -> Tensor:
    """Describe images by their histograms of oriented gradients.

    Args:
        images: floating-point [B, C, H, W], in any range; a common factor of all pixels changes nothing as
            long as blocks are much longer than `EPSILON`.
        orientations: number of bins between 0 and 180 degrees.
        cell: height and width in pixels; one number for a square.
        block: height and width in cells; one number for a square.

    Returns:
        [B, D], entries from 0 to 1: all blocks row by row, in each the cells row by row, in each the bins.

    Raises:
        ValueError: images of another shape or smaller than a block, or a number below 1.
    """
    return normalize_blocks(cell_histograms(images, orientations, cell), block).flatten(1)


def _unit(blocks: Tensor) -> Tensor:
    """Divide each block [..., height, width, orientations] by its length."""
    return blocks / (blocks.square().sum((-3, -2, -1), keepdim=True) + EPSILON**2).sqrt()
