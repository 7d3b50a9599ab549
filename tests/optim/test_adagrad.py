"""AdaGrad: torch's walk, a loop in plain numbers, a step by hand."""

import functools
import math

import pytest
import torch

from dlbook.optim import Adagrad
from tests.optim.optim_checks import DEVICES, PATHS, check_loop, check_parity

EPS = 1e-2  # large, so that its place shows
MAKE = functools.partial(Adagrad, eps=EPS, initial_accumulator_value=0.3)
TORCH = functools.partial(torch.optim.Adagrad, eps=EPS, initial_accumulator_value=0.3)


def adagrad_loop(theta, grads, rates, weight_decay):
    """Duchi et al., figure 1, diagonal: H = delta + sqrt(sum of g^2)."""
    seen, path = [], []
    for g, eta in zip(grads, rates, strict=True):
        seen.append(g + weight_decay * theta)
        theta -= eta * seen[-1] / (EPS + math.sqrt(0.3 + sum(s * s for s in seen)))
        path.append(theta)
    return path


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_equals_torch(device, foreach):
    check_parity(MAKE, TORCH, device, foreach)


def test_defaults_equal_torch():
    check_parity(Adagrad, torch.optim.Adagrad)


@pytest.mark.parametrize("foreach", PATHS)
def test_equals_the_papers_loop(foreach):
    check_loop(MAKE, adagrad_loop, foreach=foreach)


def test_two_steps_by_hand():
    """Gradients 3, then 4: theta = -eta 3/3, then -eta 4/5 more."""
    weight = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = Adagrad([weight], lr=0.5, eps=0.0)
    for grad in (3.0, 4.0):
        weight.grad = torch.tensor(grad, dtype=torch.float64)
        optimizer.step()
    assert weight.item() == -0.5 - 0.4
