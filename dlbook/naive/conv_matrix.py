r"""Convolution is a linear map: here is its matrix, and the transpose of that matrix, the transposed
convolution.

Written out for flattened images, ``conv2d(x).flatten() = A x.flatten()``. Row (o, i, j) of A holds the kernel
of output channel o at the place of the window (i, j); everywhere else A is 0. For one channel and stride 1, A
is Toeplitz in blocks: constant along its diagonals, because the kernel is the same at every place. Three
things are read off it at once:

* sparsity and sharing: O C H' W' kh kw / G of the O C H W H' W' entries, and only O C kh kw / G different
  values;
* the gradient with respect to x is A^T times the gradient with respect to y;
* the transposed convolution is A^T itself (Dumoulin & Visin, arXiv:1603.07285, chapter 4). It undoes the
  *shape* of the convolution with the same arguments, not its values: A^T A is not the identity.

>>> import torch
>>> convolution_matrix(torch.tensor([[[[1.0, 2.0]]]]), (1, 4)).to_dense().tolist()
[[1.0, 2.0, 0.0, 0.0], [0.0, 1.0, 2.0, 0.0], [0.0, 0.0, 1.0, 2.0]]
"""

import torch
from torch import Tensor

from dlbook.naive.conv import Pair, output_size, pad_image, pair, require_fitting


def convolution_matrix(
    weight: Tensor,
    size: tuple[int, int],
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Build the matrix of the convolution with `weight` [O, C/G, kh, kw] on maps of `size` (H, W).

    It is sparse, [O H' W', C H W], and its values carry gradients to `weight`.

    Raises:
        ValueError: a window does not fit, or the groups do not divide O.
    """
    if groups < 1 or weight.ndim != 4 or weight.shape[0] % groups:
        raise ValueError(
            f"expected weight [O, C/groups, kh, kw] with O a multiple of groups={groups}, got "
            f"{list(weight.shape)}; choose groups that divide O"
        )
    (height, width), (sh, sw), (ph, pw), (dh, dw) = size, pair(stride), pair(padding), pair(dilation)
    out_channels, group_channels, kh, kw = weight.shape
    out_height, out_width = output_size(height, kh, sh, ph, dh), output_size(width, kw, sw, pw, dw)

    # One entry for each output channel o, place (i, j), channel c of the group and tap (u, v).
    axes = (out_channels, out_height, out_width, group_channels, kh, kw)
    o, i, j, c, u, v = torch.meshgrid(*(torch.arange(n, device=weight.device) for n in axes), indexing="ij")
    row_of_pixel, column_of_pixel = i * sh - ph + u * dh, j * sw - pw + v * dw
    channel = o // (out_channels // groups) * group_channels + c
    inside = (
        (row_of_pixel >= 0) & (row_of_pixel < height) & (column_of_pixel >= 0) & (column_of_pixel < width)
    )  # a tap on padding has no entry

    rows = (o * out_height + i) * out_width + j
    columns = (channel * height + row_of_pixel) * width + column_of_pixel
    values = weight[:, None, None].expand(axes)
    shape = (out_channels * out_height * out_width, groups * group_channels * height * width)
    return torch.sparse_coo_tensor(
        torch.stack([rows[inside], columns[inside]]), values[inside], shape, check_invariants=True
    )


def conv2d_by_matrix(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """A x for each flattened image; arguments and result as in `conv.conv2d`."""
    require_fitting(x, weight, bias, groups)
    if padding == "same":
        x, padding = pad_image(x, tuple(weight.shape[2:]), stride, padding, dilation), 0
    matrix = convolution_matrix(weight, tuple(x.shape[2:]), stride, padding, dilation, groups)
    strides, pads, dilations = pair(stride), pair(padding), pair(dilation)
    size = [output_size(*axis) for axis in zip(x.shape[2:], weight.shape[2:], strides, pads, dilations)]
    y = torch.sparse.mm(matrix, x.flatten(1).T).T.reshape(len(x), weight.shape[0], *size)
    return y if bias is None else y + bias[:, None, None]


def transposed_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """An input size for which the convolution gives `size`: (size - 1) stride - 2 padding + dilation
    (kernel_size - 1) + 1.

    With stride s, s neighbouring sizes give the same output size; output_padding, 0 to s - 1, says which of
    them is meant.
    """
    if not 0 <= output_padding < stride:
        raise ValueError(
            f"expected output_padding in [0, {stride}), below the stride, got {output_padding}; it "
            "only resolves the rounding of the stride"
        )
    return (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + 1 + output_padding


def conv_transpose2d(
    y: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Tensor:
    """A^T y: y [B, O, H', W'] -> [B, C, H, W], for the A of ``conv2d`` with the same weight [O, C / groups,
    kh, kw].

    O is the number of channels that come in, here. Order of the arguments as in torch.

    Args:
        bias: [C] or None.

    Raises:
        ValueError: the shapes do not fit.
    """
    if y.ndim != 4 or weight.ndim != 4 or y.shape[1] != weight.shape[0]:
        raise ValueError(
            f"expected y [B, O, H', W'] for weight [O, C/groups, kh, kw], got {list(y.shape)} and "
            f"{list(weight.shape)}; match O"
        )
    strides, pads, dilations = pair(stride), pair(padding), pair(dilation)
    extras = pair(output_padding)
    size = tuple(
        transposed_size(*axis)
        for axis in zip(y.shape[2:], weight.shape[2:], strides, pads, extras, dilations)
    )
    if min(size) < 1:
        raise ValueError(
            f"expected a map of at least one pixel, got {list(size)} with padding {padding}; use less padding"
        )
    matrix = convolution_matrix(weight, size, stride, padding, dilation, groups)
    x = torch.sparse.mm(matrix.t(), y.flatten(1).T).T.reshape(len(y), groups * weight.shape[1], *size)
    return x if bias is None else x + bias[:, None, None]
