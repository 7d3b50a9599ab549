"""RMSprop: torch's row against torch, TensorFlow's row against timm, both against loops and a step by hand."""

import functools
import math

import pytest
import torch
from timm.optim import RMSpropTF as TimmRMSpropTF

from dlbook.optim import RMSprop, RMSpropTF
from tests.optim.optim_checks import DEVICES, PATHS, check_loop, check_parity, parameters, set_gradients

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


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("momentum", MOMENTA)
def test_equals_torch(momentum, device, foreach):
    options = OPTIONS | {"momentum": momentum}
    check_parity(
        functools.partial(RMSprop, **options),
        functools.partial(torch.optim.RMSprop, **options),
        device,
        foreach,
    )


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("momentum", MOMENTA)
def test_the_other_row_equals_timm(momentum, device, foreach):
    options = OPTIONS | {"momentum": momentum}
    check_parity(
        functools.partial(RMSpropTF, **options), functools.partial(TimmRMSpropTF, **options), device, foreach
    )


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("momentum", MOMENTA)
@pytest.mark.parametrize(("row", "loop"), [(RMSprop, torch_loop), (RMSpropTF, tensorflow_loop)])
def test_equals_a_loop(row, loop, momentum, foreach):
    check_loop(
        functools.partial(row, **OPTIONS, momentum=momentum),
        functools.partial(loop, mu=momentum),
        foreach=foreach,
    )


def test_a_step_by_hand():
    """g = 6, alpha = 3/4, eps = 7: torch's row moves by 6 / (3 + 7), TensorFlow's by 6 / sqrt(3/4 + 9 + 7)."""
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
