"""Clipping: torch's functions, a step by hand, errors by name, and seeded faults."""

import math

import pytest
import torch

from dlbook.optim import clip_norm, clip_value, clipping, global_norm
from tests.optim.optim_checks import DEVICES, parameters, set_gradients

NORMS = [1.0, 2.0, 3.5, math.inf]


def pair(device="cpu"):
    """Two equal sets of parameters with equal gradients; one parameter has none."""
    sets = parameters(device=device), parameters(device=device)
    for params in sets:
        set_gradients(params, 1)
        params[2].grad = None
    return sets


def check_norm(device="cpu", norm_type=2.0, max_norm=0.7):
    ours, theirs = pair(device)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    measured = global_norm(ours, norm_type)
    told = clip_norm(ours, max_norm, norm_type)
    torch.testing.assert_close(told, expected, rtol=1e-12, atol=0)
    assert torch.equal(told, measured)
    for a, b in zip(ours, theirs, strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            torch.testing.assert_close(a.grad, b.grad, rtol=1e-12, atol=0)


def check_small_gradients_stay():
    ours, _ = pair()
    before = [param.grad.clone() for param in ours if param.grad is not None]
    clip_norm(ours, 1e6)
    assert all(
        torch.equal(param.grad, old)
        for param, old in zip([p for p in ours if p.grad is not None], before, strict=True)
    )


def check_value(device="cpu"):
    ours, theirs = pair(device)
    torch.nn.utils.clip_grad_value_(theirs, 0.3)
    clip_value(ours, 0.3)
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(ours, theirs, strict=True) if a.grad is not None)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("norm_type", NORMS)
def test_norm_equals_torch(norm_type, device):
    check_norm(device, norm_type)


def test_small_gradients_stay():
    check_small_gradients_stay()


@pytest.mark.parametrize("device", DEVICES)
def test_value_equals_torch(device):
    check_value(device)


def test_the_direction_stays():
    """Gradients (3, 0) and (0, 4): the norm is 5, clipped to 1 the two are 3/5 and 4/5."""
    params = [torch.zeros(2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    params[0].grad, params[1].grad = (
        torch.tensor([3.0, 0.0], dtype=torch.float64),
        torch.tensor([0.0, 4.0], dtype=torch.float64),
    )
    assert clip_norm(params, 1.0).item() == 5.0
    torch.testing.assert_close(
        torch.stack([params[0].grad[0], params[1].grad[1]]),
        torch.tensor([0.6, 0.8], dtype=torch.float64),
        rtol=1e-6,
        atol=0,
    )


def test_mixed_types():
    params = [torch.zeros(3, requires_grad=True), torch.zeros(3, dtype=torch.float64, requires_grad=True)]
    for param in params:
        param.grad = torch.ones_like(param)
    assert math.isclose(clip_norm(params, 1.0).item(), math.sqrt(6), rel_tol=1e-6)
    assert math.isclose(global_norm(params).item(), 1.0, rel_tol=1e-5)


def test_nothing_to_clip():
    assert clip_norm([torch.zeros(2, requires_grad=True)], 1.0) == 0 and clip_norm([], 1.0) == 0
    single = torch.zeros(2, requires_grad=True)
    single.grad = torch.tensor([3.0, 4.0])
    assert clip_norm(single, 10.0) == 5


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_named(bad):
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    for param in net.parameters():
        param.grad = torch.ones_like(param)
    net[1].weight.grad[0, 1] = bad
    before = net[0].weight.grad.clone()
    with pytest.raises(ValueError, match=r"1 of 3 elements in 1\.weight"):
        clip_norm(net.named_parameters(), 1.0, error_if_nonfinite=True)
    with pytest.raises(ValueError, match="parameter 2"):
        clip_norm(net.parameters(), 1.0, error_if_nonfinite=True)
    assert torch.equal(net[0].weight.grad, before)


def test_a_norm_that_overflows_is_told():
    weight = torch.zeros(4, requires_grad=True)
    weight.grad = torch.full((4,), 3e38)
    with pytest.raises(ValueError, match="expected a finite norm, got inf from finite gradients"):
        clip_norm([weight], 1.0, error_if_nonfinite=True)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda p: clip_norm(p, 0.0), "max_norm"),
        (lambda p: clip_norm(p, -1.0), "max_norm"),
        (lambda p: clip_norm(p, math.nan), "max_norm"),
        (lambda p: clip_norm(p, 1.0, 0.0), "norm_type"),
        (lambda p: clip_value(p, 0.0), "limit"),
    ],
)
def test_bad_arguments(call, what):
    params, _ = pair()
    with pytest.raises(ValueError, match=f"expected {what} > 0"):
        call(params)


def each_by_itself(params, max_norm, norm_type=2.0, error_if_nonfinite=False):
    """Every parameter clipped to the norm that all together may have."""
    return torch.stack([real_clip_norm([param], max_norm, norm_type) for param in params]).max()


def always_scaled(params, max_norm, norm_type=2.0, error_if_nonfinite=False):
    """Small gradients made longer: no clamp at 1."""
    total = global_norm(params, norm_type)
    for param in params:
        if param.grad is not None:
            param.grad.mul_(max_norm / (total + 1e-6))
    return total


def norm_after(params, max_norm, norm_type=2.0, error_if_nonfinite=False):
    real_clip_norm(params, max_norm, norm_type)
    return global_norm(params, norm_type)


def above_only(params, limit):
    for param in params:
        if param.grad is not None:
            param.grad.clamp_(max=limit)


real_clip_norm = clipping.clip_norm
FAULTS = [
    ("clip_norm", each_by_itself, check_norm),
    ("clip_norm", always_scaled, check_small_gradients_stay),
    ("clip_norm", norm_after, check_norm),
    ("clip_value", above_only, check_value),
]


@pytest.mark.parametrize(
    ("name", "broken", "check"), FAULTS, ids=[broken.__name__ for _, broken, _ in FAULTS]
)
def test_the_check_sees_the_fault(name, broken, check, monkeypatch):
    monkeypatch.setitem(globals(), name, broken)
    with pytest.raises(AssertionError):
        check()
