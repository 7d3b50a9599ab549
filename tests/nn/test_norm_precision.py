"""Normalisation takes its statistics in float32, is traced and exported, and runs on meta."""

import pytest
import torch
from torch import nn

from dlbook.nn import norm

MAPS, ROWS = (3, 6, 4, 5), (2, 7, 6)


LAYERS = {  # ours, torch's, shape of x: alike in every argument that both have
    "batch": (lambda: norm.BatchNorm2d(6, 1e-3, 0.3), lambda: nn.BatchNorm2d(6, 1e-3, 0.3), MAPS),
    "batch, cumulative": (
        lambda: norm.BatchNorm2d(6, momentum=None),
        lambda: nn.BatchNorm2d(6, momentum=None),
        MAPS,
    ),
    "batch, defaults": (lambda: norm.BatchNorm2d(6), lambda: nn.BatchNorm2d(6), MAPS),
    "layer": (lambda: norm.LayerNorm(6, 1e-3), lambda: nn.LayerNorm(6, 1e-3), ROWS),
    "layer, defaults": (lambda: norm.LayerNorm(6), lambda: nn.LayerNorm(6), ROWS),
    "group": (lambda: norm.GroupNorm(3, 6, 1e-3), lambda: nn.GroupNorm(3, 6, 1e-3), MAPS),
    "group, defaults": (lambda: norm.GroupNorm(2, 6), lambda: nn.GroupNorm(2, 6), MAPS),
    "instance": (lambda: norm.InstanceNorm2d(6, 1e-3), lambda: nn.InstanceNorm2d(6, 1e-3), MAPS),
    "instance, defaults": (lambda: norm.InstanceNorm2d(6), lambda: nn.InstanceNorm2d(6), MAPS),
    "rms": (lambda: norm.RMSNorm(6, 1e-3), lambda: nn.RMSNorm(6, 1e-3), ROWS),
    "rms, default": (lambda: norm.RMSNorm(6), lambda: nn.RMSNorm(6, 1e-6), ROWS),
    "response": (
        lambda: norm.LocalResponseNorm(5, 0.3, 0.6, 1.5),
        lambda: nn.LocalResponseNorm(5, 1.5, 0.6, 1.5),
        MAPS,
    ),
    "response, even n": (
        lambda: norm.LocalResponseNorm(4, 0.3, 0.6, 1.5),
        lambda: nn.LocalResponseNorm(4, 1.2, 0.6, 1.5),
        MAPS,
    ),
    "response, AlexNet": (
        lambda: norm.LocalResponseNorm(),
        lambda: nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0),
        MAPS,
    ),
}


def test_a_large_mean_does_not_spoil_float32():
    x = torch.randn(16, 6, 8, 8) + 3000
    exact = nn.BatchNorm2d(6).double()(x.double())
    torch.testing.assert_close(norm.BatchNorm2d(6)(x).double(), exact, rtol=0, atol=2e-3)


def check_half_precision(layer, shape):
    """bfloat16 rounds the input and the result, and not the statistics; near 10 its steps are 1/16 wide."""
    x = (torch.randn(shape, generator=torch.Generator().manual_seed(0)) + 10).bfloat16()
    torch.testing.assert_close(layer(x), layer(x.float()).bfloat16(), rtol=0, atol=0)


STATISTICAL = [
    name for name in LAYERS if not name.startswith("response")
]  # that one has no statistics of many values


@pytest.mark.parametrize("name", STATISTICAL)
def test_half_precision_takes_its_statistics_in_float32(name):
    check_half_precision(LAYERS[name][0](), LAYERS[name][2])


@pytest.mark.parametrize("name", STATISTICAL)
def test_statistics_in_half_precision_are_caught(name, monkeypatch):
    monkeypatch.setattr(norm, "at_least_float32", lambda x: x)
    with pytest.raises(AssertionError):
        check_half_precision(LAYERS[name][0](), LAYERS[name][2])


@pytest.mark.parametrize("name", LAYERS)
def test_traces_exports_runs_on_meta_and_in_half_precision(name):
    make, _, shape = LAYERS[name]
    x = torch.randn(shape)
    layer = make()
    torch.testing.assert_close(torch.compile(make(), fullgraph=True, backend="aot_eager")(x), layer(x))
    torch.testing.assert_close(torch.export.export(layer.eval(), (x,)).module()(x), layer(x))
    assert layer(x.bfloat16()).dtype == torch.bfloat16
    torch.testing.assert_close(layer(x.bfloat16()).float(), layer(x), rtol=0.03, atol=0.03)
    assert make().to("meta")(x.to("meta")).shape == shape
    make()(x.bfloat16()).sum().backward() if list(layer.parameters()) else None
    if len(shape) == 4:
        laid = x.contiguous(memory_format=torch.channels_last)
        assert layer(laid).is_contiguous(memory_format=torch.channels_last)
