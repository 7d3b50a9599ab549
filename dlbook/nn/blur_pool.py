r"""Blur pool: subsampling that does not alias, by a small binomial blur before it.

Zhang, "Making Convolutional Networks Shift-Invariant Again" (ICML 2019, arXiv:1904.11486), section 3. Max
pooling with stride s is two steps in one: a maximum at *every* place, which moves along with the picture, and
then every s-th of them, which does not. The paper puts a blur between the two::

    max pooling     y = subsample(max(x))
    max blur pool   y = subsample(blur(max(x)))            section 3.2, MaxBlurPool
    strided conv    y = subsample(blur(relu(conv(x))))     ConvBlurPool: conv with stride 1, then BlurPool2d
    average         y = subsample(blur(x))                 BlurPool

The blur of size m has the binomial weights (m - 1 over k) / 2^(m - 1) along the rows and along the columns.
It is m - 1 times the mean of two neighbours, so a wave of omega radians per pixel keeps
cos(omega / 2)^(m - 1) of its size: all of a constant, nothing of stripes one pixel wide. The paper calls
m = 2, 3, 5 Rect-2, Tri-3 and Bin-5; m = 1 is plain subsampling. No weight is learnt.

Departures from the paper

1. `padding_mode` "circular" joins opposite borders, in the maximum too. Then a picture that is shifted
   around has nothing new at its border, and what changes is due to the subsampling alone.
2. The paper's code has "zero" too; it pulls the border to zero, and is left out.

>>> import torch
>>> stripes = torch.tensor([1.0, 0.0]).repeat(4).expand(1, 1, 8, 8)
>>> BlurPool2d(1)(stripes).unique().tolist(), BlurPool2d(1)(stripes.roll(1, 3)).unique().tolist()
([1.0], [0.0])
>>> BlurPool2d(3)(stripes).unique().tolist(), BlurPool2d(3)(stripes.roll(1, 3)).unique().tolist()
([0.5], [0.5])
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import require_one_of, require_positive, require_shape

SIZES = (1, 2, 3, 4, 5, 6, 7)  # of the authors' code
PADDINGS = ("reflect", "replicate", "circular")


def binomial_filter(size: int) -> Tensor:
    """Return the weights (size - 1 over k) / 2^(size - 1), which sum to one.

    Args:
        size: number of weights, 1 to 7.

    Returns:
        float64 [size].

    Raises:
        ValueError: for another size.
    """
    require_positive("filter_size", size, "4 is usual")
    require_one_of("filter_size", size, SIZES)
    return torch.tensor([math.comb(size - 1, k) for k in range(size)], dtype=torch.float64) / 2 ** (size - 1)


class BlurPool2d(nn.Module):
    """Blur every map, keep every `stride`-th value: [B, C, H, W] -> [B, C, H', W'], H' = ceil(H / stride).

    Args:
        filter_size: of the binomial blur, 1 to 7 (4 is the default of the authors' code).
        stride: of the subsampling, at least 1.
        padding_mode: how the border is continued, "reflect" as in the paper, "replicate" or "circular"; with
            an even filter the extra pixel is on the right and below.

    Raises:
        ValueError: for another size, stride or mode; in the forward pass for other than 4 axes, for whole
            numbers, and for maps with too few pixels to continue the border.
    """

    def __init__(self, filter_size: int = 4, stride: int = 2, padding_mode: str = "reflect") -> None:
        super().__init__()
        require_one_of("padding_mode", padding_mode, PADDINGS)
        require_positive("stride", stride, "2 halves height and width")
        self.stride, self.padding_mode = stride, padding_mode
        self.register_buffer("weights", binomial_filter(filter_size), persistent=False)  # no parameter

    def forward(self, x: Tensor) -> Tensor:
        self._require_room(x)
        size, channels = len(self.weights), x.shape[1]
        before, after = (size - 1) // 2, size // 2
        x = F.pad(x, (before, after, before, after), mode=self.padding_mode)
        weights = torch.outer(self.weights, self.weights).to(x.dtype).expand(channels, 1, size, size)
        return F.conv2d(x, weights, stride=self.stride, groups=channels)  # each channel on its own

    def _require_room(self, x: Tensor) -> None:
        """Raise ValueError unless x is [B, C, H, W] in floating point and large enough to be continued."""
        require_shape("x", x, ("B", "C", "H", "W"), "add the axes that are missing")
        if not x.is_floating_point():  # the weights would be rounded to whole numbers, all of them to 0
            raise ValueError(f"expected x in floating point, got {x.dtype}; convert it by x.float()")
        size = len(self.weights)
        # a mirror does not repeat the border pixel itself, so it needs one pixel more than going round
        least = {"reflect": size // 2 + 1, "circular": size // 2, "replicate": 1}[self.padding_mode]
        if min(x.shape[2:]) < least:
            raise ValueError(
                f"expected maps of at least {least} pixels, got {x.shape[2]} x {x.shape[3]}; a filter of "
                f"{size} needs as many to continue the border; use a smaller one"
            )

    def extra_repr(self) -> str:
        return f"filter_size={len(self.weights)}, stride={self.stride}, padding_mode={self.padding_mode!r}"


class MaxBlurPool2d(nn.Module):
    """The largest of each window at every place, then a blur pool: [B, C, H, W] -> [B, C, H', W'].

    With a window of 2 and stride 2, H' = H // 2, as max pooling has it; with "circular", where the maximum
    goes round the border too, H' = ceil(H / 2).

    Args:
        kernel_size: side of the window, at least 1.
        stride, filter_size, padding_mode: as in `BlurPool2d`. The maximum is not padded, unless
            "circular".

    Raises:
        ValueError: as in `BlurPool2d`; a kernel below 1, or larger than the map.
    """

    def __init__(
        self, kernel_size: int = 2, stride: int = 2, filter_size: int = 4, padding_mode: str = "reflect"
    ) -> None:
        super().__init__()
        require_positive("kernel_size", kernel_size, "2 is usual")
        self.kernel_size = kernel_size
        self.blur = BlurPool2d(filter_size, stride, padding_mode)

    def forward(self, x: Tensor) -> Tensor:
        self._require_window(x)
        if self.blur.padding_mode == "circular":
            x = F.pad(x, (0, self.kernel_size - 1, 0, self.kernel_size - 1), mode="circular")
        return self.blur(F.max_pool2d(x, self.kernel_size, stride=1))

    def _require_window(self, x: Tensor) -> None:
        """Raise ValueError unless x is [B, C, H, W] and not smaller than the window."""
        require_shape("x", x, ("B", "C", "H", "W"), "add the axes that are missing")
        if min(x.shape[2:]) < self.kernel_size:
            raise ValueError(
                f"expected maps of at least {self.kernel_size} pixels, got {x.shape[2]} x {x.shape[3]}; "
                "use a smaller kernel_size"
            )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}"
