"""LARS: a loop of the paper's algorithm, timm where the two agree, steps by hand, divisions by 0; faults."""

import functools

import pytest
import torch
from timm.optim import Lars as TimmLars

from dlbook.optim import LARS, lars
from tests.optim.optim_checks import (
    DEVICES,
    PATHS,
    RATES,
    STEADY,
    assert_close,
    check_parity,
    check_paths,
    parameters,
    run,
    set_gradients,
    two_groups,
)
from tests.seeded import check_sees

OPTIONS = {"lr": 1.0, "trust_coefficient": 0.02}
LARGE = ((3, 4), (2, 3, 2, 2), (4, 3), (3, 4))


def paper_walk(device="cpu", lr=2.0, decays=(0.1, 0.05)):
    """Algorithm 1 for each layer, with norms as square roots of sums; layers with fewer than two axes: plain
    momentum.
    """
    params = parameters(device=device)
    velocity, path = [0.0] * len(params), []
    for step in range(20):
        set_gradients(params, step)
        new = []
        for number, param in enumerate(params):
            second = number >= len(params) // 2
            gamma, beta = RATES[step] * (0.4 * lr if second else lr), decays[second]
            w, g = param.detach(), param.grad
            local = 1.0
            if w.ndim > 1:
                w_norm, g_norm = (w * w).sum() ** 0.5, (g * g).sum() ** 0.5
                local = 0.02 * w_norm / (g_norm + beta * w_norm)
                g = g + beta * w
            velocity[number] = 0.8 * velocity[number] + gamma * local * g
            new.append(w - velocity[number])
        for param, value in zip(params, new, strict=True):
            param.data = value
        path.append([value.clone() for value in new])
    return path


def check_paper(row, device="cpu", foreach=False):
    params = parameters(device=device)
    groups = two_groups(params, lr=2.0, decays=(0.1, 0.05))
    assert_close(run(row(groups, **OPTIONS, momentum=0.8, foreach=foreach), params), paper_walk(device))


def check_timm(row, device="cpu", foreach=False, momentum=0.8, rates=STEADY):
    """All layers large, and a decay in both groups: without one, timm leaves out the ratio."""
    theirs = functools.partial(TimmLars, momentum=momentum, trust_coeff=0.02, eps=0.0)
    check_parity(
        functools.partial(row, **OPTIONS, momentum=momentum),
        theirs,
        device,
        foreach,
        rates,
        LARGE,
        lr=2.0,
        decays=(0.1, 0.05),
    )


def check_zeros(row, foreach=False):
    """A weight of zeros moves by the plain rate; a gradient of zeros leaves finite numbers."""
    zero, still = torch.zeros(2, 2, requires_grad=True), torch.ones(2, 2, requires_grad=True)
    zero.grad, still.grad = torch.ones(2, 2), torch.zeros(2, 2)
    row([zero, still], lr=0.5, foreach=foreach).step()
    assert torch.equal(zero.detach(), torch.full((2, 2), -0.5))
    assert torch.equal(still.detach(), torch.ones(2, 2))


def check_same_shapes(row):
    """Matrices of one shape, where a wrong order of the list form raises no error of its own."""
    check_paths(functools.partial(row, **OPTIONS, momentum=0.8), shapes=((3, 4),) * 4)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_equals_the_papers_algorithm(device, foreach):
    check_paper(LARS, device, foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("momentum", "rates"), [(0.8, STEADY), (0.0, RATES)], ids=["constant rate", "no momentum"]
)
def test_equals_timm_where_the_rate_may_be_outside(momentum, rates, device, foreach):
    check_timm(LARS, device, foreach, momentum, rates)


def test_parts_from_timm_when_the_rate_changes_under_momentum():
    with pytest.raises(AssertionError):
        check_timm(LARS, rates=RATES)


@pytest.mark.parametrize("foreach", PATHS)
def test_a_step_by_hand(foreach):
    """|w| = 5, |g| = 10, beta = 1/2, eta = 1/4: lambda = (5/4) / (10 + 5/2) = 1/10; g + beta w = (15/2, 10).
    A bias moves by gamma g.
    """
    weight = torch.tensor([[3.0, 4.0]], dtype=torch.float64, requires_grad=True)
    bias = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
    weight.grad, bias.grad = 2 * weight.detach(), torch.tensor([0.5], dtype=torch.float64)
    LARS([weight, bias], lr=2.0, weight_decay=0.5, trust_coefficient=0.25, foreach=foreach).step()
    torch.testing.assert_close(
        weight.detach(), torch.tensor([[3 - 1.5, 4 - 2.0]], dtype=torch.float64), rtol=0, atol=1e-15
    )
    assert bias.item() == 2 - 2 * 0.5


@pytest.mark.parametrize("foreach", PATHS)
def test_the_length_of_a_step_does_not_depend_on_the_gradients(foreach):
    ends = []
    for size in (1e-3, 1e3):
        weight = parameters(((4, 5),))[0]
        weight.grad = size * torch.cos(weight.detach())
        LARS([weight], lr=1.0, foreach=foreach).step()
        ends.append(weight.detach())
    torch.testing.assert_close(*ends, rtol=1e-12, atol=0)


@pytest.mark.parametrize("foreach", PATHS)
def test_zero_weights_and_zero_gradients(foreach):
    check_zeros(LARS, foreach)


def test_only_small_layers():
    """The list form with nothing to scale."""
    bias = torch.ones(3, requires_grad=True)
    bias.grad = torch.ones(3)
    LARS([bias], lr=0.5, foreach=True).step()
    assert torch.equal(bias.detach(), torch.full((3,), 0.5))


def test_both_paths_agree_for_matrices_of_one_shape():
    check_same_shapes(LARS)


RATIO = "trust_ratio(param.norm(), grad.norm(), trust_coefficient, weight_decay)"
FAULTS = {  # what is wrong: the name, the source, the faulty source, the check that has to see it
    "biases scaled": ("LARS", "    if param.ndim > 1:\n", "    if True:\n", check_paper),
    "rate outside": (
        "LARS",
        "velocity.mul_(momentum).add_(grad, alpha=lr)\n    param.sub_(velocity)",
        "velocity.mul_(momentum).add_(grad)\n    param.sub_(velocity, alpha=lr)",
        check_paper,
    ),
    "|g + beta w| for |g| + beta |w|": (
        "LARS",
        RATIO,
        "trust_ratio(param.norm(), grad.add(param, alpha=weight_decay).norm(), trust_coefficient, 0.0)",
        check_timm,
    ),
    "no decay in the ratio": (
        "LARS",
        "(grad_norm + weight_decay * weight_norm)",
        "grad_norm",
        functools.partial(check_timm, foreach=True),
    ),
    "division by 0": (
        "LARS",
        "return torch.where((weight_norm > 0) & (grad_norm > 0), ratio, 1.0)",
        "return ratio",
        check_zeros,
    ),
    "lists in another order": (
        "LARS",
        "[grads[i] for i in large]",
        "[grads[i] for i in large[::-1]]",
        check_same_shapes,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, lars, name, old, new)
