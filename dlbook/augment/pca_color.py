"""AlexNet's colour augmentation: Krizhevsky, Sutskever & Hinton 2012, *ImageNet Classification with Deep
CNNs*, section 4.1.

::

    lambda_i, p_i: eigenvalues and eigenvectors of the 3x3 covariance of the RGB values of all training pixels
    alpha_i ~ N(0, 0.1), drawn once for each image, each time it is used
    to each of its pixels add  [p_1 p_2 p_3] [alpha_1 lambda_1, alpha_2 lambda_2, alpha_3 lambda_3]^T

A whole image is thus shifted by one colour, mostly along the axis on which the colours of natural images vary
most: brightness. The paper says that this lowers the top-1 error by over 1 %. It is no noise from pixel to
pixel, and no jitter of brightness and contrast.

Departures from the paper

1. An eigenvalue is a variance, so its unit depends on the range of the values; the paper does not say which
   one. Here values are in [0, 1]; with 0 to 255 the same formula would shift 255 times as far.
2. The result is clamped to [0, 1].

>>> images = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
>>> shifted = pca_color(images, torch.Generator().manual_seed(1), color_components(images), sigma=0.0)
>>> bool((shifted == images).all())
True
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from dlbook.augment.values import require_values

__all__ = ["ColorComponents", "color_components", "pca_color"]


class ColorComponents(NamedTuple):
    """Holds the principal components of the colours of a data set, the largest first.

    Attributes:
        eigenvalues: variances [3].
        eigenvectors: [3, 3], in columns.
    """

    eigenvalues: Tensor
    eigenvectors: Tensor


def color_components(images: Tensor) -> ColorComponents:
    """Compute the principal components of the pixels of images `[N, 3, H, W]`, in double precision.

    Raises:
        ValueError: other images, or fewer than two pixels.
    """
    require_values(images, (3,))
    pixels = images.movedim(1, 0).flatten(1).double()  # [3, NHW]
    if pixels.shape[1] < 2:
        raise ValueError(
            f"expected at least two pixels, got {pixels.shape[1]}; give many training images at once"
        )
    eigenvalues, eigenvectors = torch.linalg.eigh(torch.cov(pixels))  # ascending
    return ColorComponents(eigenvalues.flip(0), eigenvectors.flip(1))


def pca_color(
    images: Tensor,
    generator: Generator | None = None,
    components: ColorComponents | None = None,
    sigma: float = 0.1,
) -> Tensor:
    """Shift the colour of each image along the components.

    Args:
        images: `[B, 3, H, W]` in [0, 1].
        components: of the training images; None takes those of this batch.
        sigma: standard deviation of alpha, >= 0; 0.1 in the paper.

    Raises:
        ValueError: other images, or a negative sigma.
    """
    require_values(images, (3,))
    if sigma < 0:
        raise ValueError(f"expected sigma >= 0, got {sigma}; the paper has 0.1")
    eigenvalues, eigenvectors = (part.to(images) for part in components or color_components(images))
    alpha = sigma * torch.randn(
        (len(images), 3), generator=generator, device=images.device, dtype=images.dtype
    )
    shift = ((alpha * eigenvalues)[:, None] * eigenvectors).sum(dim=2)  # [B, 3]
    return (images + shift[:, :, None, None]).clamp_(0, 1)
