"""AdaGrad: torch's walk, a loop in plain numbers, a step by hand, and seeded faults."""

import functools
import math

import pytest
import torch

from dlbook.optim import Adagrad, adagrad
from tests.optim.optim_checks import DEVICES, PATHS, check_loop, check_parity
from tests.seeded import check_sees

EPS = 1e-2  # large, so that its place shows
OPTIONS = {"eps": EPS, "initial_accumulator_value": 0.3}


def adagrad_loop(theta, grads, rates, weight_decay):
    """Duchi et al., figure 1, diagonal: H = delta + sqrt(sum of g^2)."""
    seen, path = [], []
    for g, eta in zip(grads, rates, strict=True):
        seen.append(g + weight_decay * theta)
        theta -= eta * seen[-1] / (EPS + math.sqrt(0.3 + sum(s * s for s in seen)))
        path.append(theta)
    return path


def check_torch(row, device="cpu", foreach=False):
    theirs = functools.partial(torch.optim.Adagrad, **OPTIONS)
    check_parity(functools.partial(row, **OPTIONS), theirs, device, foreach)


def check_paper(row, foreach=False):
    check_loop(functools.partial(row, **OPTIONS), adagrad_loop, foreach=foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_equals_torch(device, foreach):
    check_torch(Adagrad, device, foreach)


def test_defaults_equal_torch():
    check_parity(Adagrad, torch.optim.Adagrad)


@pytest.mark.parametrize("foreach", PATHS)
def test_equals_the_papers_loop(foreach):
    check_paper(Adagrad, foreach)


def test_two_steps_by_hand():
    """Gradients 3, then 4: theta = -eta 3/3, then -eta 4/5 more."""
    weight = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = Adagrad([weight], lr=0.5, eps=0.0)
    for grad in (3.0, 4.0):
        weight.grad = torch.tensor(grad, dtype=torch.float64)
        optimizer.step()
    assert weight.item() == -0.5 - 0.4


FAULTS = {  # what is wrong: the name, the source, the faulty source, the check that has to see it
    "eps inside the root": ("Adagrad", "total.sqrt().add_(eps)", "total.add(eps).sqrt_()", check_torch),
    "forgets": ("Adagrad", "total.addcmul_(grad, grad)", "total.mul_(0.9).addcmul_(grad, grad)", check_paper),
    "first sum ignored": (
        "Adagrad",
        'torch.full_like(param, group["initial_accumulator_value"])',
        "torch.zeros_like(param)",
        functools.partial(check_torch, foreach=True),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, adagrad, name, old, new)
