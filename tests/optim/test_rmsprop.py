"""RMSprop: torch's row against torch, TensorFlow's against timm, both against loops; seeded faults."""

import functools
import math

import pytest
import torch
from timm.optim import RMSpropTF as TimmRMSpropTF

from dlbook.optim import RMSprop, RMSpropTF, rmsprop
from tests.optim.optim_checks import DEVICES, PATHS, check_loop, check_parity, parameters, set_gradients
from tests.seeded import check_sees

EPS = 1e-2
OPTIONS = {"alpha": 0.8, "eps": EPS}
MOMENTA = [0.0, 0.7]


def torch_loop(theta, grads, rates, weight_decay, mu):
    s, v, path = 0.0, 0.0, []
    for g, eta in zip(grads, rates, strict=True):
        g += weight_decay * theta
        s = 0.8 * s + 0.2 * g * g
        v = mu * v + g / (math.sqrt(s) + EPS)
        theta -= eta * v
        path.append(theta)
    return path


def tensorflow_loop(theta, grads, rates, weight_decay, mu):
    s, v, path = 1.0, 0.0, []
    for g, eta in zip(grads, rates, strict=True):
        g += weight_decay * theta
        s = 0.8 * s + 0.2 * g * g
        v = mu * v + eta * g / math.sqrt(s + EPS)
        theta -= v
        path.append(theta)
    return path


def check_torch(row, momentum=0.7, device="cpu", foreach=False):
    options = OPTIONS | {"momentum": momentum}
    theirs = functools.partial(torch.optim.RMSprop, **options)
    check_parity(functools.partial(row, **options), theirs, device, foreach)


def check_timm(row, momentum=0.7, device="cpu", foreach=False):
    options = OPTIONS | {"momentum": momentum}
    theirs = functools.partial(TimmRMSpropTF, **options)
    check_parity(functools.partial(row, **options), theirs, device, foreach)


def check_numbers(row, loop=torch_loop, momentum=0.7, foreach=False):
    ours = functools.partial(row, **OPTIONS, momentum=momentum)
    check_loop(ours, functools.partial(loop, mu=momentum), foreach=foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("momentum", MOMENTA)
def test_equals_torch(momentum, device, foreach):
    check_torch(RMSprop, momentum, device, foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("momentum", MOMENTA)
def test_the_other_row_equals_timm(momentum, device, foreach):
    check_timm(RMSpropTF, momentum, device, foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("momentum", MOMENTA)
@pytest.mark.parametrize(("row", "loop"), [(RMSprop, torch_loop), (RMSpropTF, tensorflow_loop)])
def test_equals_a_loop(row, loop, momentum, foreach):
    check_numbers(row, loop, momentum, foreach)


def test_a_step_by_hand():
    """g = 6, alpha = 3/4, eps = 7: torch's row moves by 6 / (3 + 7), the other by 6 / sqrt(3/4 + 9 + 7)."""
    for row, moved in ((RMSprop, 0.6), (RMSpropTF, 6 / math.sqrt(16.75))):
        weight = torch.zeros((), dtype=torch.float64, requires_grad=True)
        weight.grad = torch.tensor(6.0, dtype=torch.float64)
        row([weight], lr=1.0, alpha=0.75, eps=7.0).step()
        assert math.isclose(-weight.item(), moved, rel_tol=1e-15)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("row", [RMSprop, RMSpropTF])
def test_momentum_that_is_asked_for_later_begins_at_rest(row, foreach):
    params = parameters()
    optimizer = row(params, foreach=foreach)
    set_gradients(params, 0)
    optimizer.step()
    assert "momentum_buffer" not in optimizer.state[params[0]]
    optimizer.param_groups[0]["momentum"] = 0.9
    optimizer.step()
    assert all("momentum_buffer" in optimizer.state[param] for param in params)


MOVE = "addcdiv_(grad, root)\n        param.sub_(velocity, alpha=lr)"
TF_MOVE = "addcdiv_(grad, root, value=lr)\n        param.sub_(velocity)"
TF_MANY = """torch._foreach_addcdiv_(velocities, grads, roots, value=lr)
        torch._foreach_sub_(params, velocities)"""
AVERAGE = "square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)\n    root = square.sqrt()"
lists = functools.partial(check_timm, foreach=True)
FAULTS = {  # what is wrong: the name, the source, the faulty source, the check that has to see it
    "eps inside": (
        "RMSprop",
        "root = square.sqrt().add_(eps)",
        "root = square.add(eps).sqrt_()",
        check_torch,
    ),
    "rate inside": ("RMSprop", MOVE, TF_MOVE, check_torch),
    "begins at 1": (
        "RMSprop",
        '"square_avg": torch.zeros_like',
        '"square_avg": torch.ones_like',
        check_torch,
    ),
    "alpha exchanged": (
        "RMSprop",
        AVERAGE,
        "square.mul_(1 - alpha).addcmul_(grad, grad, value=alpha)\n    root = square.sqrt()",
        check_numbers,
    ),
    "tf: eps outside": (
        "RMSpropTF",
        "root = square.add(eps).sqrt_()",
        "root = square.sqrt().add_(eps)",
        check_timm,
    ),
    "tf: rate outside": ("RMSpropTF", TF_MOVE, MOVE, check_timm),
    "tf: rate outside, lists": (
        "RMSpropTF",
        TF_MANY,
        TF_MANY.replace(", value=lr", "").replace("params, velocities", "params, velocities, alpha=lr"),
        lists,
    ),
    "tf: eps outside, lists": (
        "RMSpropTF",
        "roots = torch._foreach_add(squares, eps)\n    torch._foreach_sqrt_(roots)",
        "roots = torch._foreach_sqrt(squares)\n    torch._foreach_add_(roots, eps)",
        lists,
    ),
    "tf: begins at 0": ("RMSpropTF", "torch.ones_like(param)", "torch.zeros_like(param) * 1", check_timm),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, rmsprop, name, old, new)
