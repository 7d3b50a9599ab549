r"""Mixed and gated max-average pooling: pooling that is learnt.

Lee, Gallagher, Tu, "Generalizing Pooling Functions in Convolutional Neural Networks: Mixed, Gated, and Tree"
(AISTATS 2016, arXiv:1509.08985), section 3. For the values x of a window, a vector::

    mixed   f(x) = a max(x) + (1 - a) mean(x)                         a in [0, 1], one number a layer
    gated   f(x) = s max(x) + (1 - s) mean(x),   s = sigmoid(w . x)   w of the window's size, one mask a layer

The mixed form has settled its proportion when training ends; the gated one chooses it anew for each window
("responsive"). Both hold max pooling and average pooling as limits. The paper counts 1 and, for 3x3 windows,
9 parameters a layer.

Departures from the paper

1. a is the sigmoid of the parameter, which keeps it in [0, 1] under any optimizer; d f / d a = max(x) -
   mean(x) as there.
2. Both start at proportion 1/2 (parameters 0), and the proportion is one a layer: the paper also tries one a
   channel, a region, or both.
3. The paper's tree pooling is left out.

>>> import torch
>>> MixedPool2d(2)(torch.tensor([[[[0.0, 1.0], [2.0, 5.0]]]])).item()            # (5 + 2) / 2
3.5
"""

import torch
from torch import Tensor, nn

from dlbook.nn.pooling import avg_pool2d, max_pool2d, pooling_windows
from dlbook.nn.windows import Pair, pair


class MixedPool2d(nn.Module):
    """a max + (1 - a) mean of each window with one learnt proportion a: [B, C, H, W] -> [B, C, H', W'].

    Args:
        kernel_size, stride (None: the kernel's size), padding: as in ``pooling.max_pool2d``; padded zeros
            count in the mean. `logit` is the parameter, a = sigmoid(logit).

    Raises:
        ValueError: for sizes below 1.
    """

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> None:
        super().__init__()
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair("stride", stride)
        self.padding = pair("padding", padding, least=0)
        self.logit = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        proportion = torch.sigmoid(self.logit)
        largest = max_pool2d(x, self.kernel_size, self.stride, self.padding)
        mean = avg_pool2d(x, self.kernel_size, self.stride, self.padding)
        return proportion * largest + (1 - proportion) * mean

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class GatedPool2d(nn.Module):
    """s max + (1 - s) mean, s = sigmoid(weight . window), for each window: [B, C, H, W] -> [B, C, H', W'].

    Arguments as for `MixedPool2d`; `weight` [kh, kw] is shared by all channels and places.
    """

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> None:
        super().__init__()
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair("stride", stride)
        self.padding = pair("padding", padding, least=0)
        self.weight = nn.Parameter(torch.zeros(self.kernel_size))

    def forward(self, x: Tensor) -> Tensor:
        patches = pooling_windows(
            x, self.kernel_size, self.stride, self.padding, 0.0
        )  # [B, C, H', W', kh, kw]
        gate = torch.sigmoid((patches * self.weight).sum((-2, -1)))  # [B, C, H', W']
        largest = max_pool2d(x, self.kernel_size, self.stride, self.padding)
        mean = avg_pool2d(x, self.kernel_size, self.stride, self.padding)
        return gate * largest + (1 - gate) * mean

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
