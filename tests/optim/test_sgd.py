"""SGD and its four momenta: torch's walk, a hand-computed step, loops in plain numbers, and where the forms
part.
"""

import functools

import pytest
import torch

from dlbook.optim import SGD, Momentum, Nesterov, PolyakMomentum, SutskeverNesterov
from tests.optim.optim_checks import (
    DEVICES,
    PATHS,
    RATES,
    check_loop,
    check_parity,
    parameters,
    run,
    set_gradients,
    two_groups,
)

STEADY = (1.0,) * 20


def heavy_ball_loop(theta, grads, rates, weight_decay, mu=0.8):
    """Polyak's two-point form: theta' = theta - eta g + mu (theta - theta_before)."""
    before, path = theta, []
    for g, eta in zip(grads, rates, strict=True):
        theta, before = theta - eta * (g + weight_decay * theta) + mu * (theta - before), theta
        path.append(theta)
    return path


def sutskever_loop(x, grads, rates, weight_decay, mu=0.8):
    """Sutskever et al., eq. 3 and 4, with theta and v kept; the walk of the look-ahead point theta + mu v."""
    theta, v, path = x, 0.0, []
    for g, eta in zip(grads, rates, strict=True):
        v = mu * v - eta * (g + weight_decay * (theta + mu * v))
        theta += v
        path.append(theta + mu * v)
    return path


TORCH = {
    "sgd": (functools.partial(SGD, lr=1.0), torch.optim.SGD),
    "momentum": (
        functools.partial(Momentum, lr=1.0, momentum=0.8),
        functools.partial(torch.optim.SGD, momentum=0.8),
    ),
    "nesterov": (
        functools.partial(Nesterov, lr=1.0, momentum=0.8),
        functools.partial(torch.optim.SGD, momentum=0.8, nesterov=True),
    ),
}
SAME_AT_A_CONSTANT_RATE = {
    "polyak": (functools.partial(PolyakMomentum, lr=1.0, momentum=0.8), TORCH["momentum"][1]),
    "sutskever": (functools.partial(SutskeverNesterov, lr=1.0, momentum=0.8), TORCH["nesterov"][1]),
}
LOOPS = {
    "polyak": (functools.partial(PolyakMomentum, lr=1.0, momentum=0.8), heavy_ball_loop),
    "sutskever": (functools.partial(SutskeverNesterov, lr=1.0, momentum=0.8), sutskever_loop),
}


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", TORCH)
def test_equals_torch(name, device, foreach):
    check_parity(*TORCH[name], device=device, foreach=foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", LOOPS)
def test_equals_its_papers_loop(name, device, foreach):
    check_loop(*LOOPS[name], device=device, foreach=foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("name", SAME_AT_A_CONSTANT_RATE)
def test_equals_torch_while_the_rate_is_constant(name, foreach):
    check_parity(*SAME_AT_A_CONSTANT_RATE[name], foreach=foreach, rates=STEADY)


@pytest.mark.parametrize("name", SAME_AT_A_CONSTANT_RATE)
def test_parts_from_torch_when_the_rate_changes(name):
    """A claim of the docstring: by more than a hundredth over these steps."""
    paths = []
    for make in SAME_AT_A_CONSTANT_RATE[name]:
        params = parameters()
        paths.append(run(make(two_groups(params)), params, rates=RATES))
    assert max(float((a - b).abs().max()) for a, b in zip(paths[0][-1], paths[1][-1], strict=True)) > 1e-2


def test_two_steps_by_hand():
    """f = theta^2 from 1 with eta = 1/4, mu = 1/2; the rate falls to 1/8 for the second step. All numbers are
    exact in binary.

    momentum:  v = 2, theta = 1/2;  v = 1 + 1 = 2,           theta = 1/2 - 2/8 = 1/4
    polyak:    v = -1/2, theta = 1/2;  v = -1/4 - 1/8 = -3/8, theta = 1/8
    nesterov:  v = 2, x = 1 - (2 + 1)/4 = 1/4;  g = 1/2, v = 3/2, x = 1/4 - (1/2 + 3/4)/8 = 3/32
    sutskever: v = -1/2, x = 1/2 - 1/4 = 1/4;  v = -1/4 - 1/16 = -5/16, theta = 3/16, x = 3/16 - 5/32 = 1/32
    """
    ends = {Momentum: 1 / 4, PolyakMomentum: 1 / 8, Nesterov: 3 / 32, SutskeverNesterov: 1 / 32}
    for row, end in ends.items():
        weight = torch.ones((), dtype=torch.float64, requires_grad=True)
        optimizer = row([weight], lr=0.25, momentum=0.5)
        for lr in (0.25, 0.125):
            optimizer.param_groups[0]["lr"] = lr
            optimizer.zero_grad()
            weight.square().backward()
            optimizer.step()
        assert weight.item() == end, row.__name__
    assert optimizer.iterate(weight).item() == 3 / 16


@pytest.mark.parametrize("foreach", PATHS)
def test_a_schedule_of_momentum_stays_exact(foreach):
    """Sutskever et al. with mu_t: the gradient at theta + mu_t v, where mu_t was set one step before."""
    mus = [0.5 + 0.02 * step for step in range(20)]
    params = parameters()
    optimizer = SutskeverNesterov(params, lr=0.05, momentum=mus[0], foreach=foreach)
    theta, velocity = [p.detach().clone() for p in params], [torch.zeros_like(p) for p in params]
    for step in range(19):
        set_gradients(params, step)
        optimizer.param_groups[0]["momentum"] = mus[step + 1]
        velocity = [mus[step] * v - 0.05 * p.grad for v, p in zip(velocity, params, strict=True)]
        theta = [t + v for t, v in zip(theta, velocity, strict=True)]
        optimizer.step()
        for p, t, v in zip(params, theta, velocity, strict=True):
            torch.testing.assert_close(p.detach(), t + mus[step + 1] * v, rtol=0, atol=1e-12)
            torch.testing.assert_close(optimizer.iterate(p), t, rtol=0, atol=1e-12)


def test_iterate_before_the_first_step():
    weight = torch.ones(2, requires_grad=True)
    assert torch.equal(SutskeverNesterov([weight], lr=0.1).iterate(weight), weight)


@pytest.mark.parametrize("row", [Momentum, Nesterov])
def test_momentum_wins_in_a_ravine(row):
    """100 steps along x^2 + 100 y^2: momentum ends at least 100 times lower than plain descent at its best
    rate, 2 / (2 + 200).
    """
    ends = []
    for make, lr in ((SGD, 1 / 101), (row, 1 / 200)):
        weight = torch.ones(2, dtype=torch.float64, requires_grad=True)
        optimizer = make([weight], lr=lr)
        for _ in range(100):
            optimizer.zero_grad()
            loss = weight[0] ** 2 + 100 * weight[1] ** 2
            loss.backward()
            optimizer.step()
        ends.append(loss.item())
    assert ends[1] * 100 < ends[0]
