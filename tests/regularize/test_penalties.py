"""Penalties: naive sums and gradients, the proximal step by a search, closed forms of lasso, ridge and
elastic net, and seeded faults.
"""

import math

import pytest
import torch

from dlbook.optim import SGD
from dlbook.regularize import elastic_net, l1, l2, proximal_step
from dlbook.regularize.penalties import share_of_zeros


def weights(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in ((3, 4), (5,), ())
    ]


def check_values(l1, l2, elastic_net):
    """Element by element; gradients sign(w), 2 w and their mixture."""
    params = weights()
    flat = [value for param in params for value in param.detach().flatten().tolist()]
    first, second = sum(abs(w) for w in flat), sum(w * w for w in flat)
    for ours, value, slope in (
        (l1(params), first, torch.sign),
        (l2(params), second, lambda w: 2 * w),
        (elastic_net(params, 0.3, 0.7), 0.3 * first + 0.7 * second, lambda w: 0.3 * torch.sign(w) + 1.4 * w),
    ):
        assert ours.ndim == 0 and math.isclose(ours.item(), value, rel_tol=1e-13)
        for gradient, param in zip(torch.autograd.grad(ours, params), params, strict=True):
            torch.testing.assert_close(gradient, slope(param.detach()), rtol=1e-13, atol=0)


def check_prox(step):
    """The minimum of |z - w|^2 / (2 eta) + lambda1 |z| + lambda2 z^2 on a fine grid around every w."""
    grid = torch.linspace(-3, 3, 600_001, dtype=torch.float64)
    for lr, lambda1, lambda2 in ((0.5, 1.0, 0.0), (0.1, 2.0, 3.0), (0.3, 0.0, 1.0), (0.0, 1.0, 1.0)):
        param = torch.tensor([-2.0, -0.7, -0.2, 0.0, 0.1, 0.5, 1.7], dtype=torch.float64, requires_grad=True)
        before = param.detach().clone()
        step([param], lr, lambda1, lambda2)
        for w, ours in zip(before.tolist(), param.tolist(), strict=True):
            best = float(
                grid[
                    ((grid - w).square() / 2 + lr * (lambda1 * grid.abs() + lambda2 * grid.square())).argmin()
                ]
            )
            assert abs(ours - best) < 2e-5, (lr, lambda1, lambda2, w)


def solve(step, lambda1, lambda2, design, target, steps=400):
    """Minimise |X w - y|^2 / 2 + penalties by plain steps and proximal steps."""
    weight = torch.zeros(design.shape[1], dtype=torch.float64, requires_grad=True)
    rate = 1 / float(torch.linalg.matrix_norm(design, 2) ** 2)
    optimizer = SGD([weight], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * (design @ weight - target).square().sum()).backward()
        optimizer.step()
        step([weight], rate, lambda1, lambda2)
    return weight.detach()


def check_lasso(step):
    """With orthonormal columns the solution is soft(X'y, lambda1) / (1 + 2 lambda2): as many exact zeros as
    that has.
    """
    generator = torch.Generator().manual_seed(2)
    design = torch.linalg.qr(torch.randn(30, 12, generator=generator, dtype=torch.float64))[0]
    target = torch.randn(30, generator=generator, dtype=torch.float64)
    plain = design.T @ target
    for lambda1, lambda2 in ((0.6, 0.0), (0.3, 0.5), (0.0, 2.0)):
        expected = plain.sign() * (plain.abs() - lambda1).clamp(min=0) / (1 + 2 * lambda2)
        found = solve(step, lambda1, lambda2, design, target)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
        assert torch.equal(found == 0, expected == 0)


def check_optimality(step):
    """Any columns: where w is 0 the loss pulls by at most lambda1, elsewhere by exactly lambda1 sign(w) + 2
    lambda2 w.
    """
    generator = torch.Generator().manual_seed(3)
    design, target = (
        torch.randn(40, 10, generator=generator, dtype=torch.float64),
        torch.randn(40, generator=generator, dtype=torch.float64),
    )
    found = solve(step, 4.0, 0.5, design, target, steps=3000)
    pull = design.T @ (target - design @ found)
    zero = found == 0
    assert 0 < int(zero.sum()) < 10
    assert bool((pull[zero].abs() <= 4.0 + 1e-9).all())
    torch.testing.assert_close(pull[~zero], 4.0 * found[~zero].sign() + found[~zero], rtol=1e-8, atol=1e-8)


def test_values():
    check_values(l1, l2, elastic_net)


@pytest.mark.parametrize("check", [check_prox, check_lasso, check_optimality])
def test_proximal_step(check):
    check(proximal_step)


def test_gradient_steps_leave_no_exact_zero():
    """A claim of the docstring: the same penalty through its gradient, 2,000 steps, at rates that do and do
    not fit.
    """
    design, target = torch.eye(12, dtype=torch.float64), torch.linspace(-1, 1, 12, dtype=torch.float64)
    weight = torch.zeros(12, dtype=torch.float64, requires_grad=True)
    optimizer = SGD([weight], lr=0.13)
    for _ in range(2000):
        optimizer.zero_grad()
        (0.5 * (design @ weight - target).square().sum() + 0.5 * l1([weight])).backward()
        optimizer.step()
    assert share_of_zeros([weight]) == 0
    assert share_of_zeros([solve(proximal_step, 0.5, 0.0, design, target)]) == 0.5


def test_l2_is_weight_decay_of_twice_its_factor():
    """Plain gradient descent only."""
    ends = []
    for penalty, decay in ((0.05, 0.0), (0.0, 0.1)):
        params = weights()
        optimizer = SGD(params, lr=0.1, weight_decay=decay)
        for _ in range(5):
            optimizer.zero_grad()
            (sum(param.cos().sum() for param in params) + penalty * l2(params)).backward()
            optimizer.step()
        ends.append(params)
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-13, atol=1e-14)


def test_the_slope_at_zero_is_zero():
    weight = torch.zeros(2, requires_grad=True)
    assert torch.autograd.grad(l1([weight]), weight)[0].tolist() == [0.0, 0.0]


def test_half_precision_and_single_tensors():
    weight = torch.tensor([0.5, -3.0, 0.1], dtype=torch.bfloat16, requires_grad=True)
    proximal_step(weight, 1.0, 0.2)
    assert weight.dtype == torch.bfloat16 and weight.tolist()[2] == 0 and share_of_zeros(weight) == 1 / 3


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: l1([]), "one parameter or more"),
        (lambda: elastic_net(weights(), -1.0, 0.0), "lambda1"),
        (lambda: elastic_net(weights(), 0.0, math.nan), "lambda2"),
        (lambda: proximal_step(weights(), -0.1, 1.0), "lr"),
        (lambda: proximal_step(weights(), 0.1, math.inf), "lambda1"),
        (lambda: proximal_step([], 0.1, 1.0), "parameter"),
    ],
)
def test_bad_arguments(call, what):
    with pytest.raises(ValueError, match=f"expected .*{what}"):
        call()


def threshold_without_rate(params, lr, lambda1, lambda2=0.0):
    proximal_step(params, 1.0, lambda1, lr * lambda2)


def half_the_ridge(params, lr, lambda1, lambda2=0.0):
    proximal_step(params, lr, lambda1, lambda2 / 2)


@torch.no_grad()
def ridge_first(params, lr, lambda1, lambda2=0.0):
    for param in params:
        param.div_(1 + 2 * lr * lambda2)
    proximal_step(params, lr, lambda1)


@torch.no_grad()
def hard_threshold(params, lr, lambda1, lambda2=0.0):
    for param in params:
        param.mul_(param.abs() > lr * lambda1).div_(1 + 2 * lr * lambda2)


@torch.no_grad()
def gradient_step(params, lr, lambda1, lambda2=0.0):
    for param in params:
        param.sub_(lr * (lambda1 * param.sign() + 2 * lambda2 * param))


@pytest.mark.parametrize(
    "broken", [threshold_without_rate, half_the_ridge, ridge_first, hard_threshold, gradient_step]
)
@pytest.mark.parametrize("check", [check_prox, check_optimality])
def test_the_check_sees_the_fault(broken, check):
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize(
    "broken",
    [
        (lambda p: torch.stack([w.abs().mean() for w in p]).sum(), l2, elastic_net),
        (l1, lambda p: 0.5 * l2(p), elastic_net),
        (l1, lambda p: torch.stack([w.norm() for w in p]).sum(), elastic_net),
        (l1, l2, lambda p, a, b: b * l1(p) + a * l2(p)),
    ],
    ids=["mean", "half", "norm", "exchanged"],
)
def test_the_check_of_values_sees_the_fault(broken):
    with pytest.raises(AssertionError):
        check_values(*broken)
