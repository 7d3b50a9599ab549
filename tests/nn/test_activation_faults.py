"""Faults seeded into the activations: each must make the named check fail, or that check is no oracle."""

import math
from dataclasses import replace

import pytest
import torch

import tests.nn.activation_checks as checks
from dlbook.nn import activations as A
from dlbook.nn import init
from dlbook.nn.activation_slopes import FAMILY

FAULTS = {
    "ELU without a safe branch (inf * 0)": (
        "ELU",
        {"function": lambda x, alpha=1.0: torch.where(x > 0, x, alpha * (torch.exp(x) - 1))},
        "extremes",
    ),
    "naive sigmoid (exp overflows, gradient nan)": (
        "sigmoid",
        {"function": lambda x: 1 / (1 + torch.exp(-x))},
        "extremes",
    ),
    "GELU tanh with 0.0044715 for 0.044715": (
        "GELU (tanh)",
        {"function": lambda x: x * (1 + A.tanh(math.sqrt(2 / math.pi) * (x + 0.0044715 * x**3))) / 2},
        "value",
    ),
    "exact GELU taken for the tanh form": ("GELU", {"function": A.gelu_tanh}, "value"),
    "Swish derivative without beta": (
        "Swish",
        {"slope": lambda x, beta=1.0: A.sigmoid(beta * x) + x * A.sigmoid(beta * x) * A.sigmoid(-beta * x)},
        "slope",
    ),
    "ELU derivative e^x without alpha": (
        "ELU",
        {"slope": lambda x, alpha=1.0: torch.where(x > 0, 1.0, torch.exp(-x.abs()))},
        "slope",
    ),
    "ReLU by maximum: derivative 1/2 at 0": (
        "ReLU",
        {"function": lambda x: torch.maximum(x, torch.zeros_like(x))},
        "slope",
    ),
    "softplus as relu + log1p(exp(-|x|)): derivative 0 at 0": (
        "softplus",
        {"function": lambda x, beta=1.0: A.relu(x) + torch.log1p(torch.exp(-beta * x.abs())) / beta},
        "slope",
    ),
    "leaky ReLU with the slope on the wrong side": (
        "leaky ReLU",
        {"function": lambda x, slope=0.01: torch.where(x > 0, slope * x, x)},
        "value",
    ),
    "SELU with alpha and scale exchanged": (
        "SELU",
        {"function": lambda x: A.SELU_ALPHA * A.elu(x, A.SELU_SCALE)},
        "value",
    ),
    "hard swish with a gate of x/6 + 1/3": (
        "hard swish",
        {"function": lambda x: x * ((x / 6 + 1 / 3).clamp(0, 1))},
        "value",
    ),
    "Mish with softplus left out": ("Mish", {"function": lambda x: x * A.tanh(x)}, "value"),
    "sigmoid that is detached": (
        "sigmoid",
        {"function": lambda x: A.sigmoid(x.detach()) + 0 * x},
        "gradcheck",
    ),
}


def run_check(kind, name, row):
    {
        "value": lambda: checks.check_value(name, row),
        "slope": lambda: checks.check_slope(name, row),
        "extremes": lambda: checks.check_extremes(row, torch.float32),
        "gradcheck": lambda: checks.check_gradcheck(row),
    }[kind]()


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught(fault):
    name, change, kind = FAULTS[fault]
    run_check(kind, name, FAMILY[name])  # sound code passes
    with pytest.raises((AssertionError, RuntimeError)):  # gradcheck raises a RuntimeError
        run_check(kind, name, replace(FAMILY[name], **change))


def test_cubic_of_gelu_tanh_overflows_float16_without_its_bound():
    x = torch.tensor([300.0], dtype=torch.float16)
    unbounded = checks.gradient(lambda v: v * (1 + torch.tanh(v + 0.044715 * v**3)) / 2, x)
    assert torch.isnan(unbounded).all()
    assert torch.isfinite(checks.gradient(A.gelu_tanh, x)).all()


@pytest.mark.parametrize(
    "fault",
    [lambda w: w[:, 0].numel(), lambda w: w[0].numel() // w.shape[1]],
    ids=["fan_out for fan_in", "kernel area without the channels"],
)
def test_wrong_fan_is_caught(monkeypatch, fault):
    def keeps_variance():
        generator = torch.Generator().manual_seed(0)
        weight = init.scaled_normal_(torch.empty(256, 64, 3, 3), math.sqrt(2), generator)
        return abs(weight.std().item() / math.sqrt(2 / 576) - 1) < 0.02

    assert keeps_variance()
    monkeypatch.setattr(init, "fan_in", fault)
    assert not keeps_variance()


def test_gain_of_the_mean_instead_of_the_second_moment_is_caught(monkeypatch):
    assert abs(init.gain(A.relu) - math.sqrt(2)) < 1e-9
    original = init.gaussian_mean
    monkeypatch.setattr(init, "gaussian_mean", lambda f, *a, **k: original(lambda x: f(x).sqrt(), *a, **k))
    assert abs(init.gain(A.relu) - math.sqrt(2)) > 1e-2
