"""dlbook.nn.activations against torch.nn.functional, finite differences and its own closed derivatives."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

import tests.nn.activation_checks as checks
from dlbook.nn import activations as A
from dlbook.nn.activation_slopes import FAMILY, softmax_jacobian

ROWS = [pytest.param(name, row, id=name) for name, row in FAMILY.items()]


def test_every_row_has_a_reference():
    assert set(FAMILY) == set(checks.REFERENCE)


@pytest.mark.parametrize("name, row", ROWS)
def test_value_equals_torch(name, row):
    checks.check_value(name, row)


@pytest.mark.parametrize("name, row", ROWS)
def test_derivative_equals_torch(name, row):
    checks.check_slope(name, row)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("name, row", ROWS)
def test_finite_at_the_extremes(name, row, dtype):
    checks.check_extremes(row, dtype)


@pytest.mark.parametrize("name, row", ROWS)
def test_gradcheck(name, row):
    checks.check_gradcheck(row)


@pytest.mark.parametrize("name, row", ROWS)
def test_float16_is_finite_up_to_its_range(name, row):
    x = torch.tensor([-1e4, -300, 0, 300, 1e4], dtype=torch.float16)
    assert torch.isfinite(row.function(x)).all()
    assert torch.isfinite(checks.gradient(row.function, x)).all()


@pytest.mark.parametrize("name", checks.CORNERS)
def test_derivative_at_the_corner(name):
    row = FAMILY[name]
    keyword = {row.parameter: {"slope": 0.3, "alpha": 2.0}[row.parameter]} if row.parameter else {}
    zero = torch.zeros(1, dtype=torch.float64)
    assert row.slope(zero, **keyword).item() == pytest.approx(checks.CORNERS[name], abs=1e-15)
    assert checks.gradient(lambda x: row.function(x, **keyword), zero).item() == pytest.approx(
        checks.CORNERS[name]
    )


def test_hard_swish_ends():
    ends = torch.tensor([-3.0, 3.0], dtype=torch.float64)
    assert checks.gradient(A.hard_swish, ends).tolist() == [0.0, 1.0]
    assert FAMILY["hard swish"].slope(ends).tolist() == [0.0, 1.0]


def test_hard_sigmoid_slope_is_a_sixth_to_all_digits():
    assert checks.gradient(A.hard_sigmoid, torch.zeros(1, dtype=torch.float64)).item() == pytest.approx(
        1 / 6, rel=1e-15
    )


@pytest.mark.parametrize("alpha, is_smooth", [(0.5, False), (1.0, True), (2.0, False)])
def test_elu_is_smooth_only_for_alpha_one(alpha, is_smooth):
    below, above = FAMILY["ELU"].slope(torch.tensor([-1e-12, 1e-12], dtype=torch.float64), alpha=alpha)
    assert above == 1 and below == pytest.approx(alpha)
    assert (abs(above - below) < 1e-9) == is_smooth


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


def test_softmax_jacobian_equals_autograd():
    x = torch.randn(6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = torch.autograd.functional.jacobian(lambda v: F.softmax(v, 0), x)
    torch.testing.assert_close(softmax_jacobian(A.softmax(x, 0)), expected, rtol=1e-12, atol=1e-15)


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
        (lambda: A.elu(torch.zeros(1), alpha=0), "alpha must be greater than 0"),
        (lambda: A.softplus(torch.zeros(1), beta=-1), "beta must be greater than 0"),
        (lambda: A.prelu(torch.zeros(2, 3), torch.zeros(4)), r"\(1,\) or \(3,\)"),
        (lambda: A.PReLU(0), "at least 1"),
    ],
)
def test_errors_say_how_to_mend(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("name, row", ROWS)
def test_keeps_shape_and_memory_format(name, row):
    x = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert row.function(x).is_contiguous(memory_format=torch.channels_last)
    assert row.function(x).shape == x.shape
