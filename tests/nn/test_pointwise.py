"""The 1 x 1 convolution of the CPU against the linear layer of every other device."""

import torch
from torch.nn import functional as F

from dlbook.nn.pointwise import Pointwise


def test_the_convolution_on_the_cpu_is_the_linear_layer():
    torch.manual_seed(0)
    layer, x = Pointwise(6, 5).double(), torch.randn(2, 3, 4, 6, dtype=torch.float64)
    assert (
        layer(x).shape == (2, 3, 4, 5)
        and (layer(x) - F.linear(x, layer.weight, layer.bias)).abs().max() < 1e-14
    )


def test_a_transposed_weight_is_caught():
    layer, x = Pointwise(5, 5).double(), torch.randn(2, 3, 4, 5, dtype=torch.float64)
    assert (layer(x) - F.linear(x, layer.weight.T, layer.bias)).abs().max() > 1e-3
