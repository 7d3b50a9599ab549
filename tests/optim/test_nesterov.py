"""Nesterov's momentum: torch's walk, Sutskever's equations with theta and v, steps by hand; seeded faults."""

import functools

import pytest
import torch

from dlbook.optim import Nesterov, SutskeverNesterov, nesterov
from tests.optim.optim_checks import (
    DEVICES,
    PATHS,
    RATES,
    STEADY,
    check_gradients_stay,
    check_loop,
    check_parity,
    parameters,
    run,
    set_gradients,
    two_groups,
)
from tests.seeded import check_sees

TORCH = functools.partial(torch.optim.SGD, momentum=0.8, nesterov=True)


def sutskever_loop(x, grads, rates, weight_decay, mu=0.8):
    """Sutskever et al., eq. 3 and 4, with theta and v kept; the walk of the look-ahead point theta + mu v."""
    theta, v, path = x, 0.0, []
    for g, eta in zip(grads, rates, strict=True):
        v = mu * v - eta * (g + weight_decay * (theta + mu * v))
        theta += v
        path.append(theta + mu * v)
    return path


def check_torch(row, device="cpu", foreach=False, rates=RATES):
    check_parity(functools.partial(row, lr=1.0, momentum=0.8), TORCH, device, foreach, rates)


def check_paper(row, device="cpu", foreach=False):
    check_loop(functools.partial(row, lr=1.0, momentum=0.8), sutskever_loop, device, foreach)


def check_own_memory(row, foreach=False):
    check_gradients_stay(functools.partial(row, lr=0.1), foreach)


def check_schedule_of_momentum(row, foreach=False):
    """Sutskever et al. with mu_t: the gradient at theta + mu_t v, where mu_t was set one step before."""
    mus = [0.5 + 0.02 * step for step in range(20)]
    params = parameters()
    optimizer = row(params, lr=0.05, momentum=mus[0], foreach=foreach)
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


def check_late_parameter(row, foreach=False):
    """Of two parameters in one group one gets its first gradient later: each keeps the mu of its own step.

    The mu changes meanwhile, so that the list form has to take a mu for each parameter.
    """
    mus, ends = [0.5, 0.6, 0.7, 0.8, 0.9], []
    for together in (True, False):
        params = parameters(((3, 4), (5,)))
        groups = [params] if together else [[param] for param in params]
        optimizers = [row(group, lr=0.05, momentum=mus[0], foreach=foreach) for group in groups]
        for step, mu in enumerate(mus):
            set_gradients(params, step)
            if step % 2:
                params[1].grad = None
            for optimizer in optimizers:
                optimizer.param_groups[0]["momentum"] = mu
                optimizer.step()
        ends.append([param.detach() for param in params])
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-14)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_equals_torch(device, foreach):
    check_torch(Nesterov, device, foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_sutskevers_row_equals_its_papers_loop(device, foreach):
    check_paper(SutskeverNesterov, device, foreach)


@pytest.mark.parametrize("foreach", PATHS)
def test_sutskevers_row_equals_torch_while_the_rate_is_constant(foreach):
    check_torch(SutskeverNesterov, foreach=foreach, rates=STEADY)


def test_sutskevers_row_parts_from_torch_when_the_rate_changes():
    """A claim of the docstring: by more than a hundredth over these steps."""
    paths = []
    for make in (functools.partial(SutskeverNesterov, momentum=0.8, lr=1.0), TORCH):
        params = parameters()
        paths.append(run(make(two_groups(params)), params, rates=RATES))
    assert max(float((a - b).abs().max()) for a, b in zip(paths[0][-1], paths[1][-1], strict=True)) > 1e-2


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize(("row", "end"), [(Nesterov, 3 / 32), (SutskeverNesterov, 1 / 32)])
def test_two_steps_by_hand(row, end, foreach):
    """f = theta^2 from 1 with eta = 1/4, mu = 1/2; the rate falls to 1/8 for the second step.

    All numbers are exact in binary.
    nesterov:  v = 2, x = 1 - (2 + 1)/4 = 1/4;  g = 1/2, v = 3/2, x = 1/4 - (1/2 + 3/4)/8 = 3/32
    sutskever: v = -1/2, x = 1/2 - 1/4 = 1/4;  v = -1/4 - 1/16 = -5/16, theta = 3/16, x = 3/16 - 5/32 = 1/32
    """
    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    optimizer = row([weight], lr=0.25, momentum=0.5, foreach=foreach)
    for lr in (0.25, 0.125):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        weight.square().backward()
        optimizer.step()
    assert weight.item() == end
    if row is SutskeverNesterov:
        assert optimizer.iterate(weight).item() == 3 / 16


@pytest.mark.parametrize("foreach", PATHS)
def test_a_schedule_of_momentum_stays_exact(foreach):
    check_schedule_of_momentum(SutskeverNesterov, foreach)


@pytest.mark.parametrize("foreach", PATHS)
def test_each_parameter_keeps_the_momentum_of_its_own_step(foreach):
    check_late_parameter(SutskeverNesterov, foreach)


def test_iterate_before_the_first_step():
    weight = torch.ones(2, requires_grad=True)
    assert torch.equal(SutskeverNesterov([weight], lr=0.1).iterate(weight), weight)


ADD = "velocity.mul_(momentum).add_(grad)"
MOVE = "param.sub_(grad.add(velocity, alpha=momentum), alpha=lr)"
MANY = """torch._foreach_sub_(params, grads, alpha=lr)
    torch._foreach_sub_(params, velocities, alpha=lr * momentum)"""
SCRATCH = """torch._foreach_add_(grads, velocities, alpha=momentum)
    torch._foreach_sub_(params, grads, alpha=lr)"""
AHEAD = """param.sub_(velocity)  # theta
    velocity.sub_(grad, alpha=lr)
    param.add_(velocity, alpha=1 + momentum)"""
SUTSKEVER = 'sutskever_step(param, grad, state["velocity"], state["ahead"], *given)'
FAULTS = {  # what is wrong: the name, the source, the faulty source, the check that has to see it
    "no look-ahead": ("Nesterov", MOVE, "param.sub_(velocity, alpha=lr)", check_torch),
    "old velocity": ("Nesterov", f"{ADD}\n    {MOVE}", f"{MOVE}\n    {ADD}", check_torch),
    "gradients as scratch": ("Nesterov", MANY, SCRATCH, functools.partial(check_own_memory, foreach=True)),
    "sutskever: theta kept": (
        "SutskeverNesterov",
        AHEAD,
        "velocity.sub_(grad, alpha=lr)\n    param.add_(velocity)",
        check_paper,
    ),
    "sutskever: torch's form": (
        "SutskeverNesterov",
        SUTSKEVER,
        'nesterov_step(param, grad, state["velocity"], *given)',
        check_paper,
    ),
    "sutskever: momentum of another step": (
        "SutskeverNesterov",
        "velocity.mul_(ahead)",
        "velocity.mul_(momentum)",
        check_schedule_of_momentum,
    ),
    "sutskever: one momentum for the list": (
        "SutskeverNesterov",
        "torch._foreach_mul_(velocities, aheads)",
        "torch._foreach_mul_(velocities, aheads[0])",
        functools.partial(check_late_parameter, foreach=True),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, nesterov, name, old, new)
