r"""Pooling: max, average, global and adaptive pooling, written out over the windows of a map.

A window R of a map gives max or mean of its values; neighbouring windows start `stride` pixels apart. They
overlap when the stride is below the window, as the 3x3 with stride 2 of AlexNet (Krizhevsky et al. 2012,
section 3.4). Three traps:

1. The padding of max pooling is -inf, not 0: a window of negative values at the border has a negative
   maximum.
2. ``ceil_mode`` rounds the number of windows up, so that the last may hang over the edge; a window that would
   start beyond the image and its left padding is left out. The overhang is never a value, and never counted
   in a mean.
3. ``count_include_pad`` asks whether the zeros of the padding count in a mean. torch says yes by default:
   means at the border are pulled to 0. TensorFlow says no.

Adaptive pooling goes the other way: it fixes the number of bins n, and the bin i of an axis of size N is
floor(i N / n) .. ceil((i + 1) N / n). Where n does not divide N, neighbouring bins may share a pixel and
differ in size. Global pooling is one bin (Lin, Chen, Yan, "Network in Network", arXiv:1312.4400, section
3.2).

The mixed and gated forms stand in ``pooling_mixed``, stochastic pooling in ``pooling_stochastic``.

>>> import torch
>>> row = torch.tensor([[[[-3.0, -1.0, -2.0, -4.0]]]])
>>> max_pool2d(row, (1, 3), stride=(1, 2), padding=(0, 1)).tolist()
[[[[-1.0, -1.0]]]]
>>> adaptive_bins(7, 3)
[(0, 3), (2, 5), (4, 7)]
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from dlbook.checks import require_shape
from dlbook.nn.windows import Pair, output_size, pair, windows


def pooled_size(
    size: int, kernel_size: int, stride: int, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    """Return the number of windows along one axis; with ceil_mode also a last one that hangs over, if it
    starts before size + padding.

    `size + padding` counts from the first padded pixel, so such a window holds at least one pixel of the
    image.

    Raises:
        ValueError: if the padding is above half the kernel (a window could then see padding only) or none
            fits.
    """
    if padding > kernel_size // 2:
        raise ValueError(
            f"expected padding <= {kernel_size // 2}, half the kernel of {kernel_size}, got {padding}; "
            "a window could see padding only"
        )
    span = dilation * (kernel_size - 1) + 1
    count = -(-(size + 2 * padding - span) // stride) + 1  # rounded up
    if not ceil_mode or count < 1:
        return output_size(size, kernel_size, stride, padding, dilation)
    return count - 1 if (count - 1) * stride >= size + padding else count


def pooling_windows(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair | None,
    padding: Pair,
    fill: float,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    overhang: float | None = None,
) -> Tensor:
    """Return the windows [B, C, H', W', kh, kw] of x [B, C, H, W]; `fill` is the padding's value, `overhang`
    (default: fill) ceil_mode's.

    stride None is the kernel's size: windows side by side.

    Raises:
        ValueError: where `pooled_size` or ``windows.windows`` raise it.
    """
    require_shape("x", x, ("B", "C", "H", "W"), "add the axes that are missing")
    kernel, dilations, pads = (
        pair("kernel_size", kernel_size),
        pair("dilation", dilation),
        pair("padding", padding, least=0),
    )
    strides = kernel if stride is None else pair("stride", stride)
    padded = F.pad(x, (pads[1], pads[1], pads[0], pads[0]), value=fill)
    extra = []
    for size, k, s, p, d in zip(x.shape[2:], kernel, strides, pads, dilations, strict=True):
        count = pooled_size(size, k, s, p, d, ceil_mode)
        extra.append(
            max((count - 1) * s + d * (k - 1) + 1 - size - 2 * p, 0)
        )  # pixels of the last window beyond the padding
    padded = F.pad(padded, (0, extra[1], 0, extra[0]), value=fill if overhang is None else overhang)
    return windows(padded, kernel, strides, dilations)


def max_pool2d(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest value of each window: [B, C, H, W] -> [B, C, H', W'].

    The gradient goes to that value alone, to the first in reading order if several are equal, and adds up
    where windows overlap. `amax` would share it among equals, and after a ReLU many zeros are equal.

    Raises:
        ValueError: for whole numbers that have to be padded, and where `pooling_windows` raises it.
    """
    if not x.is_floating_point() and (padding not in (0, (0, 0)) or ceil_mode):
        raise ValueError(
            f"expected x in floating point, got {x.dtype}; the padding is minus infinity, which no whole "
            "number is; convert it by x.float()"
        )
    patches = pooling_windows(x, kernel_size, stride, padding, -math.inf, dilation, ceil_mode)
    return patches.flatten(4).max(-1).values


def avg_pool2d(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window: [B, C, H, W] -> [B, C, H', W'].

    Args:
        count_include_pad: whether zeros of the padding count.
    """
    total = pooling_windows(x, kernel_size, stride, padding, 0.0, 1, ceil_mode).sum((-2, -1))
    ones = x.new_ones(1, 1, *x.shape[2:])
    counted = pooling_windows(
        ones, kernel_size, stride, padding, float(count_include_pad), 1, ceil_mode, overhang=0.0
    )
    return total / counted.sum((-2, -1))


def global_avg_pool2d(x: Tensor) -> Tensor:
    """Return the mean of each map: [B, C, H, W] -> [B, C, 1, 1]. The sum over places forgets them: it is
    invariant to cyclic shifts.
    """
    return x.mean((2, 3), keepdim=True)


def global_max_pool2d(x: Tensor) -> Tensor:
    """Return the largest value of each map: [B, C, H, W] -> [B, C, 1, 1]; the gradient goes to the first of
    equals.
    """
    return x.flatten(2).max(-1).values[:, :, None, None]


def adaptive_bins(size: int, bins: int) -> list[tuple[int, int]]:
    """Return (start, end) of each of `bins` bins over an axis: floor(i size / bins), ceil((i + 1) size /
    bins).
    """
    return [(i * size // bins, -(-(i + 1) * size // bins)) for i in range(bins)]


def adaptive_avg_pool2d(x: Tensor, output_size: Pair) -> Tensor:
    """Return the mean of each bin: [B, C, H, W] -> [B, C, h, w] for output_size h or (h, w), at least 1.

    A mean of means of rows of equal length, so the axes can go one after the other.
    """
    (h, w), (height, width) = pair("output_size", output_size), x.shape[2:]
    x = torch.stack([x[..., start:end].mean(3) for start, end in adaptive_bins(width, w)], 3)  # [B, C, H, w]
    return torch.stack(
        [x[:, :, start:end].mean(2) for start, end in adaptive_bins(height, h)], 2
    )  # [B, C, h, w]


def adaptive_max_pool2d(x: Tensor, output_size: Pair) -> Tensor:
    """Return the largest value of each bin: [B, C, H, W] -> [B, C, h, w]; gradient to the first of equals, in
    reading order.
    """
    (h, w), (height, width) = pair("output_size", output_size), x.shape[2:]
    x = torch.stack(
        [x[..., start:end].max(3).values for start, end in adaptive_bins(width, w)], 3
    )  # [B, C, H, w]
    return torch.stack(
        [x[:, :, start:end].max(2).values for start, end in adaptive_bins(height, h)], 2
    )  # [B, C, h, w]
