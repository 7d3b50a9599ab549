"""Adam: torch's walk, the paper's moments as sums of all gradients, two steps by hand; seeded faults."""

import functools
import math

import pytest
import torch

from dlbook.optim import Adam, adam
from tests.optim.optim_checks import DEVICES, PATHS, adam_moments, check_loop, check_parity, check_skips
from tests.seeded import check_sees

OPTIONS = {"betas": (0.8, 0.95), "eps": 1e-2}


def adam_loop(theta, grads, rates, weight_decay):
    """Kingma & Ba, algorithm 1, with weight decay in the gradient."""
    seen, path = [], []
    for g, alpha in zip(grads, rates, strict=True):
        seen.append(g + weight_decay * theta)
        m, v = adam_moments(seen)
        theta -= alpha * m / (math.sqrt(v) + 1e-2)
        path.append(theta)
    return path


def check_torch(row, device="cpu", foreach=False, decays=(0.1, 0.0)):
    theirs = functools.partial(torch.optim.Adam, **OPTIONS)
    check_parity(functools.partial(row, **OPTIONS), theirs, device, foreach, decays=decays)


def check_paper(row, foreach=False):
    check_loop(functools.partial(row, **OPTIONS), adam_loop, foreach=foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_equals_torch(device, foreach):
    check_torch(Adam, device, foreach)


def test_defaults_equal_torch():
    check_parity(Adam, torch.optim.Adam)


@pytest.mark.parametrize("foreach", PATHS)
def test_equals_the_papers_loop(foreach):
    check_paper(Adam, foreach)


@pytest.mark.parametrize("foreach", PATHS)
def test_two_steps_by_hand(foreach):
    """Gradients 3 and 4, beta1 = beta2 = 1/2, eps = 1: m = 3/2, 11/4; v = 9/2, 41/4; corrections 1/2, 3/4.

    step 1: mhat = 3, sqrt(vhat) = 3, theta = -3/4;  step 2: mhat = 11/3, vhat = 41/3.
    """
    weight = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = Adam([weight], lr=1.0, betas=(0.5, 0.5), eps=1.0, foreach=foreach)
    for grad, end in ((3.0, -3 / 4), (4.0, -3 / 4 - 11 / 3 / (math.sqrt(41 / 3) + 1))):
        weight.grad = torch.tensor(grad, dtype=torch.float64)
        optimizer.step()
        assert math.isclose(weight.item(), end, rel_tol=1e-15)


plain = functools.partial(check_torch, decays=(0.0, 0.0))
ROOT = "square.sqrt().div_(math.sqrt(1 - beta2**step)).add_(eps)\n    param.addcdiv_(mean, root, value=-lr"
FAULTS = {  # what is wrong: the name, the source, the faulty source, the check that has to see it
    "no correction": (
        "Adam",
        f"{ROOT} / (1 - beta1**step))",
        "square.sqrt().add_(eps)\n    param.addcdiv_(mean, root, value=-lr)",
        plain,
    ),
    "folded, eps not scaled": (
        "Adam",
        ROOT,
        "square.sqrt().add_(eps)\n    param.addcdiv_(mean, root, value=-lr * math.sqrt(1 - beta2**step)",
        plain,
    ),
    "eps by the root of 1 - beta2^t": (
        "Adam",
        ".add_(eps)",
        ".add_(eps * math.sqrt(1 - beta2**step))",
        plain,
    ),
    "t counted from 2": ("Adam", 'state["step"], *given)', 'state["step"] + 1, *given)', plain),
    "betas exchanged": (
        "Adam",
        "beta1, beta2 = betas\n    if weight_decay:\n        grad =",
        "beta2, beta1 = betas\n    if weight_decay:\n        grad =",
        plain,
    ),
    "decoupled decay": (
        "Adam",
        "grad = grad.add(param, alpha=weight_decay)",
        "param.mul_(1 - lr * weight_decay)",
        check_torch,
    ),
    "decay with the wrong sign": ("Adam", "grad.add(param, alpha=", "grad.sub(param, alpha=", check_paper),
    "one t for all": (
        "Adam",
        "corrections = [math.sqrt(1 - beta2**step) for step in steps]",
        "corrections = [math.sqrt(1 - beta2 ** steps[-1]) for step in steps]",
        functools.partial(check_skips, foreach=True),
    ),
    "one t for all, first moment": (
        "Adam",
        "(1 - beta1**step) for step, correction",
        "(1 - beta1 ** steps[-1]) for step, correction",
        functools.partial(check_skips, foreach=True),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, adam, name, old, new)
