"""Oracles of the moving average, for the real one and for broken ones."""

import math

import torch
from torch import nn


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
    assert math.isclose(ema.decay_now(), 0.9)


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
