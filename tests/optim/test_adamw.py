"""AdamW: torch's walk, the paper's algorithm 2, both conventions of the decay, resuming; seeded faults."""

import functools
import math

import pytest
import torch

from dlbook.optim import Adam, AdamW, PaperAdamW, adamw
from tests.optim.optim_checks import (
    DEVICES,
    PATHS,
    adam_moments,
    check_loop,
    check_parity,
    check_skips,
    parameters,
    run,
    two_groups,
)
from tests.seeded import check_sees

OPTIONS = {"betas": (0.8, 0.95), "eps": 1e-2}


def paper_loop(theta, grads, rates, weight_decay, alphas=(0.05, 0.02)):
    """Loshchilov & Hutter, algorithm 2, line 12; alpha: a group's base rate, eta_t: the schedule's factor."""
    alpha = alphas[rates[4] != alphas[0]]  # step 4 has the factor 1
    path = []
    for t, rate in enumerate(rates, 1):
        (m, v), eta = adam_moments(grads[:t]), rate / alpha
        theta = theta - eta * (alpha * m / (math.sqrt(v) + 1e-2) + weight_decay * theta)
        path.append(theta)
    return path


def check_torch(row, device="cpu", foreach=False):
    theirs = functools.partial(torch.optim.AdamW, **OPTIONS)
    check_parity(functools.partial(row, **OPTIONS), theirs, device, foreach)


def check_paper(row, foreach=False):
    check_loop(functools.partial(row, **OPTIONS), paper_loop, foreach=foreach)


def check_alpha_is_kept(row):
    """A run that resumes in the middle of a schedule still knows alpha."""
    weight = torch.ones(2, requires_grad=True)
    first = row([weight], lr=0.1)
    first.param_groups[0]["lr"] = 0.01
    second = row([weight], lr=0.3)
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["base_lr"] == 0.1
    assert math.isclose(second.decay(second.param_groups[0]), 0.1 * 0.01)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_equals_torch(device, foreach):
    check_torch(AdamW, device, foreach)


def test_defaults_equal_torch():
    check_parity(AdamW, torch.optim.AdamW)


def test_the_default_decay_is_torchs():
    """The groups of the check above set their own decay, so this one asks for it."""
    for row in (AdamW, PaperAdamW):
        assert row([torch.ones(1, requires_grad=True)]).param_groups[0]["weight_decay"] == 1e-2


@pytest.mark.parametrize("foreach", PATHS)
def test_the_papers_row_equals_the_papers_loop(foreach):
    check_paper(PaperAdamW, foreach)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_the_papers_row_equals_torch_with_lambda_over_alpha(device, foreach):
    """alpha 0.05 and 0.02 in the two groups; lambda 0.1 and 0.3; torch has 2 and 15."""
    mine, other = parameters(device=device), parameters(device=device)
    ours = PaperAdamW(two_groups(mine, decays=(0.1, 0.3)), **OPTIONS, foreach=foreach)
    theirs = torch.optim.AdamW(two_groups(other, decays=(0.1 / 0.05, 0.3 / 0.02)), **OPTIONS)
    for a, b in zip(run(ours, mine)[-1], run(theirs, other)[-1], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_the_papers_decay_does_not_follow_alpha():
    """Without gradients only the decay is left.

    That is (1 - lambda)^3 whatever alpha is, and (1 - eta lambda) under a schedule.
    """
    for alpha in (1e-3, 0.5):
        weight = torch.ones((), dtype=torch.float64, requires_grad=True)
        optimizer = PaperAdamW([weight], lr=alpha, weight_decay=0.1)
        for factor in (1.0, 1.0, 0.5):
            optimizer.param_groups[0]["lr"] = factor * alpha
            weight.grad = torch.zeros_like(weight)
            optimizer.step()
        assert math.isclose(weight.item(), 0.9 * 0.9 * 0.95, rel_tol=1e-14)


def test_alpha_is_kept_in_the_state():
    check_alpha_is_kept(PaperAdamW)


def test_decay_in_the_gradient_spares_large_gradients():
    """Gradients of mean 0 and sizes 1 and 0.01 on two weights at 1.

    AdamW shrinks both alike, Adam the second one more than twice as much.
    """
    shrunk = {}
    for row in (Adam, AdamW):
        weight = torch.ones(2, dtype=torch.float64, requires_grad=True)
        optimizer = row([weight], lr=1e-3, weight_decay=0.01)
        for step in range(1000):
            weight.grad = torch.tensor([1.0, 0.01], dtype=torch.float64) * (-1) ** step
            optimizer.step()
        shrunk[row] = (1 - weight).tolist()
    assert abs(shrunk[AdamW][0] - shrunk[AdamW][1]) < 1e-3
    assert shrunk[Adam][1] > 2 * shrunk[Adam][0]


MOVE = "param.addcdiv_(mean, root, value=-lr / (1 - beta1**step))"
DECAY = 'return group["lr"] * group["weight_decay"]'
PAPER = 'return group["lr"] / group["base_lr"] * group["weight_decay"]'
FAULTS = {  # what is wrong: the name, the source, the faulty source, the check that has to see it
    "coupled decay": ("AdamW", "param.mul_(1 - decay)", "grad = grad + decay / lr * param", check_torch),
    "decay after the step": (
        "AdamW",
        MOVE,
        f"{MOVE.replace('param.', 'param.div_(1 - decay).')}.mul_(1 - decay)",
        check_torch,
    ),
    "the paper's decay": ("AdamW", DECAY, 'return group["weight_decay"]', check_torch),
    "one t for all": (
        "AdamW",
        "corrections = [math.sqrt(1 - beta2**step) for step in steps]",
        "corrections = [math.sqrt(1 - beta2 ** steps[-1]) for step in steps]",
        functools.partial(check_skips, foreach=True),
    ),
    "paper: torch's decay": ("PaperAdamW", PAPER, DECAY, check_paper),
    "paper: no multiplier": ("PaperAdamW", PAPER, 'return group["weight_decay"]', check_paper),
    "paper: alpha from the present rate": (
        "PaperAdamW",
        PAPER,
        'return group["lr"] / self.defaults["lr"] * group["weight_decay"]',
        check_alpha_is_kept,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, adamw, name, old, new)
