"""The moving average: its equation, its ends, its buffers and modes; and faults that each check has
to catch.
"""

import copy
import math

import pytest
import torch
from torch import nn

from dlbook.optim.ema import EMA


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()


def walk(net, seed):
    """Change every weight and the running statistics, as a training step would."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in net.parameters():
            weight += torch.randn(weight.shape, dtype=weight.dtype, generator=generator)
        net.train()
        net(torch.randn(8, 3, dtype=torch.float64, generator=generator))


def check_equation(make):
    """theta' against the equation unrolled over the history: alpha^t theta_0 + (1 - alpha) sum alpha^(t-i)
    theta_i.
    """
    net, alpha = network(), 0.7
    ema = make(net, decay=alpha, warm_up=False)
    history = [net[0].weight.clone()]
    for step in range(6):
        walk(net, step)
        ema.update(net)
        history.append(net[0].weight.clone())
    steps = len(history) - 1
    expected = alpha**steps * history[0]
    for i in range(1, steps + 1):
        expected = expected + (1 - alpha) * alpha ** (steps - i) * history[i]
    assert torch.allclose(ema.module[0].weight, expected, atol=1e-13)


def check_warm_up(make):
    """Until 1 - 1/(n + 1) reaches the decay, the average is the plain mean of the weights after each step."""
    net = network()
    ema = make(net, decay=0.9, warm_up=True)
    seen = []
    for step in range(9):
        walk(net, step)
        ema.update(net)
        seen.append(net[2].weight.clone())
        assert torch.allclose(ema.module[2].weight, sum(seen) / len(seen), atol=1e-13)
    for _ in range(5):
        ema.update(net)
    assert math.isclose(ema.decay_at(), 0.9)


def check_ends(make):
    """Decay 0 copies, decay 1 keeps; the trained network is never touched."""
    for decay in (0.0, 1.0):
        net = network()
        ema = make(net, decay=decay, warm_up=False)
        first = [weight.clone() for weight in net.parameters()]
        walk(net, 1)
        latest = [weight.clone() for weight in net.parameters()]
        ema.update(net)
        for average, old, new in zip(ema.module.parameters(), first, latest, strict=True):
            assert torch.equal(average, new if decay == 0 else old)
        assert all(torch.equal(a, b) for a, b in zip(net.parameters(), latest, strict=True))


def check_buffers(make):
    net = network()
    ema = make(net, decay=0.99, warm_up=False)
    walk(net, 1)
    ema.update(net)
    for mine, theirs in zip(ema.module.buffers(), net.buffers(), strict=True):
        assert torch.equal(mine, theirs)


def check_modes(make):
    """Never trained, never in training mode, no gradient."""
    net = network()
    ema = make(net, decay=0.9)
    nn.ModuleList([ema, net]).train()
    assert net.training and not ema.training and not any(part.training for part in ema.modules())
    assert not any(weight.requires_grad for weight in ema.parameters())
    inputs = torch.ones(2, 3, dtype=torch.float64)
    assert not ema(inputs).requires_grad
    statistics = [buffer.clone() for buffer in ema.module.buffers()]
    ema(inputs)
    assert all(torch.equal(a, b) for a, b in zip(statistics, ema.module.buffers(), strict=True))


def check_state(make):
    """A state put into a used average goes on in the middle of the first phase, with the same bits."""
    net, other_net = network(), network()
    ema, other = make(net, decay=0.9), make(other_net, decay=0.9)
    for step in range(3):
        walk(net, step)
        ema.update(net)
    other.update(other_net)
    other.load_state_dict(copy.deepcopy(ema.state_dict()))
    for step in range(3, 6):
        walk(net, step)
        ema.update(net)
        other.update(net)
    assert all(torch.equal(ema.state_dict()[name], value) for name, value in other.state_dict().items())


CHECKS = [check_equation, check_warm_up, check_ends, check_buffers, check_modes, check_state]


@pytest.mark.parametrize("check", CHECKS)
def test_ema(check):
    check(EMA)


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
    net = network()
    ours = EMA(net, decay=0.9, warm_up=False)
    theirs = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
    )
    theirs.update_parameters(net)
    for seed in range(4):
        walk(net, seed)
        ours.update(net)
        theirs.update_parameters(net)
    for a, b in zip(ours.module.parameters(), theirs.module.parameters(), strict=True):
        torch.testing.assert_close(a, b.detach(), rtol=1e-6, atol=1e-7)


class Aliased(EMA):
    def __init__(self, module, **kwargs):
        super().__init__(module, **kwargs)
        self.module = module


class DecayExchanged(EMA):
    def decay_at(self, step=None):
        return 1 - super().decay_at(step)


class NoWarmUp(EMA):
    def decay_at(self, step=None):
        return self.decay


class WarmUpOneLate(EMA):
    def decay_at(self, step=None):
        return min(self.decay, 1 - 1 / (int(self.updates) + 2)) if self.warm_up else self.decay


class BuffersForgotten(EMA):
    def update(self, module, step=None):
        kept = [buffer.clone() for buffer in self.module.buffers()]
        super().update(module, step)
        for mine, old in zip(self.module.buffers(), kept, strict=True):
            mine.copy_(old)


class FollowsTheMode(EMA):
    def train(self, mode=True):
        return nn.Module.train(self, mode)


class Trainable(EMA):
    def __init__(self, module, **kwargs):
        super().__init__(module, **kwargs)
        self.module.requires_grad_(True)


class ForgetsTheLoadedCount(EMA):
    def _load_from_state_dict(self, *args):
        count = self._count
        super()._load_from_state_dict(*args)
        self._count = count


FAULTS = [
    (Aliased, check_ends),
    (DecayExchanged, check_equation),
    (NoWarmUp, check_warm_up),
    (WarmUpOneLate, check_warm_up),
    (BuffersForgotten, check_buffers),
    (FollowsTheMode, check_modes),
    (Trainable, check_modes),
    (ForgetsTheLoadedCount, check_state),
]


@pytest.mark.parametrize(("fault", "check"), FAULTS)
def test_seeded_fault_is_caught(fault, check):
    with pytest.raises((AssertionError, ValueError)):
        check(fault)
