"""Activations and their gradients against torch.nn.functional, finite differences, and at the extremes."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from dlbook.nn import activations as A
from dlbook.nn.activations import FAMILY
from tests.oracles.activations import EDGE, REFERENCE, gradient, grid, keywords

GRADIENT_TOLERANCE = {"hard sigmoid": 5e-9}  # torch's kernel holds 1/6 as a float32 even for float64 input
CORNERS = {
    "ReLU": 0.0,
    "ReLU6": 0.0,
    "leaky ReLU": 0.3,
    "ELU": 2.0,
    "SELU": 1.0507009873554805 * 1.6732632423543772,
}


def check_value(name, row):
    for keyword in keywords(row):
        x = grid()
        torch.testing.assert_close(
            row.function(x, **keyword), REFERENCE[name](x, **keyword), rtol=1e-12, atol=1e-12
        )


def check_gradient(name, row):
    """Autograd through our function gives torch's gradient, corners included."""
    tolerance = GRADIENT_TOLERANCE.get(name, 1e-12)
    for keyword in keywords(row):
        x = grid()
        expected = gradient(lambda v, k=keyword: REFERENCE[name](v, **k), x)
        ours = gradient(lambda v, k=keyword: row.function(v, **k), x)
        torch.testing.assert_close(ours, expected, rtol=tolerance, atol=tolerance)


def check_extremes(name, row, dtype):
    """No nan and no inf in value and gradient, and a gradient near torch's."""
    x = torch.tensor([-EDGE, -1000, -100, -20, 0, 20, 100, 1000, EDGE], dtype=dtype)
    for keyword in keywords(row):
        for result in (
            row.function(x, **keyword),
            gradient(lambda v, k=keyword: row.function(v, **k), x),
        ):
            assert result.dtype == dtype
            assert torch.isfinite(result).all(), (keyword, result)
        both = [gradient(lambda v, f=f, k=keyword: f(v, **k), x) for f in (row.function, REFERENCE[name])]
        torch.testing.assert_close(*both, rtol=0.02, atol=0.02)


def check_gradcheck(row):
    """Finite differences against autograd, twice, away from corners."""
    x = torch.tensor([-4.1, -2.2, -0.7, 0.4, 1.9, 2.7, 5.3, 7.2], dtype=torch.float64, requires_grad=True)
    for keyword in keywords(row):
        assert torch.autograd.gradcheck(lambda v, k=keyword: row.function(v, **k), x)
        assert torch.autograd.gradgradcheck(lambda v, k=keyword: row.function(v, **k), x)


ROWS = [pytest.param(name, row, id=name) for name, row in FAMILY.items()]


def test_every_row_has_a_reference():
    assert set(FAMILY) == set(REFERENCE)


@pytest.mark.parametrize("name, row", ROWS)
def test_value_equals_torch(name, row):
    check_value(name, row)


@pytest.mark.parametrize("name, row", ROWS)
def test_gradient_equals_torch(name, row):
    check_gradient(name, row)


@pytest.mark.parametrize("name", CORNERS)
def test_gradient_at_the_corner(name):
    row = FAMILY[name]
    keyword = {row.parameter: {"slope": 0.3, "alpha": 2.0}[row.parameter]} if row.parameter else {}
    zero = torch.zeros(1, dtype=torch.float64)
    assert gradient(lambda x: row.function(x, **keyword), zero).item() == pytest.approx(CORNERS[name])


def test_ends_of_hard_swish():
    assert gradient(A.hard_swish, torch.tensor([-3.0, 3.0], dtype=torch.float64)).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("name, row", ROWS)
def test_finite_at_the_extremes(name, row, dtype):
    check_extremes(name, row, dtype)


@pytest.mark.parametrize("name, row", ROWS)
def test_gradcheck(name, row):
    check_gradcheck(row)


@pytest.mark.parametrize("name, row", ROWS)
def test_float16_is_finite_up_to_its_range(name, row):
    x = torch.tensor([-1e4, -300, 0, 300, 1e4], dtype=torch.float16)
    assert torch.isfinite(row.function(x)).all()
    assert torch.isfinite(gradient(row.function, x)).all()


def test_hard_sigmoid_slope_is_a_sixth_to_all_digits():
    assert gradient(A.hard_sigmoid, torch.zeros(1, dtype=torch.float64)).item() == pytest.approx(
        1 / 6, rel=1e-15
    )


def test_torch_softplus_turns_linear_at_20():
    x = torch.tensor([20.001], dtype=torch.float64)
    exact = A.softplus(x) - x
    assert exact.item() == pytest.approx(torch.log1p(torch.exp(-x)).item(), rel=1e-5)
    assert (F.softplus(x) - x).item() == 0


def test_left_tail_of_gelu_keeps_its_digits():
    x = torch.tensor([-9.0], dtype=torch.float64)
    by_mpmath = -1.0157286167360624e-18  # -9 Phi(-9) to 17 digits: Phi(-9) = 1.1285884059538406e-19
    assert A.gelu(x).item() == pytest.approx(by_mpmath, rel=1e-12)


@pytest.mark.parametrize("shape, dim", [((5, 7), 1), ((5, 7), 0), ((2, 3, 4), -2)])
def test_softmax_equals_torch(shape, dim):
    generator = torch.Generator().manual_seed(0)
    x = (torch.randn(shape, generator=generator, dtype=torch.float64) * 5).requires_grad_(True)
    weights = torch.randn(shape, generator=generator, dtype=torch.float64)
    mine, theirs = A.softmax(x, dim), F.softmax(x, dim)
    torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-14)
    grads = [torch.autograd.grad((probs * weights).sum(), x)[0] for probs in (mine, theirs)]
    torch.testing.assert_close(*grads, rtol=1e-12, atol=1e-14)
    assert torch.autograd.gradcheck(lambda v: A.softmax(v, dim), x)


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=8), st.floats(-1e4, 1e4))
def test_softmax_is_a_distribution_and_ignores_a_shift(logits, shift):
    x = torch.tensor(logits, dtype=torch.float64)
    probs = A.softmax(x, 0)
    assert probs.sum().item() == pytest.approx(1, abs=1e-12) and (probs >= 0).all()
    torch.testing.assert_close(A.softmax(x + shift, 0), probs, rtol=1e-9, atol=1e-9)


def test_softmax_is_finite_at_the_extremes():
    x = torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], requires_grad=True)
    probs = A.softmax(x, 1)
    probs[:, 0].sum().backward()
    assert torch.isfinite(probs).all() and torch.isfinite(x.grad).all()


@given(st.floats(-50, 50))
def test_identities(value):
    x = torch.tensor(value, dtype=torch.float64)
    assert (A.sigmoid(x) + A.sigmoid(-x)).item() == pytest.approx(1, abs=1e-15)
    assert A.tanh(x).item() == pytest.approx((2 * A.sigmoid(2 * x) - 1).item(), abs=1e-15)
    assert (A.softplus(x) - A.softplus(-x)).item() == pytest.approx(value, abs=1e-13)
    assert (A.gelu(x) - A.gelu(-x)).item() == pytest.approx(value, abs=1e-13)  # f(x) - f(-x) = x: gated by a
    assert (A.swish(x, 2.0) - A.swish(-x, 2.0)).item() == pytest.approx(value, abs=1e-13)  # symmetric gate


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5, 2), (3,)])
@pytest.mark.parametrize("channels", [1, 3])
def test_prelu_equals_torch(shape, channels):
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    slope = torch.rand(channels, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(shape, generator=generator, dtype=torch.float64)
    outputs = [A.prelu(x, slope)]
    if len(shape) > 1 or channels == 1:
        outputs.append(F.prelu(x, slope))
    results = [(out, *torch.autograd.grad((out * weights).sum(), (x, slope))) for out in outputs]
    for pair in zip(results[0], results[-1], strict=True):
        torch.testing.assert_close(*pair, rtol=1e-12, atol=1e-12)


def test_prelu_module_starts_like_the_paper_and_learns():
    module = A.PReLU(3)
    assert module.slope.tolist() == [0.25] * 3 and sum(p.numel() for p in module.parameters()) == 3
    module(-torch.ones(2, 3, 4)).sum().backward()
    assert module.slope.grad.tolist() == [-8.0] * 3


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: A.elu(torch.zeros(1), alpha=0), "expected alpha > 0"),
        (lambda: A.softplus(torch.zeros(1), beta=-1), "expected beta > 0"),
        (lambda: A.prelu(torch.zeros(2, 3), torch.zeros(4)), r"\[1\] or \[3\]"),
        (lambda: A.PReLU(0), "expected channels to be a whole number >= 1"),
    ],
)
def test_errors_say_how_to_fix(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("name, row", ROWS)
def test_keeps_shape_and_memory_format(name, row):
    x = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert row.function(x).is_contiguous(memory_format=torch.channels_last)
    assert row.function(x).shape == x.shape


FAULTS = {
    "ELU without a safe branch (inf * 0)": (
        "ELU",
        lambda x, alpha=1.0: torch.where(x > 0, x, alpha * (torch.exp(x) - 1)),
        "extremes",
    ),
    "naive sigmoid (exp overflows, gradient nan)": (
        "sigmoid",
        lambda x: 1 / (1 + torch.exp(-x)),
        "extremes",
    ),
    "GELU tanh with 0.0044715 for 0.044715": (
        "GELU (tanh)",
        lambda x: x * (1 + A.tanh(math.sqrt(2 / math.pi) * (x + 0.0044715 * x**3))) / 2,
        "value",
    ),
    "exact GELU taken for the tanh form": ("GELU", A.gelu_tanh, "value"),
    "ReLU by maximum: derivative 1/2 at 0": (
        "ReLU",
        lambda x: torch.maximum(x, torch.zeros_like(x)),
        "gradient",
    ),
    "softplus as relu + log1p(exp(-|x|)): derivative 0 at 0": (
        "softplus",
        lambda x, beta=1.0: A.relu(x) + torch.log1p(torch.exp(-beta * x.abs())) / beta,
        "gradient",
    ),
    "leaky ReLU with the slope on the wrong side": (
        "leaky ReLU",
        lambda x, slope=0.01: torch.where(x > 0, slope * x, x),
        "value",
    ),
    "SELU with alpha and scale exchanged": (
        "SELU",
        lambda x: A.SELU_ALPHA * A.elu(x, A.SELU_SCALE),
        "value",
    ),
    "hard swish with a gate of x/6 + 1/3": (
        "hard swish",
        lambda x: x * ((x / 6 + 1 / 3).clamp(0, 1)),
        "value",
    ),
    "Mish with softplus left out": ("Mish", lambda x: x * A.tanh(x), "value"),
    "sigmoid that is detached": (
        "sigmoid",
        lambda x: A.sigmoid(x.detach()) + 0 * x,
        "gradcheck",
    ),
}


CHECKS = {
    "value": check_value,
    "gradient": check_gradient,
    "extremes": lambda name, row: check_extremes(name, row, torch.float32),
    "gradcheck": lambda name, row: check_gradcheck(row),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught(fault):
    name, function, kind = FAULTS[fault]
    CHECKS[kind](name, FAMILY[name])  # sound code passes
    with pytest.raises((AssertionError, RuntimeError)):  # gradcheck raises a RuntimeError
        CHECKS[kind](name, replace(FAMILY[name], function=function))


def test_cubic_of_gelu_tanh_overflows_float16_without_its_bound():
    x = torch.tensor([300.0], dtype=torch.float16)
    unbounded = gradient(lambda v: v * (1 + torch.tanh(v + 0.044715 * v**3)) / 2, x)
    assert torch.isnan(unbounded).all()
    assert torch.isfinite(gradient(A.gelu_tanh, x)).all()
