"""Muon: torch's walk, singular values by a decomposition, timm's iteration, what is refused; faults."""

import functools
import math

import pytest
import torch
from timm.optim.muon import zeropower_via_newtonschulz

from dlbook.optim import Muon, muon
from dlbook.optim.muon import newton_schulz
from tests.optim.optim_checks import (
    DEVICES,
    MATRICES,
    PATHS,
    RATES,
    assert_close,
    check_parity,
    parameters,
    run,
    set_gradients,
    two_groups,
)
from tests.seeded import check_sees

EXACT = {"dtype": torch.float64, "weight_decay": 0.0}


def polar_by_svd(matrix):
    """P p(S) Q^T for P S Q^T: the quintic five times on each singular value over the Frobenius norm."""
    p, s, q = torch.linalg.svd(matrix, full_matrices=False)
    values = s / s.square().sum().sqrt().clamp(min=1e-7)
    for _ in range(5):
        values = torch.tensor(
            [3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5 for s in values.tolist()],
            dtype=s.dtype,
            device=s.device,
        )
    return p @ values.diag() @ q


def paper_walk(groups, params, rates, mu=0.95, nesterov=True):
    """The post's algorithm with summed momentum, B <- mu B + G, and the direction from a decomposition."""
    summed, path = [torch.zeros_like(param) for param in params], []
    options = [(group["lr"], group["weight_decay"]) for group in groups for _ in group["params"]]
    for step, rate in enumerate(rates):
        set_gradients(params, step)
        for number, param in enumerate(params):
            lr, decay = options[number][0] * rate, options[number][1]
            summed[number] = mu * summed[number] + param.grad
            direction = polar_by_svd(param.grad + mu * summed[number] if nesterov else summed[number])
            rows, columns = param.shape
            param.data = param.data * (1 - lr * decay) - lr * max(1, rows / columns) ** 0.5 * direction
        path.append([param.detach().clone() for param in params])
    return path


def check_paper(row, device="cpu", foreach=False, nesterov=True, tolerance=1e-10):
    mine, other = parameters(MATRICES, device), parameters(MATRICES, device)
    ours = run(row(two_groups(mine), **EXACT, nesterov=nesterov, foreach=foreach), mine)
    assert_close(ours, paper_walk(two_groups(other), other, RATES, nesterov=nesterov), tolerance)


def check_torch(row, foreach=False, scale="original", nesterov=True):
    """torch's class around an iteration in float64, timm's: torch's own is fixed to bfloat16."""
    check_parity(
        functools.partial(row, **EXACT, scale=scale, nesterov=nesterov),
        functools.partial(torch.optim.Muon, adjust_lr_fn=scale, nesterov=nesterov, momentum=0.95),
        shapes=MATRICES,
        foreach=foreach,
    )


@pytest.fixture
def float64_in_torch(monkeypatch):
    def iterate(grad, coefficients, steps, eps):
        return zeropower_via_newtonschulz(grad, steps, [coefficients], eps, dtype=torch.float64)

    monkeypatch.setattr("torch.optim._muon._zeropower_via_newtonschulz", iterate)


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("scale", ["original", "match_rms_adamw"])
def test_equals_torch(scale, nesterov, foreach, float64_in_torch):
    check_torch(Muon, foreach, scale, nesterov)


def test_equals_torch_in_bfloat16():
    """The same numbers even where products are rounded to 8 bits."""
    check_parity(
        functools.partial(Muon, weight_decay=0.0),
        functools.partial(torch.optim.Muon, momentum=0.95),
        shapes=MATRICES,
    )


@pytest.mark.parametrize("foreach", PATHS)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("nesterov", [True, False])
def test_equals_the_post_with_a_decomposition(nesterov, device, foreach):
    check_paper(Muon, device, foreach, nesterov)


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (1, 5), (5, 1), (6, 3, 7), (6, 7, 3)])
def test_newton_schulz_equals_timm(shape):
    matrix = parameters((shape,))[0].detach()
    theirs = zeropower_via_newtonschulz(matrix, 5, [(3.4445, -4.7750, 2.0315)], 1e-7, dtype=torch.float64)
    torch.testing.assert_close(newton_schulz(matrix, torch.float64), theirs, rtol=0, atol=1e-12)


def test_singular_values_end_near_one():
    """What the docstring says, over condition numbers to 1,000: between 0.68 and 1.21."""
    for seed, condition in enumerate((1, 10, 100, 1000)):
        p, _, q = torch.linalg.svd(parameters(((20, 30),), seed=seed)[0].detach(), full_matrices=False)
        spread = torch.logspace(0, -math.log10(condition), 20, dtype=torch.float64)
        values = torch.linalg.svdvals(newton_schulz(p @ spread.diag() @ q, torch.float64))
        assert values.max() < 1.21
        assert values.min() > (0.68 if condition <= 100 else 0.1)


def test_a_matrix_of_zeros():
    assert torch.equal(newton_schulz(torch.zeros(3, 2)), torch.zeros(3, 2, dtype=torch.bfloat16))


@pytest.mark.parametrize("shape", [(3,), (), (2, 3, 4), (8, 3, 3, 3)])
def test_only_matrices(shape):
    with pytest.raises(ValueError, match="expected matrices.*AdamW"):
        Muon([torch.zeros(3, 3, requires_grad=True), torch.zeros(shape, requires_grad=True)])


@pytest.mark.parametrize("options", [{"scale": "spectral"}, {"dtype": torch.int64}, {"dtype": "bf16"}])
def test_bad_options(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Muon([torch.zeros(3, 3, requires_grad=True)], **options)


MOVE = 'param.mul_(1 - lr * group["weight_decay"])'
lists = functools.partial(check_paper, foreach=True)
FAULTS = {  # what is wrong: the name, the source, the faulty source, the check that has to see it
    "rows and columns exchanged": ("Muon", "rows, columns = shape", "columns, rows = shape", check_paper),
    "a digit of the quintic": ("Muon", "-4.7750, 2.0315", "-4.7750, 2.0351", check_paper),
    "four iterations": ("Muon", "STEPS = 5", "STEPS = 4", lists),
    "spectral norm": (
        "Muon",
        "x.norm(dim=(-2, -1), keepdim=True)",
        "torch.linalg.matrix_norm(x, ord=2, keepdim=True)",
        check_paper,
    ),
    "decay with the factor": (
        "Muon",
        MOVE,
        'param.mul_(1 - lr * factor(param.shape, group["scale"]) * group["weight_decay"])',
        check_paper,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, muon, name, old, new)
