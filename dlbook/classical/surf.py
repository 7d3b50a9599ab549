"""SURF's detector: where a picture has a blob, found with sums of boxes.

Bay, Ess, Tuytelaars, Van Gool, "Speeded-Up Robust Features (SURF)" (Computer Vision and Image Understanding
110, 2008), section 3. The integral image: Viola, Jones, "Rapid Object Detection using a Boosted Cascade of
Simple Features" (CVPR 2001).

In four lines::

    integral[r, c] = sum of all pixels above and to the left of (r, c), itself included
    sum of any box = integral at lower right - upper right - lower left + upper left  # 4 numbers, any size
    yy, xx, xy     = second derivatives of a Gaussian, each as lobes of whole numbers
    blob           = yy * xx - (0.9 xy)^2  # large where the picture bends both ways

The kernel of 9 x 9 pixels stands for a Gaussian of sigma 1.2, larger ones for 1.2 * size / 9. The lobes of a
kernel are size / 3 long, `l` below: the three of yy lie above each other, l high and 2 l - 1 wide, with
weights 1, -2 and 1; the four of xy lie around the middle, l x l, with weights 1 and -1. Each response is
divided by size^2.

Departures from the paper

1. Only the detector's responses: no search for their maxima over place and size, no descriptor.
2. Pixels outside the picture count 0, so responses near the border see an edge that is not there.

>>> spot = torch.zeros(1, 1, 21, 21)
>>> spot[..., 9:12, 9:12] = 1
>>> divmod(hessian_determinant(spot).argmax().item(), 21)
(10, 10)
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from dlbook.checks import require_images

BALANCE = 0.9  # of the mixed derivative, by which boxes differ from Gaussians


def integral_image(images: Tensor) -> Tensor:
    """Sum all pixels above and to the left of each, itself included.

    Args:
        images: floating-point [B, 1, H, W]. Sums of many pixels lose digits in float32; take float64
            for large pictures.

    Returns:
        [B, H, W].

    Raises:
        ValueError: images of another shape or type.
    """
    require_images(images, 1, "take one channel")
    return images[:, 0].cumsum(1).cumsum(2)


def box_sums(integral: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """Sum a box around each pixel, with four numbers of the integral image.

    Args:
        integral: [B, H, W], from `integral_image`.
        top, left: where the box begins, in pixels from the pixel; negative: above and to the left of it.
        height, width: of the box in pixels.

    Returns:
        [B, H, W]; the part of a box that lies outside the picture counts 0.
    """
    _, rows, columns = integral.shape
    padded = F.pad(integral, (1, 0, 1, 0))  # sums of nothing: row and column 0

    def until(below: int, right: int) -> Tensor:
        """Return the sum of all pixels that lie before a place, given from each pixel."""
        row = (torch.arange(rows, device=integral.device) + below).clamp(0, rows)
        column = (torch.arange(columns, device=integral.device) + right).clamp(0, columns)
        return padded[:, row[:, None], column]

    bottom, right = top + height, left + width
    return until(bottom, right) - until(top, right) - until(bottom, left) + until(top, left)


def box_hessian(images: Tensor, size: int = 9) -> tuple[Tensor, Tensor, Tensor]:
    """Return the second derivatives of a blurred picture, with boxes in the place of Gaussians.

    Args:
        images: floating-point [B, 1, H, W].
        size: side of the kernels: 9, 15, 21 and so on, an odd multiple of 3 (each third needs a middle row).

    Returns:
        down_down, right_right, down_right: each [B, H, W]. A dark spot on light ground has positive ones.

    Raises:
        ValueError: images of another shape or type, or a size that is not 9, 15, 21, ...
    """
    if not isinstance(size, int) or size < 9 or size % 6 != 3:
        raise ValueError(f"expected a size of 9, 15, 21, 27, ..., got {size!r}; its third must be odd")
    integral = integral_image(images)
    lobe, half = size // 3, size // 2
    thin = 2 * lobe - 1  # the other side of the lobes of yy and xx

    def both(top: int, left: int, height: int, width: int) -> Tensor:
        return box_sums(integral, top, left, height, width) / size**2

    down_down = both(-half, 1 - lobe, size, thin) - 3 * both(-(lobe // 2), 1 - lobe, lobe, thin)
    right_right = both(1 - lobe, -half, thin, size) - 3 * both(1 - lobe, -(lobe // 2), thin, lobe)
    same = both(-lobe, -lobe, lobe, lobe) + both(1, 1, lobe, lobe)
    other = both(-lobe, 1, lobe, lobe) + both(1, -lobe, lobe, lobe)
    return down_down, right_right, same - other


def hessian_determinant(images: Tensor, size: int = 9) -> Tensor:
    """Return how much each place is a blob of the size of the kernels, light or dark.

    Args:
        images: floating-point [B, 1, H, W].
        size: side of the kernels: 9, 15, 21 and so on; sigma = 1.2 * size / 9.

    Returns:
        [B, H, W]: above 0 where the picture bends the same way along rows and columns, below 0 at saddles.

    Raises:
        ValueError: images of another shape or type, or a size that is not 9, 15, 21, ...
    """
    down_down, right_right, down_right = box_hessian(images, size)
    return down_down * right_right - (BALANCE * down_right) ** 2
