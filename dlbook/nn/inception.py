"""The Inception block, figure 2 of Szegedy et al., "Going Deeper with Convolutions" (arXiv:1409.4842):
filters of several sizes side by side, their maps concatenated.

Figure 2a is the naive form. Figure 2b, which GoogLeNet has, puts a 1x1 convolution before each wide filter,
which then sees fewer maps. In block 3a the 5x5 filters and their reduction have 15,872 weights instead of
153,600.

>>> block = Inception(192, Widths(64, 96, 128, 16, 32, 32))  # block 3a of GoogLeNet
>>> tuple(block(torch.rand(2, 192, 28, 28)).shape)
(2, 256, 28, 28)
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import require_positive


class Widths(NamedTuple):
    """Channels inside one Inception block, in the columns of Table 1; `out` is what the concatenation has."""

    one: int
    reduce3: int
    three: int
    reduce5: int
    five: int
    project: int

    @property
    def out(self) -> int:
        return self.one + self.three + self.five + self.project


class ConvReLU(nn.Module):
    """Convolution and ReLU, between them BN or nothing: [B, C_in, H, W] -> [B, C_out, ceil(H/stride),
    ceil(W/stride)].
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, batch_norm: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=not batch_norm
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001) if batch_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


class NaiveInception(nn.Module):
    """Figure 2a: 1x1, 3x3, 5x5 and max pooling side by side: [B, C, H, W] -> [B, one + three + five + C, H,
    W].

    Nothing is reduced, so the pooled branch alone hands on all C channels, and the 5x5 filters see them all.

    Raises:
        ValueError: unless every width is at least 1.
    """

    def __init__(self, in_channels: int, one: int, three: int, five: int) -> None:
        super().__init__()
        for name, value in (("in_channels", in_channels), ("one", one), ("three", three), ("five", five)):
            require_positive(name, value)
        self.branch1 = ConvReLU(in_channels, one, 1)
        self.branch2 = ConvReLU(in_channels, three, 3)
        self.branch3 = ConvReLU(in_channels, five, 5)
        self.branch4 = nn.MaxPool2d(3, stride=1, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class Inception(nn.Module):
    """Figure 2b, with reductions: four branches, concatenated: [B, C, H, W] -> [B, widths.out, H, W].

    Args:
        in_channels: C.
        widths: a row of `TABLE` or your own six numbers.
        batch_norm, kernel_size: departure 5; `kernel_size` is the third branch's filter, 5 in the paper.

    Raises:
        ValueError: a width is below 1.
    """

    def __init__(
        self, in_channels: int, widths: Widths, batch_norm: bool = False, kernel_size: int = 5
    ) -> None:
        super().__init__()
        require_positive("in_channels", in_channels)
        widths = Widths(*widths)
        for name, value in widths._asdict().items():
            require_positive(name, value)

        def conv(channels: int, width: int, kernel: int) -> ConvReLU:
            return ConvReLU(channels, width, kernel, batch_norm=batch_norm)

        self.branch1 = conv(in_channels, widths.one, 1)
        reduce3, reduce5 = conv(in_channels, widths.reduce3, 1), conv(in_channels, widths.reduce5, 1)
        self.branch2 = nn.Sequential(reduce3, conv(widths.reduce3, widths.three, 3))
        self.branch3 = nn.Sequential(reduce5, conv(widths.reduce5, widths.five, kernel_size))
        max_pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.branch4 = nn.Sequential(max_pool, conv(in_channels, widths.project, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)
