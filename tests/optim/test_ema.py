"""The moving average: its equation, its ends, its buffers and modes; and faults that each check has to catch."""

import copy

import pytest
import torch
from torch import nn

import tests.optim.ema_checks as checks
from dlbook.optim.ema import EMA

CHECKS = [
    checks.check_equation,
    checks.check_warm_up,
    checks.check_ends,
    checks.check_buffers,
    checks.check_modes,
]


@pytest.mark.parametrize("check", CHECKS)
def test_ema(check):
    check(EMA)


class Aliased(EMA):
    def __init__(self, module, **kwargs):
        super().__init__(module, **kwargs)
        self.module = module


class DecayExchanged(EMA):
    def decay_now(self):
        return 1 - super().decay_now()


class NoWarmUp(EMA):
    def decay_now(self):
        return self.decay


class WarmUpOneLate(EMA):
    def decay_now(self):
        return min(self.decay, 1 - 1 / (int(self.updates) + 2)) if self.warm_up else self.decay


class BuffersForgotten(EMA):
    def update(self, module):
        kept = [buffer.clone() for buffer in self.module.buffers()]
        super().update(module)
        for mine, old in zip(self.module.buffers(), kept, strict=True):
            mine.copy_(old)


class FollowsTheMode(EMA):
    def train(self, mode=True):
        return nn.Module.train(self, mode)


class Trainable(EMA):
    def __init__(self, module, **kwargs):
        super().__init__(module, **kwargs)
        self.module.requires_grad_(True)


FAULTS = [
    (Aliased, checks.check_ends),
    (DecayExchanged, checks.check_equation),
    (NoWarmUp, checks.check_warm_up),
    (WarmUpOneLate, checks.check_warm_up),
    (BuffersForgotten, checks.check_buffers),
    (FollowsTheMode, checks.check_modes),
    (Trainable, checks.check_modes),
]


@pytest.mark.parametrize(("fault", "check"), FAULTS)
def test_seeded_fault_is_caught(fault, check):
    with pytest.raises((AssertionError, ValueError)):
        check(fault)


@pytest.mark.parametrize("decay", [-0.1, 1.1])
def test_bad_decay(decay):
    with pytest.raises(ValueError, match="decay"):
        EMA(nn.Linear(1, 1), decay)


def test_another_module_is_refused_by_name():
    ema = EMA(nn.Linear(1, 1))
    with pytest.raises(ValueError, match="bias"):
        ema.update(nn.Linear(1, 1, bias=False))


def test_equals_torchs_average():
    """swa_utils copies the weights at the first update, and begins to average at the second."""
    net = checks.network()
    ours = EMA(net, decay=0.9, warm_up=False)
    theirs = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
    )
    theirs.update_parameters(net)
    for seed in range(4):
        checks.walk(net, seed)
        ours.update(net)
        theirs.update_parameters(net)
    for a, b in zip(ours.module.parameters(), theirs.module.parameters(), strict=True):
        torch.testing.assert_close(a, b.detach(), rtol=1e-6, atol=1e-7)


def test_state_round_trip():
    net = checks.network()
    ema = EMA(net, decay=0.9)
    checks.walk(net, 1)
    ema.update(net)
    other = EMA(copy.deepcopy(net), decay=0.9)
    other.load_state_dict(ema.state_dict())
    checks.walk(net, 2)
    ema.update(net)
    other.update(net)
    assert all(torch.equal(a, b) for a, b in zip(ema.parameters(), other.parameters(), strict=True))
