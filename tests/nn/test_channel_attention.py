"""Squeeze-and-excitation against the paper's equations in a loop, and against torchvision."""

import math

import pytest
import torch
from torch import nn
from torchvision.ops import SqueezeExcitation as Theirs

from dlbook.nn.channel_attention import SqueezeExcitation


def naive(layer, x):
    """Equations (2)-(4), one number at a time; ReLU between."""
    w1, b1 = layer.reduce.weight.flatten(1).tolist(), layer.reduce.bias.tolist()
    w2, b2 = layer.expand.weight.flatten(1).tolist(), layer.expand.bias.tolist()
    out = torch.empty_like(x)
    for b in range(x.shape[0]):
        z = [sum(sum(row) for row in channel) / (x.shape[2] * x.shape[3]) for channel in x[b].tolist()]
        hidden = [max(0.0, sum(w * v for w, v in zip(row, z)) + bias) for row, bias in zip(w1, b1)]
        for c, (row, bias) in enumerate(zip(w2, b2)):
            out[b, c] = x[b, c] / (1 + math.exp(-sum(w * v for w, v in zip(row, hidden)) - bias))
    return out


def test_equals_the_equations():
    torch.manual_seed(0)
    layer, x = SqueezeExcitation(6, 2).double(), torch.randn(2, 6, 3, 5, dtype=torch.float64)
    torch.testing.assert_close(layer(x), naive(layer, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
def test_equals_torchvision(activation):
    torch.manual_seed(0)
    ours, theirs = SqueezeExcitation(8, 3, activation).double(), Theirs(8, 3, activation=activation).double()
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values())))
    x = torch.randn(2, 8, 5, 3, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("channels, squeeze", [(0, 1), (4, 0), (4, 1.5)])
def test_refuses(channels, squeeze):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        SqueezeExcitation(channels, squeeze)
