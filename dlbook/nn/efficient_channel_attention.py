"""Efficient channel attention: a gate for each channel from the means of its k neighbours.

Wang, Wu, Zhu, Li, Zuo, Hu, "ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks"
(arXiv:1910.03151), equations (7), (9) and (12)::

    z = mean over H, W of x                                        [B, C]
    s = sigmoid(convolution of z along the channels, k weights)    [B, C]; the same k weights for all, no bias
    y = s * x                                                      [B, C, H, W]
    k = the odd number next to log2(C) / gamma + b / gamma, with gamma = 2 and b = 1

Where squeeze-and-excitation needs 2 C^2 / r weights, this needs k: 3 to 7 in a ResNet. At the ends of the
channel axis the neighbours that do not exist count as zeros.

Departure from the paper: equation (12) says "nearest odd"; here, as in the authors' code, the number is cut
to an integer and, if that is even, 1 is added. From 16 to 2,048 channels (powers of two) that gives 3, 3, 3,
5, 5, 5, 5, 7.

>>> [adaptive_kernel_size(channels) for channels in (64, 256, 2048)]
[3, 5, 7]
"""

import math

import torch
from torch import Tensor, nn

from dlbook.checks import require_positive


def adaptive_kernel_size(channels: int, gamma: float = 2.0, b: float = 1.0) -> int:
    """Equation (12): the odd k for C = `channels`.

    Raises:
        ValueError: unless channels is at least 1 and gamma positive.
    """
    require_positive("channels", channels)
    if not gamma > 0:
        raise ValueError(f"expected gamma > 0, got {gamma!r}; the paper has 2")
    whole = int(abs((math.log2(channels) + b) / gamma))
    return whole if whole % 2 else whole + 1


class EfficientChannelAttention(nn.Module):
    """Gate each channel by a convolution over the channels' means: [B, C, H, W] -> the same shape.

    Args:
        channels: C.
        kernel_size: k, odd; None for equation (12).

    Raises:
        ValueError: for a channel number below 1 or an even kernel.
    """

    def __init__(self, channels: int, kernel_size: int | None = None) -> None:
        super().__init__()
        kernel_size = adaptive_kernel_size(channels) if kernel_size is None else kernel_size
        require_positive("channels", channels)
        require_positive("kernel_size", kernel_size)
        if kernel_size % 2 == 0:
            raise ValueError(
                f"expected an odd kernel_size, got {kernel_size}; an even one has no middle channel"
            )
        self.conv = nn.Conv1d(1, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        squeezed = x.mean(dim=(2, 3)).unsqueeze(
            1
        )  # [B, 1, C]: the channels are the axis that the convolution runs along
        gate = torch.sigmoid(self.conv(squeezed)).transpose(1, 2).unsqueeze(3)  # [B, C, 1, 1]
        return x * gate
