"""The effective receptive field: how much each input pixel moves the middle of the output, not only whether.

The theoretical field (`receptive_field.py`) says which pixels can reach an output element; most of them reach
it by few paths and hardly move it. Luo et al. 2016 ("Understanding the effective receptive field in deep
convolutional neural networks", NeurIPS, section 2) measure the gradient. With independent random weights of
mean 0, the expected square of that gradient is the convolution of one box a layer, so variances add::

    variance along an axis = sum over layers of  (k^2 - 1) / 12 * (dilation * jump)^2

n layers of 3 x 3 at stride 1 have the standard deviation sqrt(2 n / 3); the theoretical side is 2 n + 1.

>>> from torch import nn
>>> layers = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1))
>>> field = effective_field(layers, torch.zeros(1, 1, 9, 9))
>>> field.shape, int((field > 0).sum()), round(predicted_spread([3, 3]) ** 2, 3)
(torch.Size([9, 9]), 25, 1.333)
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dlbook.checks import require


def effective_field(network: nn.Module, images: Tensor) -> Tensor:
    """Measure the mean square of the gradient that the middle of the output sends to each input pixel.

    Every output channel is asked on its own; the mean is over them, the images and the input channels.

    Args:
        network: images [B, C, H, W] -> maps [B, K, H', W'].
        images: [B, C, H, W], at which the gradient is taken.

    Returns:
        [H, W], not negative, not normalised.

    Raises:
        ValueError: images or an output that are no maps.
    """
    require(images.ndim == 4, "images [B, C, H, W]", list(images.shape), "add the axes that are missing")
    images = images.detach().requires_grad_()
    maps = network(images)
    require(maps.ndim == 4, "an output [B, K, H, W]", list(maps.shape), "leave out the layers after the maps")
    middle = maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2]
    total = torch.zeros(images.shape[2:], device=images.device)
    for channel in range(maps.shape[1]):
        last = channel == maps.shape[1] - 1
        (gradient,) = torch.autograd.grad(middle[:, channel].sum(), images, retain_graph=not last)
        total += gradient.square().mean((0, 1))
    return total / maps.shape[1]


def spread(field: Tensor) -> tuple[float, float]:
    """Return the standard deviation of a field [H, W], taken as a density, down and to the right, in pixels.

    Raises:
        ValueError: a field that is zero everywhere, or has negative values.
    """
    require(field.ndim == 2, "a field [H, W]", list(field.shape), "give one map")
    good = bool((field >= 0).all()) and float(field.sum()) > 0
    require(good, "a field that is not negative and not zero", field.min().item(), "square the gradient")
    density = field.double() / field.double().sum()
    deviations = []
    for axis in (0, 1):
        along = density.sum(1 - axis)
        places = torch.arange(len(along), dtype=along.dtype, device=along.device)
        mean = (along * places).sum()
        deviations.append(math.sqrt((along * (places - mean).square()).sum().item()))
    return deviations[0], deviations[1]


def predicted_spread(
    kernels: Sequence[int], strides: Sequence[int] | None = None, dilations: Sequence[int] | None = None
) -> float:
    """Predict the standard deviation for independent random weights: the equation at the top.

    Args:
        kernels: kernel size of each layer, first layer first.
        strides: of each layer; None: 1.
        dilations: of each layer; None: 1.

    Raises:
        ValueError: lists of different lengths.
    """
    ones = [1] * len(kernels)
    strides, dilations = strides or ones, dilations or ones
    require(
        len(kernels) == len(strides) == len(dilations),
        "one stride and one dilation a layer",
        f"{len(kernels)} kernels, {len(strides)} strides and {len(dilations)} dilations",
        "make the lists equally long",
    )
    variance, jump = 0.0, 1
    for k, s, d in zip(kernels, strides, dilations, strict=True):
        variance += (k * k - 1) / 12 * (d * jump) ** 2
        jump *= s
    return math.sqrt(variance)
