"""Heavy-ball momentum: torch's walk, Polyak's two-point form, two steps by hand, a ravine; seeded faults."""

import functools

import pytest
import torch

from dlbook.optim import SGD, Momentum, Nesterov, PolyakMomentum, momentum
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
    two_groups,
)
from tests.seeded import check_sees

TORCH = functools.partial(torch.optim.SGD, momentum=0.8)


def heavy_ball_loop(theta, grads, rates, weight_decay, mu=0.8):
    """Polyak's two-point form: theta' = theta - eta g + mu (theta - theta_before)."""
    before, path = theta, []
    for g, eta in zip(grads, rates, strict=True):
        theta, before = theta - eta * (g + weight_decay * theta) + mu * (theta - before), theta
        path.append(theta)
    return path


def check_torch(row, device="cpu", foreach=False, rates=RATES):
    check_parity(functools.partial(row, lr=1.0, momentum=0.8), TORCH, device, foreach, rates)


def check_paper(row, device="cpu", foreach=False):
    check_loop(functools.partial(row, lr=1.0, momentum=0.8), heavy_ball_loop, device, foreach)


def check_own_memory(row, foreach=False):
    check_gradients_stay(functools.partial(row, lr=0.1), foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_equals_torch(device, foreach):
    check_torch(Momentum, device, foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_polyaks_row_equals_its_papers_loop(device, foreach):
    check_paper(PolyakMomentum, device, foreach)


@pytest.mark.parametrize("foreach", PATHS)
def test_polyaks_row_equals_torch_while_the_rate_is_constant(foreach):
    check_torch(PolyakMomentum, foreach=foreach, rates=STEADY)


def test_polyaks_row_parts_from_torch_when_the_rate_changes():
    """A claim of the docstring: by more than a hundredth over these steps."""
    paths = []
    for make in (functools.partial(PolyakMomentum, momentum=0.8, lr=1.0), TORCH):
        params = parameters()
        paths.append(run(make(two_groups(params)), params, rates=RATES))
    assert max(float((a - b).abs().max()) for a, b in zip(paths[0][-1], paths[1][-1], strict=True)) > 1e-2


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize(("row", "end"), [(Momentum, 1 / 4), (PolyakMomentum, 1 / 8)])
def test_two_steps_by_hand(row, end, foreach):
    """f = theta^2 from 1 with eta = 1/4, mu = 1/2; the rate falls to 1/8 for the second step.

    All numbers are exact in binary.
    momentum:  v = 2, theta = 1/2;  v = 1 + 1 = 2,           theta = 1/2 - 2/8 = 1/4
    polyak:    v = -1/2, theta = 1/2;  v = -1/4 - 1/8 = -3/8, theta = 1/8
    """
    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    optimizer = row([weight], lr=0.25, momentum=0.5, foreach=foreach)
    for lr in (0.25, 0.125):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        weight.square().backward()
        optimizer.step()
    assert weight.item() == end


@pytest.mark.parametrize("row", [Momentum, Nesterov])
def test_momentum_wins_in_a_ravine(row):
    """100 steps along x^2 + 100 y^2: momentum ends at least 100 times lower than plain descent.

    Plain descent has its best rate, 2 / (2 + 200).
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


STEP = "velocity.mul_(momentum).add_(grad)\n    param.sub_(velocity, alpha=lr)"
MANY = "torch._foreach_add_(velocities, grads)\n    torch._foreach_sub_(params, velocities, alpha=lr)"
POLYAK = "velocity.mul_(momentum).sub_(grad, alpha=lr)\n    param.add_(velocity)"
DECAY = "grad = grad.add(param, alpha=weight_decay)\n    velocity.mul_(momentum).add_"
lists = functools.partial(check_torch, foreach=True)
FAULTS = {  # what is wrong: the name, the source, the faulty source, the check that has to see it
    "dampened": ("Momentum", ".add_(grad)\n", ".add_(grad, alpha=1 - momentum)\n", check_torch),
    "first step lost": (
        "Momentum",
        STEP,
        "param.sub_(velocity, alpha=lr)\n    velocity.mul_(momentum).add_(grad)",
        check_torch,
    ),
    "rate inside": (
        "Momentum",
        STEP,
        "velocity.mul_(momentum).add_(grad, alpha=lr)\n    param.sub_(velocity)",
        check_torch,
    ),
    "rate inside, lists": (
        "Momentum",
        MANY,
        "torch._foreach_add_(velocities, grads, alpha=lr)\n    torch._foreach_sub_(params, velocities)",
        lists,
    ),
    "decay changes the gradient": (
        "Momentum",
        DECAY,
        "grad.add_(param, alpha=weight_decay)\n    velocity.mul_(momentum).add_",
        check_own_memory,
    ),
    "the buffer is the gradient": (
        "Momentum",
        'return {"momentum_buffer": torch.zeros_like(param)}',
        'return {"momentum_buffer": param.grad}',
        functools.partial(check_own_memory, foreach=True),
    ),
    "polyak: rate outside": (
        "PolyakMomentum",
        POLYAK,
        "velocity.mul_(momentum).sub_(grad)\n    param.add_(velocity, alpha=lr)",
        check_paper,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, momentum, name, old, new)
