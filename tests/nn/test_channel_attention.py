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


@pytest.mark.parametrize(
    "activation, gate", [(nn.ReLU, nn.Sigmoid), (nn.SiLU, nn.Sigmoid), (nn.ReLU, nn.Hardsigmoid)]
)
def test_equals_torchvision(activation, gate):
    torch.manual_seed(0)
    ours, theirs = (
        SqueezeExcitation(8, 3, activation, gate).double(),
        Theirs(8, 3, activation=activation, scale_activation=gate).double(),
    )
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values())))
    x = torch.randn(2, 8, 5, 3, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-12, atol=1e-12)


def test_the_hard_gate_is_the_clipped_line_of_mobilenet_v3():
    """relu6(v + 3) / 6 of what the second layer says; 0 below -3 and 1 above 3, which a sigmoid never
    reaches.
    """
    torch.manual_seed(0)
    layer, x = (
        SqueezeExcitation(6, 2, gate=nn.Hardsigmoid).double(),
        1.0 + torch.rand(2, 6, 3, 5, dtype=torch.float64),
    )
    layer.expand.bias.data = torch.tensor([-9.0, -2.0, 0.0, 1.0, 2.0, 9.0], dtype=torch.float64)
    values = layer.expand(torch.relu(layer.reduce(x.mean((2, 3), keepdim=True))))
    weights = (values + 3).clamp(0, 6) / 6
    torch.testing.assert_close(layer(x), x * weights, rtol=1e-12, atol=1e-12)
    assert not weights[:, 0].any() and bool((weights[:, 5] == 1).all())
    assert SqueezeExcitation(6, 2).gate.__class__ is nn.Sigmoid  # the paper's stays the default


@pytest.mark.parametrize("channels, squeeze", [(0, 1), (4, 0), (4, 1.5)])
def test_refuses(channels, squeeze):
    with pytest.raises(ValueError, match="to be a whole number >= 1"):
        SqueezeExcitation(channels, squeeze)
