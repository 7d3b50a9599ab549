"""Adam and AdamW: torch's walk, the papers' loops, steps by hand, and what decoupling changes."""

import functools
import math

import pytest
import torch

from dlbook.optim import Adam, AdamW, PaperAdamW
from tests.optim.optim_checks import DEVICES, PATHS, check_loop, check_parity, parameters, run, two_groups

OPTIONS = {"betas": (0.8, 0.95), "eps": 1e-2}
TORCH = {"adam": (Adam, torch.optim.Adam), "adamw": (AdamW, torch.optim.AdamW)}


def moments(grads):
    """mhat and vhat of Kingma & Ba, algorithm 1, after each gradient, as sums of all gradients (eq. 1)."""
    for t in range(1, len(grads) + 1):
        m = sum(0.2 * 0.8 ** (t - i) * g for i, g in enumerate(grads[:t], 1))
        v = sum(0.05 * 0.95 ** (t - i) * g * g for i, g in enumerate(grads[:t], 1))
        yield m / (1 - 0.8**t), v / (1 - 0.95**t)


def adam_loop(theta, grads, rates, weight_decay):
    seen, path = [], []
    for g, alpha in zip(grads, rates, strict=True):
        seen.append(g + weight_decay * theta)
        m, v = list(moments(seen))[-1]
        theta -= alpha * m / (math.sqrt(v) + 1e-2)
        path.append(theta)
    return path


def paper_loop(theta, grads, rates, weight_decay, alphas=(0.05, 0.02)):
    """Loshchilov & Hutter, algorithm 2, line 12; alpha is the group's base rate, eta_t the schedule's factor."""
    alpha = alphas[rates[4] != alphas[0]]  # step 4 has the factor 1
    path = []
    for (m, v), rate in zip(moments(grads), rates, strict=True):
        eta = rate / alpha
        theta = theta - eta * (alpha * m / (math.sqrt(v) + 1e-2) + weight_decay * theta)
        path.append(theta)
    return path


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", TORCH)
def test_equals_torch(name, device, foreach):
    ours, theirs = TORCH[name]
    check_parity(functools.partial(ours, **OPTIONS), functools.partial(theirs, **OPTIONS), device, foreach)


@pytest.mark.parametrize("name", TORCH)
def test_defaults_equal_torch(name):
    check_parity(*TORCH[name])


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize(("row", "loop"), [(Adam, adam_loop), (PaperAdamW, paper_loop)])
def test_equals_the_papers_loop(row, loop, foreach):
    check_loop(functools.partial(row, **OPTIONS), loop, foreach=foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_the_papers_row_equals_torch_with_lambda_over_alpha(device, foreach):
    """alpha 0.05 and 0.02 in the two groups; lambda 0.1 and 0.3; torch has 2 and 15."""
    mine, other = parameters(device=device), parameters(device=device)
    ours = PaperAdamW(two_groups(mine, decays=(0.1, 0.3)), **OPTIONS, foreach=foreach)
    theirs = torch.optim.AdamW(two_groups(other, decays=(0.1 / 0.05, 0.3 / 0.02)), **OPTIONS)
    for a, b in zip(run(ours, mine)[-1], run(theirs, other)[-1], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_the_papers_decay_does_not_follow_alpha():
    """Without gradients only the decay is left: (1 - lambda)^3 whatever alpha is, and (1 - eta lambda) under
    a schedule.
    """
    for alpha in (1e-3, 0.5):
        weight = torch.ones((), dtype=torch.float64, requires_grad=True)
        optimizer = PaperAdamW([weight], lr=alpha, weight_decay=0.1)
        for factor in (1.0, 1.0, 0.5):
            optimizer.param_groups[0]["lr"] = factor * alpha
            weight.grad = torch.zeros_like(weight)
            optimizer.step()
        assert math.isclose(weight.item(), 0.9 * 0.9 * 0.95, rel_tol=1e-14)


def test_alpha_is_kept_in_the_state():
    """A run that resumes in the middle of a schedule still knows alpha."""
    weight = torch.ones(2, requires_grad=True)
    first = PaperAdamW([weight], lr=0.1)
    first.param_groups[0]["lr"] = 0.01
    second = PaperAdamW([weight], lr=0.3)
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["base_lr"] == 0.1 and math.isclose(
        second.decay(second.param_groups[0]), 0.1 * 0.01
    )


def test_two_steps_by_hand():
    """Gradients 3 and 4 with beta1 = beta2 = 1/2, eps = 1: m = 3/2, 11/4; v = 9/2, 41/4; corrections 1/2 and
    3/4.

    step 1: mhat = 3, sqrt(vhat) = 3, theta = -3/4;  step 2: mhat = 11/3, vhat = 41/3.
    """
    weight = torch.zeros((), dtype=torch.float64, requires_grad=True)
    for foreach in (False, True):
        with torch.no_grad():
            weight.zero_()
        optimizer = Adam([weight], lr=1.0, betas=(0.5, 0.5), eps=1.0, foreach=foreach)
        for grad, end in ((3.0, -3 / 4), (4.0, -3 / 4 - 11 / 3 / (math.sqrt(41 / 3) + 1))):
            weight.grad = torch.tensor(grad, dtype=torch.float64)
            optimizer.step()
            assert math.isclose(weight.item(), end, rel_tol=1e-15)


def test_decay_in_the_gradient_spares_large_gradients():
    """Gradients of mean 0 and sizes 1 and 0.01 on two weights at 1: AdamW shrinks both alike, Adam the second
    one more than twice as much.
    """
    shrunk = {}
    for row in (Adam, AdamW):
        weight = torch.ones(2, dtype=torch.float64, requires_grad=True)
        optimizer = row([weight], lr=1e-3, weight_decay=0.01)
        for step in range(1000):
            weight.grad = torch.tensor([1.0, 0.01], dtype=torch.float64) * (-1) ** step
            optimizer.step()
        shrunk[row] = (1 - weight).tolist()
    assert abs(shrunk[AdamW][0] - shrunk[AdamW][1]) < 1e-3
    assert shrunk[Adam][1] > 2 * shrunk[Adam][0]
