"""Derivatives worked out by hand against torch's gradients, at corners, and at the extremes."""

import pytest
import torch
from torch.nn import functional as F

from dlbook.naive.activation_slopes import SLOPES, softmax_jacobian
from dlbook.nn.activations import FAMILY
from tests.oracles.activations import EDGE, REFERENCE, gradient, grid, keywords

TOLERANCE = {"hard sigmoid": 5e-9}  # torch's kernel holds 1/6 as a float32 even for float64 input
CORNERS = {
    "ReLU": 0.0,
    "ReLU6": 0.0,
    "leaky ReLU": 0.3,
    "ELU": 2.0,
    "SELU": 1.0507009873554805 * 1.6732632423543772,
}


def check_slope(name, slope):
    for keyword in keywords(FAMILY[name]):
        expected = gradient(lambda v, k=keyword: REFERENCE[name](v, **k), grid())
        tolerance = TOLERANCE.get(name, 1e-12)
        torch.testing.assert_close(slope(grid(), **keyword), expected, rtol=tolerance, atol=tolerance)


def test_every_activation_has_its_slope():
    assert set(SLOPES) == set(FAMILY)


@pytest.mark.parametrize("name", SLOPES)
def test_slope_equals_torchs_gradient(name):
    check_slope(name, SLOPES[name])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("name", SLOPES)
def test_finite_at_the_extremes_and_near_the_gradient_of_our_function(name, dtype):
    x = torch.tensor([-EDGE, -1000, -100, -20, 0, 20, 100, 1000, EDGE], dtype=dtype)
    row = FAMILY[name]
    for keyword in keywords(row):
        slope = SLOPES[name](x, **keyword)
        assert slope.dtype == dtype and torch.isfinite(slope).all()
        ours = gradient(lambda v, k=keyword: row.function(v, **k), x)
        torch.testing.assert_close(slope, ours, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", CORNERS)
def test_slope_at_the_corner(name):
    row = FAMILY[name]
    keyword = {row.parameter: {"slope": 0.3, "alpha": 2.0}[row.parameter]} if row.parameter else {}
    zero = torch.zeros(1, dtype=torch.float64)
    assert SLOPES[name](zero, **keyword).item() == pytest.approx(CORNERS[name], abs=1e-15)


def test_ends_of_hard_swish():
    assert SLOPES["hard swish"](torch.tensor([-3.0, 3.0], dtype=torch.float64)).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("alpha, is_smooth", [(0.5, False), (1.0, True), (2.0, False)])
def test_elu_is_smooth_only_for_alpha_one(alpha, is_smooth):
    below, above = SLOPES["ELU"](torch.tensor([-1e-12, 1e-12], dtype=torch.float64), alpha=alpha)
    assert above == 1 and below == pytest.approx(alpha)
    assert (abs(above - below) < 1e-9) == is_smooth


def test_softmax_jacobian_equals_autograd():
    x = torch.randn(6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = torch.autograd.functional.jacobian(lambda v: F.softmax(v, 0), x)
    torch.testing.assert_close(softmax_jacobian(F.softmax(x, 0)), expected, rtol=1e-12, atol=1e-15)


def swish_without_beta(x, beta=1.0):
    return torch.sigmoid(beta * x) + x * torch.sigmoid(beta * x) * torch.sigmoid(-beta * x)


FAULTS = {
    "Swish derivative without beta": ("Swish", swish_without_beta),
    "ELU derivative e^x without alpha": (
        "ELU",
        lambda x, alpha=1.0: torch.where(x > 0, 1.0, torch.exp(-x.abs())),
    ),
    "ReLU with 1 at 0": ("ReLU", lambda x: (x >= 0).to(x.dtype)),
    "hard sigmoid of slope 1/5": ("hard sigmoid", lambda x: ((x > -3) & (x < 3)).to(x.dtype) / 5),
    "GELU without the density": ("GELU", lambda x: torch.erfc(-x / 2**0.5) / 2),
    "tanh of the sigmoid's argument": ("tanh", lambda x: 4 * torch.sigmoid(x) * torch.sigmoid(-x)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught(fault):
    name, slope = FAULTS[fault]
    with pytest.raises(AssertionError):
        check_slope(name, slope)
