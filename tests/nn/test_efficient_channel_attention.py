"""Efficient channel attention against its equations in a loop, and against timm."""

import math

import pytest
import torch
from timm.layers import EcaModule

from dlbook.nn.efficient_channel_attention import EfficientChannelAttention, adaptive_kernel_size


def naive(layer, x):
    """Equations (7) and (9), one number at a time: the gate of channel c from the means of its neighbours."""
    weights = layer.conv.weight.flatten().tolist()
    out = torch.empty_like(x)
    for b in range(x.shape[0]):
        z = [sum(sum(row) for row in channel) / (x.shape[2] * x.shape[3]) for channel in x[b].tolist()]
        for c in range(len(z)):
            total = 0.0
            for offset, weight in enumerate(weights, start=c - len(weights) // 2):
                if 0 <= offset < len(z):
                    total += weight * z[offset]
            out[b, c] = x[b, c] / (1 + math.exp(-total))
    return out


def make(channels=9, kernel_size=5):
    torch.manual_seed(0)
    return EfficientChannelAttention(channels, kernel_size).double(), torch.randn(
        2, channels, 3, 5, dtype=torch.float64
    )


@pytest.mark.parametrize("channels, kernel_size", [(9, 5), (2, 7), (6, 1), (16, None)])
def test_equals_the_equations(channels, kernel_size):
    layer, x = make(channels, kernel_size)
    torch.testing.assert_close(layer(x), naive(layer, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("channels", [64, 128, 256, 512, 1024, 2048])
def test_equals_timm(channels):
    layer, x = make(channels, None)
    theirs = EcaModule(channels).double()
    theirs.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(x), theirs(x), rtol=1e-12, atol=1e-12)


def test_kernel_sizes():
    """Equation (12) by hand, gamma = 2, b = 1: (4, 5, ..., 11 and 1) / 2 cut to a whole number, evens raised
    by 1.
    """
    assert [adaptive_kernel_size(2**power) for power in range(4, 12)] == [3, 3, 3, 5, 5, 5, 5, 7]
    assert (
        adaptive_kernel_size(1) == 1
        and adaptive_kernel_size(64, gamma=1, b=0) == 7
        and all(adaptive_kernel_size(c) % 2 for c in range(1, 600))
    )


def test_one_kernel_for_all_channels_without_bias():
    assert [(name, tuple(p.shape)) for name, p in make(256, None)[0].named_parameters()] == [
        ("conv.weight", (1, 1, 5))
    ]


def a_bias(layer):
    layer.conv.bias = torch.nn.Parameter(torch.tensor([0.3], dtype=torch.float64))


def no_sigmoid(layer):
    layer.forward = lambda x: x * layer.conv(x.mean((2, 3)).unsqueeze(1)).transpose(1, 2).unsqueeze(3)


def along_width(layer):
    layer.forward = lambda x: x * torch.sigmoid(layer.conv(x.mean((1, 2)).unsqueeze(1)).unsqueeze(2))


def wrapped_ends(layer):
    layer.conv.padding_mode, layer.conv._reversed_padding_repeated_twice = "circular", [2, 2]


def mirrored_kernel(layer):
    layer.conv.weight.data = layer.conv.weight.data.flip(2)


@pytest.mark.parametrize("fault", [a_bias, no_sigmoid, along_width, wrapped_ends, mirrored_kernel])
def test_the_loop_catches_the_seeded_fault(fault):
    layer, x = make()
    expected = naive(layer, x)
    fault(layer)
    assert (layer(x) - expected).abs().max() > 1e-3


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((0,), "expected channels"),
        ((4, 0), "expected kernel_size"),
        ((4, 4), "expected an odd kernel_size"),
        ((4.0,), "expected channels"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        EfficientChannelAttention(*arguments)
    with pytest.raises(ValueError, match="expected gamma > 0"):
        adaptive_kernel_size(4, gamma=0)
