"""Convolution of images, written out twice: as seven loops, and as a matrix product of gathered windows
(im2col).

What deep learning calls convolution is a cross-correlation: the kernel is not flipped. For x [B, C, H, W], a
weight [O, C/G, kh, kw], stride s, padding p, dilation d and G groups (Dumoulin & Visin, arXiv:1603.07285, for
the arithmetic)::

    y[b, o, i, j] = bias[o] + sum over c, u, v of
                    weight[o, c, u, v] * x[b, first + c, i s - p + u d, j s - p + v d]
    first         = (o // (O/G)) * (C/G)          output channel o sees the channels of its own group only
    H'            = floor((H + 2 p - d (kh - 1) - 1) / s) + 1                                  x is 0 outside

G = C is a depthwise convolution: one kernel a channel. A 1 x 1 kernel is a pointwise one: a linear layer at
each pixel. A third form, the explicit sparse matrix, and its transpose stand in `conv_matrix`.

These forms are for reading. The models use torch.nn.functional.conv2d, to which the tests prove them equal.

>>> import torch
>>> step = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]])
>>> difference = torch.tensor([[[[-1.0, 1.0]]]])
>>> conv2d(step, difference).tolist(), convolve2d(step, difference).tolist()    # flipping turns the sign here
([[[[0.0, 1.0, 0.0]]]], [[[[0.0, -1.0, 0.0]]]])
"""

import torch
from torch import Tensor

Pair = int | tuple[int, int]  # one number for both axes, or (vertical, horizontal)


def pair(value: Pair) -> tuple[int, int]:
    """Return one number for both axes as two, and two as they are."""
    return (value, value) if isinstance(value, int) else value


def require_geometry(kernel_size: int, stride: int, padding: int, dilation: int) -> None:
    """Raise ValueError unless the numbers of one axis describe windows."""
    if min(kernel_size, stride, dilation) < 1 or padding < 0:
        raise ValueError(
            "expected kernel_size, stride and dilation of at least 1 and padding of at least 0, got "
            f"{kernel_size}, {stride}, {dilation} and {padding}; 1, 1, 1 and 0 change nothing"
        )


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Count the windows along one axis: floor((size + 2 padding - dilation (kernel_size - 1) - 1) / stride) +
    1.

    Raises:
        ValueError: if not even one window fits, or a number is too small.
    """
    require_geometry(kernel_size, stride, padding, dilation)
    span = dilation * (kernel_size - 1) + 1  # pixels from the first to the last tap
    if size + 2 * padding < span:
        raise ValueError(
            f"expected a window of at most {size} + 2 * {padding} pixels, got a kernel of {kernel_size} with "
            f"dilation {dilation}, which spans {span} pixels; use a smaller kernel or more padding"
        )
    return (size + 2 * padding - span) // stride + 1


def same_padding(size: int, kernel_size: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Return the zeros before and after an axis so that ceil(size / stride) windows fit: TensorFlow's "same".

    At stride 1 the size stays, and this is torch's padding="same". An odd number puts its odd zero after. At
    stride 2 an even size with an odd kernel gets one zero fewer before than after, so a net with "same" and
    one with padding = kernel_size // 2 look at different pixels, though all their shapes agree.
    """
    require_geometry(kernel_size, stride, 0, dilation)
    windows_wanted = -(-size // stride)
    total = max((windows_wanted - 1) * stride + dilation * (kernel_size - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def pad_image(x: Tensor, kernel_size: Pair, stride: Pair, padding: Pair | str, dilation: Pair) -> Tensor:
    """Surround the maps of x [B, C, H, W] with zeros: `padding` of them, or "same" as in `same_padding`."""
    if padding == "same":
        geometry = zip(x.shape[2:], pair(kernel_size), pair(stride), pair(dilation), strict=True)
        (top, bottom), (left, right) = (same_padding(*axis) for axis in geometry)
    else:
        if isinstance(padding, str) or min(pair(padding)) < 0:
            raise ValueError(f'expected padding of at least 0 or "same", got {padding!r}; give 0 for none')
        top, left = bottom, right = pair(padding)
    padded = x.new_zeros(*x.shape[:2], top + x.shape[2] + bottom, left + x.shape[3] + right)
    padded[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
    return padded


def im2col(
    x: Tensor, kernel_size: Pair, stride: Pair = 1, padding: Pair | str = 0, dilation: Pair = 1
) -> Tensor:
    """Gather the windows of x [B, C, H, W] as columns, in the order of torch's ``unfold``.

    Each pixel is copied up to kh kw times: the price of turning the convolution into a matrix product.

    Returns:
        [B, C kh kw, H' W'].
    """
    (kh, kw), (sh, sw), (dh, dw) = pair(kernel_size), pair(stride), pair(dilation)
    padded = pad_image(x, kernel_size, stride, padding, dilation)
    height, width = output_size(padded.shape[2], kh, sh, 0, dh), output_size(padded.shape[3], kw, sw, 0, dw)
    taps = []
    for u in range(kh):
        for v in range(kw):  # the pixel under tap (u, v), for all windows at once
            rows = padded[:, :, u * dh : u * dh + (height - 1) * sh + 1 : sh]
            taps.append(rows[..., v * dw : v * dw + (width - 1) * sw + 1 : sw])
    columns = torch.stack(taps, 2)  # [B, C, kh kw, H', W']
    return columns.flatten(3).flatten(1, 2)


def require_fitting(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    """Raise ValueError unless x [B, C, H, W], weight [O, C / groups, kh, kw], bias [O] and groups fit
    together.
    """
    shapes = f"x {list(x.shape)} and weight {list(weight.shape)} with groups={groups}"
    if x.ndim != 4 or weight.ndim != 4 or groups < 1:
        raise ValueError(
            f"expected x [B, C, H, W] and weight [O, C/groups, kh, kw], got {shapes}; add the axes"
        )
    if x.shape[1] != groups * weight.shape[1]:
        raise ValueError(
            f"expected x with {groups * weight.shape[1]} channels, got {shapes}; give the weight the "
            "channels of x, divided by groups"
        )
    if weight.shape[0] % groups:
        raise ValueError(f"expected groups to divide the output channels, got {shapes}; choose a divisor")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(
            f"expected bias [{weight.shape[0]}], got {list(bias.shape)}; give one number an output channel"
        )


def conv2d_loops(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Compute the equation at the top number by number: the definition, slow and without gradients.

    Arguments, result and errors as in `conv2d`.
    """
    require_fitting(x, weight, bias, groups)
    (sh, sw), (dh, dw) = pair(stride), pair(dilation)
    out_channels, group_channels, kh, kw = weight.shape
    padded = pad_image(x, (kh, kw), stride, padding, dilation)
    height, width = output_size(padded.shape[2], kh, sh, 0, dh), output_size(padded.shape[3], kw, sw, 0, dw)
    y = x.new_zeros(len(x), out_channels, height, width)
    pixels, taps = padded.tolist(), weight.tolist()  # plain numbers are faster to index than tensors
    for b in range(len(x)):
        for o in range(out_channels):
            first = o // (out_channels // groups) * group_channels  # first input channel of o's group
            for i in range(height):
                for j in range(width):
                    total = 0.0 if bias is None else float(bias[o])
                    for c in range(group_channels):
                        for u in range(kh):
                            for v in range(kw):
                                pixel = pixels[b][first + c][i * sh + u * dh][j * sw + v * dw]
                                total += taps[o][c][u][v] * pixel
                    y[b, o, i, j] = total
    return y


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Compute the cross-correlation by im2col: windows as columns, times kernels as rows, group by group.

    Args:
        x: [B, C, H, W].
        weight: [O, C / groups, kh, kw].
        bias: [O] or None.
        stride: at least 1, for both axes or (vertical, horizontal).
        padding: at least 0, likewise, or "same".
        dilation: at least 1, likewise.
        groups: a divisor of C and O.

    Returns:
        [B, O, H', W'].

    Raises:
        ValueError: if the shapes and groups do not fit together, no window fits, or a number is too small.
    """
    require_fitting(x, weight, bias, groups)
    out_channels, group_channels, kh, kw = weight.shape
    seen = group_channels * kh * kw  # numbers that one window sees
    columns = im2col(x, (kh, kw), stride, padding, dilation)  # [B, G seen, H' W']
    columns = columns.unflatten(1, (groups, seen))
    rows = weight.reshape(groups, out_channels // groups, seen)
    padded = pad_image(x[:1, :1], (kh, kw), stride, padding, dilation)
    axes = zip(padded.shape[2:], (kh, kw), pair(stride), (0, 0), pair(dilation))
    y = (rows @ columns).reshape(len(x), out_channels, *(output_size(*axis) for axis in axes))
    return y if bias is None else y + bias[:, None, None]


def convolve2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Compute the convolution of mathematics: the kernel turned by 180 degrees, then `conv2d`.

    Turning makes it commutative and associative, and a product of Fourier transforms. A layer whose weights
    are learnt learns them turned if it needs to, so deep learning leaves it out. Arguments as in `conv2d`.
    """
    return conv2d(x, weight.flip(2, 3), bias, stride, padding, dilation, groups)


def conv1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """Compute `conv2d` of sequences: x [B, C, W] as maps of height 1, weight [O, C / groups, kw] -> [B, O,
    W'].
    """
    if x.ndim != 3 or weight.ndim != 3:
        raise ValueError(
            f"expected x [B, C, W] and weight [O, C/groups, kw], got {list(x.shape)} and "
            f"{list(weight.shape)}; add the axes that are missing"
        )
    pads = padding if padding == "same" else (0, padding)
    return conv2d(x[:, :, None], weight[:, :, None], bias, (1, stride), pads, (1, dilation), groups)[:, :, 0]


def depthwise_separable(
    x: Tensor,
    depthwise: Tensor,
    pointwise: Tensor,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
) -> Tensor:
    """Convolve each channel with its own kernel, then mix the channels by a 1 x 1 convolution.

    Howard et al., arXiv:1704.04861, section 3.1. It equals the convolution with the full weight
    pointwise[o, c] * depthwise[c], for 1/O + 1/(kh kw) of its multiply-accumulates.

    Args:
        x: [B, C, H, W].
        depthwise: [C, 1, kh, kw].
        pointwise: [O, C, 1, 1].
        stride: of the depthwise convolution; so padding and dilation.
        padding: see `conv2d`.
        dilation: see `conv2d`.

    Returns:
        [B, O, H', W'].

    Raises:
        ValueError: if the shapes do not fit together.
    """
    if depthwise.ndim != 4 or depthwise.shape[:2] != (x.shape[1], 1):
        raise ValueError(
            f"expected depthwise [{x.shape[1]}, 1, kh, kw], got {list(depthwise.shape)}; one kernel a channel"
        )
    if pointwise.ndim != 4 or pointwise.shape[2:] != (1, 1):
        raise ValueError(
            f"expected pointwise [O, {x.shape[1]}, 1, 1], got {list(pointwise.shape)}; it mixes channels only"
        )
    return conv2d(conv2d(x, depthwise, None, stride, padding, dilation, groups=x.shape[1]), pointwise)


def multiply_accumulates(
    in_channels: int, out_channels: int, kernel_size: Pair, out_size: Pair, groups: int = 1
) -> int:
    """Count the multiply-accumulates of one image: H' W' O (C/G) kh kw; padded zeros count, as is usual.

    Raises:
        ValueError: unless the groups divide both numbers of channels.
    """
    (kh, kw), (height, width) = pair(kernel_size), pair(out_size)
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise ValueError(
            f"expected groups to divide the channels, got groups={groups}, {in_channels} in and "
            f"{out_channels} out; choose a common divisor"
        )
    return height * width * out_channels * (in_channels // groups) * kh * kw
