"""Mixed and gated pooling against naive loops over the equations of their paper."""

import math

import pytest
import torch

from dlbook.naive import pooling as naive
from dlbook.nn import pooling_mixed as module
from dlbook.nn.pooling import avg_pool2d, max_pool2d
from dlbook.nn.pooling_mixed import GatedPool2d, MixedPool2d
from tests.naive.conv_cases import assert_same

GEOMETRIES = [
    ((2, 2), (2, 2), (0, 0)),
    ((3, 2), (2, 1), (1, 0)),
    ((3, 3), (2, 2), (1, 1)),
    ((1, 4), (3, 2), (0, 2)),
]


def made(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_mixed_equals_the_equation(geometry):
    layer, x = MixedPool2d(*geometry).double(), made(2, 3, 6, 7)
    torch.nn.init.constant_(layer.logit, 0.7)
    assert_same([layer(x).detach()], [naive.pool(x, *geometry, naive.mixed(1 / (1 + math.exp(-0.7))))])


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_gated_equals_the_equation(geometry):
    layer, x = GatedPool2d(*geometry).double(), made(2, 3, 6, 7)
    with torch.no_grad():
        layer.weight.copy_(made(*geometry[0], seed=1))
    assert_same([layer(x).detach()], [naive.pool(x, *geometry, naive.gated(layer.weight.tolist()))])


def test_parameters_and_limits():
    x = made(2, 3, 6, 7)
    mixed, gated = MixedPool2d(3).double(), GatedPool2d(3).double()
    assert (
        sum(p.numel() for p in mixed.parameters()) == 1 and sum(p.numel() for p in gated.parameters()) == 9
    )  # the paper's count
    half = (max_pool2d(x, 3) + avg_pool2d(x, 3)) / 2
    assert_same([mixed(x).detach(), gated(x).detach()], [half, half])  # both start half and half
    for logit, limit in ((50.0, max_pool2d), (-50.0, avg_pool2d)):
        torch.nn.init.constant_(mixed.logit, logit)
        assert_same([mixed(x).detach()], [limit(x, 3)])


def test_gradients_by_finite_differences():
    x = made(1, 2, 4, 5).requires_grad_()
    for layer, name in ((MixedPool2d(2).double(), "logit"), (GatedPool2d(2).double(), "weight")):

        def call(x, parameter, layer=layer, name=name):
            return torch.func.functional_call(layer, {name: parameter}, x)

        assert torch.autograd.gradcheck(call, (x, getattr(layer, name)))


@pytest.mark.parametrize(
    "layer",
    [MixedPool2d(2), GatedPool2d(3, 2, 1)],
)
def test_traces_runs_on_meta_and_in_half_precision(layer):
    x = made(2, 3, 6, 7).float().relu()
    outcome = torch.compile(layer, fullgraph=True, backend="aot_eager")(x)
    assert outcome.shape == layer(x).shape
    assert layer.to("meta")(x.to("meta")).shape == outcome.shape
    assert layer.to_empty(device="cpu").bfloat16()(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("kind", [MixedPool2d, GatedPool2d])
def test_refuses(kind):
    with pytest.raises(ValueError, match="expected kernel_size"):
        kind(0)
    with pytest.raises(ValueError, match="expected stride"):
        kind(2, 0)
    with pytest.raises(ValueError, match=r"expected x of shape \[B, C, H, W\]"):
        kind(2)(torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match="half the kernel of"):
        kind(2, 2, 2)(torch.zeros(1, 3, 4, 4))
    assert "kernel_size=(2, 2), stride=(2, 2)" in repr(kind(2))


FAULTS = ("max and mean exchanged", "no sigmoid", "padding left out of the mean")


@pytest.mark.parametrize("fault", FAULTS)
def test_equation_catches_the_seeded_fault_in_mixed_and_gated(fault, monkeypatch):
    if fault == "max and mean exchanged":
        monkeypatch.setattr(module, "max_pool2d", avg_pool2d)
        monkeypatch.setattr(module, "avg_pool2d", max_pool2d)
    elif fault == "no sigmoid":
        monkeypatch.setattr(module.torch, "sigmoid", lambda x: x)
    else:
        monkeypatch.setattr(module, "avg_pool2d", lambda *a: avg_pool2d(*a, count_include_pad=False))
    for test in (test_mixed_equals_the_equation, test_gated_equals_the_equation):
        with pytest.raises(AssertionError):
            test(GEOMETRIES[2])
