"""The windows of a map, for pooling: how many there are, and all of them as one view.

A window of k elements with dilation d spans d (k - 1) + 1 pixels; with stride s there are

    floor((size + 2 padding - d (k - 1) - 1) / s) + 1

of them along an axis (Dumoulin & Visin, arXiv:1603.07285).

>>> output_size(7, kernel_size=3, stride=2, padding=1)
4
"""

from torch import Tensor

from dlbook.checks import require_shape

Pair = int | tuple[int, int]  # one number for both axes, or (vertical, horizontal)


def pair(name: str, value: Pair, least: int = 1) -> tuple[int, int]:
    """Return one number for both axes as two, and two as they are.

    Args:
        name: the argument's name, for the error.
        value: a whole number, or (vertical, horizontal).
        least: the smallest number that is allowed.

    Returns:
        (vertical, horizontal).

    Raises:
        ValueError: unless both are whole numbers of at least `least`.
    """
    both = (value, value) if isinstance(value, int) else tuple(value)
    if len(both) != 2 or any(not isinstance(v, int) or isinstance(v, bool) or v < least for v in both):
        raise ValueError(
            f"expected {name} to be one or two whole numbers >= {least}, got {value!r}; "
            "give one number for both axes, or (vertical, horizontal)"
        )
    return both


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Count the windows along one axis.

    Args:
        size: length of the axis, in pixels.
        kernel_size: taps of a window.
        stride: pixels from one window to the next.
        padding: pixels added on each side.
        dilation: pixels from one tap to the next.

    Returns:
        The number of windows, at least 1.

    Raises:
        ValueError: if not even one window fits.
    """
    span = dilation * (kernel_size - 1) + 1  # pixels from the first to the last tap
    if size + 2 * padding < span:
        raise ValueError(
            f"expected a window of at most {size} + 2 * {padding} pixels, got a kernel of {kernel_size} with "
            f"dilation {dilation}, which spans {span} pixels; use a smaller kernel or more padding"
        )
    return (size + 2 * padding - span) // stride + 1


def windows(x: Tensor, kernel_size: Pair, stride: Pair = 1, dilation: Pair = 1) -> Tensor:
    """Show all windows of a map as a view: no pixel is copied.

    Args:
        x: [B, C, H, W], already padded.
        kernel_size: taps of a window, kh and kw.
        stride: pixels from one window to the next.
        dilation: pixels from one tap to the next.

    Returns:
        [B, C, H', W', kh, kw].

    Raises:
        ValueError: for x of other than 4 axes, sizes below 1, or a window larger than the map.
    """
    require_shape("x", x, ("B", "C", "H", "W"), "add the axes that are missing")
    (kh, kw), (sh, sw) = pair("kernel_size", kernel_size), pair("stride", stride)
    dh, dw = pair("dilation", dilation)
    for axis in ((x.shape[2], kh, sh, 0, dh), (x.shape[3], kw, sw, 0, dw)):
        output_size(*axis)  # raises if a window does not fit
    spans = x.unfold(2, dh * (kh - 1) + 1, sh).unfold(3, dw * (kw - 1) + 1, sw)  # [B, C, H', W', span, span]
    return spans[..., ::dh, ::dw]  # of each span only every d-th pixel is a tap
