"""Plain gradient descent: torch's walk, a step by hand, and a seeded fault."""

import functools

import pytest
import torch

from dlbook.optim import SGD, sgd
from tests.optim.optim_checks import DEVICES, PATHS, check_parity
from tests.seeded import check_sees


def check_torch(row, device="cpu", foreach=False):
    check_parity(functools.partial(row, lr=1.0), torch.optim.SGD, device, foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_equals_torch(device, foreach):
    check_torch(SGD, device, foreach)


@pytest.mark.parametrize("foreach", PATHS)
def test_a_step_by_hand(foreach):
    """f = theta^2 from 1 with eta = 1/4 and lambda = 1/2: theta = 1 - (2 + 1/2) / 4."""
    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    weight.square().backward()
    SGD([weight], lr=0.25, weight_decay=0.5, foreach=foreach).step()
    assert weight.item() == 1 - 2.5 / 4


DECAY = "grad = grad.add(param, alpha=weight_decay)"
FAULTS = {  # what is wrong: the name, the source, the faulty source, the check that has to see it
    "twice the decay": ("SGD", DECAY, "grad = grad.add(param, alpha=2 * weight_decay)", check_torch),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, sgd, name, old, new)
