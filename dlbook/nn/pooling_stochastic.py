r"""Stochastic pooling: a window gives one of its activations, drawn with a probability proportional to its
size.

Zeiler, Fergus, "Stochastic Pooling for Regularization of Deep Convolutional Neural Networks"
(arXiv:1301.3557), section 3. For the activations a_i >= 0 of a window (after a ReLU)::

    p_i = a_i / sum_k a_k                                                   equation (4)
    training     s = a_l,   l drawn from p                                  equation (5)
    evaluation   s = sum_i p_i a_i  =  sum a_i^2 / sum a_i                  equation (6), the mean of training

A zero is never drawn while something else is active. Two frequent mistakes: a softmax for p, which draws
zeros, and a plain average in evaluation, which is smaller than the mean of training.

How to draw without a loop: let each activation wait for an exponential time of rate a_i; the first to ring is
l. For independent exponential times P(first = l) = a_l / sum a, and the division by the sum is never done.

Departures from the paper

1. A window without activation has no p. Here it gives 0.
2. Values below 0 count as 0: they are never drawn, and weigh nothing.
3. Padded zeros are never drawn either, so windows at the border draw from the image alone.

>>> import torch
>>> window = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
>>> pool = StochasticPool2d(2).eval()
>>> round(pool(window).item(), 4)                                                  # (0 + 1 + 4 + 9) / 6
2.3333
"""

import math

import torch
from torch import Tensor, nn

from dlbook.nn.pooling import pooling_windows
from dlbook.nn.windows import Pair, pair


def stochastic_draw(activations: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return one activation of each window, drawn with p_i = a_i / sum a: [..., n] -> [...]; a window of
    zeros gives 0.
    """
    activations = activations.clamp(min=0)
    with torch.no_grad():
        rate = activations.to(torch.promote_types(activations.dtype, torch.float32))
        waiting = torch.empty_like(rate).exponential_(generator=generator) / rate
        first = torch.where(rate > 0, waiting, math.inf).argmin(-1, keepdim=True)
    return activations.gather(-1, first).squeeze(-1)


def stochastic_mean(activations: Tensor) -> Tensor:
    """Return sum a^2 / sum a of each window, the expectation of the draw: [..., n] -> [...]; a window of
    zeros gives 0.
    """
    activations = activations.clamp(min=0)
    total = activations.sum(-1, keepdim=True)
    probabilities = activations / torch.where(total > 0, total, 1.0)  # all 0 in a window of zeros
    return (probabilities * activations).sum(-1)


class StochasticPool2d(nn.Module):
    """Stochastic pooling in training, its expectation in evaluation: [B, C, H, W] -> [B, C, H', W'].

    Args:
        kernel_size, stride (None: the kernel's size), padding: as in ``pooling.max_pool2d``.

    Raises:
        ValueError: for sizes below 1.
    """

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> None:
        super().__init__()
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair("stride", stride)
        self.padding = pair("padding", padding, least=0)

    def forward(self, x: Tensor) -> Tensor:
        activations = pooling_windows(x, self.kernel_size, self.stride, self.padding, 0.0).flatten(
            4
        )  # [B, C, H', W', kh kw]
        return stochastic_draw(activations) if self.training else stochastic_mean(activations)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
