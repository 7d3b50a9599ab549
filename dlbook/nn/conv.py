r"""Convolution of images, written out twice: as seven loops, and as one matrix product of gathered windows
(im2col).

What deep learning calls convolution is a cross-correlation: the kernel is not flipped. For x [B, C, H, W], a
weight [O, C/G, kh, kw], stride s, padding p, dilation d and G groups (Dumoulin & Visin, arXiv 1603.07285, for
the arithmetic)::

    y[b, o, i, j] = bias[o] + sum over c, u, v of  weight[o, c, u, v] * x[b, first + c, i s - p + u d, j s - p
    + v d]
    first         = (o // (O/G)) * (C/G)              output channel o sees the channels of its own group only
    H'            = floor((H + 2 p - d (kh - 1) - 1) / s) + 1                                          x is 0 outside

G = C is a depthwise convolution: one kernel a channel. A 1 x 1 kernel is a pointwise one: a linear layer at
each pixel. A third form, the explicit sparse matrix, and its transpose stand in ``dlbook.nn.conv_matrix``.

These forms are for reading. The models use ``torch.nn.functional.conv2d``, to which the tests prove them
equal.

>>> import torch
>>> step = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]])
>>> difference = torch.tensor([[[[-1.0, 1.0]]]])
>>> conv2d(step, difference).tolist(), convolve2d(step, difference).tolist()          # flipping turns the sign here
([[[[0.0, 1.0, 0.0]]]], [[[[0.0, -1.0, 0.0]]]])
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from dlbook.checks import require_positive

Pair = int | tuple[int, int]  # one number for both axes, or (vertical, horizontal)
Padding = Pair | Literal["same"]


def pair(name: str, value: Pair, least: int = 1) -> tuple[int, int]:
    """`value` for both axes, or as it is; raises ValueError unless both are whole numbers of at least
    `least`.
    """
    both = (value, value) if isinstance(value, int) else tuple(value)
    if len(both) != 2 or any(not isinstance(v, int) or isinstance(v, bool) or v < least for v in both):
        raise ValueError(
            f"expected {name} to be one or two whole numbers >= {least}, got {value!r}; give (vertical, horizontal)"
        )
    return both


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Number of windows along one axis: floor((size + 2 padding - dilation (kernel_size - 1) - 1) / stride) +
    1.

    Raises ValueError if not even one window fits.
    """
    span = dilation * (kernel_size - 1) + 1  # pixels from the first to the last tap
    if size + 2 * padding < span:
        raise ValueError(
            f"a kernel of {kernel_size} with dilation {dilation} spans {span} pixels, but there are "
            f"{size} + 2 * {padding}; "
            "use a smaller kernel or more padding"
        )
    return (size + 2 * padding - span) // stride + 1


def same_padding(size: int, kernel_size: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Zeros before and after an axis so that ceil(size / stride) windows fit: the "same" of TensorFlow.

    At stride 1 the size stays, and this is torch's padding="same". An odd number puts its odd zero after. At
    stride 2 an even size with an odd kernel gets one zero fewer before than after, so a net with "same" and
    one with padding = kernel_size // 2 look at different pixels, though all their shapes agree.
    """
    windows_wanted = -(-size // stride)
    total = max((windows_wanted - 1) * stride + dilation * (kernel_size - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def pad_image(
    x: Tensor, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair, fill: float = 0.0
) -> Tensor:
    """Surround the maps of x [B, C, H, W] with `padding` pixels of value `fill`; "same" as in `same_padding`."""
    if padding == "same":
        geometry = zip(
            x.shape[2:], pair("kernel_size", kernel_size), pair("stride", stride), pair("dilation", dilation)
        )
        (top, bottom), (left, right) = (same_padding(*axis) for axis in geometry)
    else:
        top, left = bottom, right = pair("padding", padding, least=0)
    return F.pad(x, (left, right, top, bottom), value=fill)


def windows(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    fill: float = 0.0,
) -> Tensor:
    """All windows of x [B, C, H, W]: [B, C, H', W', kh, kw], a view without copies (of the padded x).

    Raises ValueError for x of other than 4 axes, sizes below 1, a negative padding, or a window larger than
    the image.
    """
    if x.ndim != 4:
        raise ValueError(f"x must be [B, C, H, W], got {list(x.shape)}; add the axes that are missing")
    (kh, kw), (sh, sw), (dh, dw) = (
        pair("kernel_size", kernel_size),
        pair("stride", stride),
        pair("dilation", dilation),
    )
    x = pad_image(x, (kh, kw), (sh, sw), padding, (dh, dw), fill)
    for axis in ((x.shape[2], kh, sh, 0, dh), (x.shape[3], kw, sw, 0, dw)):
        output_size(*axis)  # raises if a window does not fit
    spans = x.unfold(2, dh * (kh - 1) + 1, sh).unfold(3, dw * (kw - 1) + 1, sw)  # [B, C, H', W', span, span]
    return spans[..., ::dh, ::dw]  # of each span only every d-th pixel is a tap


def im2col(
    x: Tensor, kernel_size: Pair, stride: Pair = 1, padding: Padding = 0, dilation: Pair = 1
) -> Tensor:
    """The windows of x [B, C, H, W] as columns: [B, C kh kw, H' W'], in the order of torch's ``unfold``.

    Here the pixels are copied, each up to kh kw times: the price of turning the convolution into a matrix
        product.
    """
    patches = windows(x, kernel_size, stride, padding, dilation).permute(
        0, 1, 4, 5, 2, 3
    )  # [B, C, kh, kw, H', W']
    return patches.flatten(4).flatten(1, 3)


def require_fitting(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    """Raise ValueError unless x [B, C, H, W], weight [O, C / groups, kh, kw], bias [O] and groups fit
    together.
    """
    require_positive("groups", groups)
    if x.ndim != 4 or weight.ndim != 4:
        raise ValueError(
            f"x must be [B, C, H, W] and weight [O, C/groups, kh, kw], got {list(x.shape)} and "
            f"{list(weight.shape)}"
        )
    if x.shape[1] != groups * weight.shape[1]:
        raise ValueError(
            f"weight {list(weight.shape)} with groups={groups} takes {groups * weight.shape[1]} "
            f"channels, x has {x.shape[1]}"
        )
    if weight.shape[0] % groups:
        raise ValueError(
            f"groups must divide the output channels, got groups={groups} and weight {list(weight.shape)}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(
            f"bias must be [{weight.shape[0]}], one number an output channel, got {list(bias.shape)}"
        )


def conv2d_loops(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """The equation at the top, number by number: the definition, slow and without gradients. Shapes as in
    `conv2d`.
    """
    require_fitting(x, weight, bias, groups)
    (sh, sw), (dh, dw) = pair("stride", stride), pair("dilation", dilation)
    padded = pad_image(x, weight.shape[2:], stride, padding, dilation)
    size = [
        output_size(n, k, s, 0, d)
        for n, k, s, d in zip(padded.shape[2:], weight.shape[2:], (sh, sw), (dh, dw))
    ]
    out_channels, group_channels, kh, kw = weight.shape
    y = x.new_zeros(len(x), out_channels, *size)
    pixels, taps = padded.tolist(), weight.tolist()  # plain numbers are faster to index than tensors
    for b in range(len(x)):
        for o in range(out_channels):
            first = o // (out_channels // groups) * group_channels  # first input channel of o's group
            for i in range(size[0]):
                for j in range(size[1]):
                    total = 0.0 if bias is None else float(bias[o])
                    for c in range(group_channels):
                        for u in range(kh):
                            for v in range(kw):
                                total += (
                                    taps[o][c][u][v] * pixels[b][first + c][i * sh + u * dh][j * sw + v * dw]
                                )
                    y[b, o, i, j] = total
    return y


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation by im2col: gather the windows as columns, multiply by the kernels as rows, group by
    group.

    x: [B, C, H, W].  weight: [O, C / groups, kh, kw].  bias: [O] or None.  stride, dilation: at least 1;
    padding: at least 0 or "same"; each for both axes or (vertical, horizontal).  Returns [B, O, H', W'].
    Raises ValueError if they do not fit.
    """
    require_fitting(x, weight, bias, groups)
    patches = windows(x, tuple(weight.shape[2:]), stride, padding, dilation)  # [B, C, H', W', kh, kw]
    size = patches.shape[2:4]
    columns = patches.permute(0, 1, 4, 5, 2, 3).reshape(
        len(x), groups, -1, size[0] * size[1]
    )  # [B, G, C/G kh kw, H' W']
    rows = weight.reshape(groups, weight.shape[0] // groups, -1)  # [G, O/G, C/G kh kw]
    y = (rows @ columns).reshape(len(x), weight.shape[0], *size)
    return y if bias is None else y + bias[:, None, None]


def convolve2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution as mathematics has it: the kernel turned by 180 degrees, then `conv2d`. Arguments as there.

    Turning makes it commutative and associative, and a product of Fourier transforms. A layer whose weights
    are learnt learns them turned if it needs to, so deep learning leaves it out.
    """
    return conv2d(x, weight.flip(2, 3), bias, stride, padding, dilation, groups)


def conv1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int | Literal["same"] = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """`conv2d` of sequences: x [B, C, W] as maps of height 1, weight [O, C / groups, kw]; returns [B, O, W']."""
    if x.ndim != 3 or weight.ndim != 3:
        raise ValueError(
            f"x must be [B, C, W] and weight [O, C/groups, kw], got {list(x.shape)} and {list(weight.shape)}"
        )
    pads = padding if padding == "same" else (0, padding)
    return conv2d(x[:, :, None], weight[:, :, None], bias, (1, stride), pads, (1, dilation), groups)[:, :, 0]


def depthwise_separable(
    x: Tensor,
    depthwise: Tensor,
    pointwise: Tensor,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
) -> Tensor:
    """One kernel a channel, then a 1 x 1 convolution that mixes the channels (Howard et al., arXiv
    1704.04861, section 3.1).

    depthwise: [C, 1, kh, kw].  pointwise: [O, C, 1, 1].  It equals the convolution with the full weight
    pointwise[o, c] * depthwise[c], for 1/O + 1/(kh kw) of its multiply-accumulates.
    """
    if depthwise.ndim != 4 or depthwise.shape[:2] != (x.shape[1], 1):
        raise ValueError(
            f"depthwise must be [{x.shape[1]}, 1, kh, kw], one kernel a channel, got {list(depthwise.shape)}"
        )
    if pointwise.ndim != 4 or pointwise.shape[2:] != (1, 1):
        raise ValueError(f"pointwise must be [O, {x.shape[1]}, 1, 1], got {list(pointwise.shape)}")
    return conv2d(conv2d(x, depthwise, None, stride, padding, dilation, groups=x.shape[1]), pointwise)


def multiply_accumulates(
    in_channels: int, out_channels: int, kernel_size: Pair, out_size: Pair, groups: int = 1
) -> int:
    """Multiply-accumulates of one image: H' W' O (C/G) kh kw; padded zeros count, as is usual.

    Raises ValueError unless the groups divide both numbers of channels.
    """
    (kh, kw), (height, width) = pair("kernel_size", kernel_size), pair("out_size", out_size)
    require_positive("groups", groups)
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"groups must divide the channels, got groups={groups}, {in_channels} in and {out_channels} out"
        )
    return height * width * out_channels * (in_channels // groups) * kh * kw
