"""The momentum encoder against a loop of the equation with plain numbers: decay, schedule, modes, buffers and
16 bits; and faults that each check has to catch.
"""

import copy
import math

import pytest
import torch
from torch import nn

from dlbook.nn import momentum_encoder as module
from dlbook.nn.momentum_encoder import MomentumEncoder
from tests import seeded

STEPS = 6


def network(dtype=torch.float64):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).to(dtype)


def walk(net, step, size=1.0):
    """Change every weight and the running statistics, as a training step would."""
    generator = torch.Generator().manual_seed(step)
    with torch.no_grad():
        for weight in net.parameters():
            weight += size * torch.randn(weight.shape, generator=generator).to(weight.dtype)
        net.train()
        net(torch.randn(8, 3, generator=generator).to(net[0].weight.dtype))


def flat(tensors):
    """All numbers as a list of Python floats."""
    return [number for tensor in tensors for number in tensor.detach().double().flatten().tolist()]


def half_cosine(step):
    """BYOL, section 3.2: 1 - (1 - 0.6) (cos(pi k / K) + 1) / 2."""
    return 1 - 0.4 * (math.cos(math.pi * step / STEPS) + 1) / 2


def check_equation(kind):
    """Number by number in Python: phi <- m phi + (1 - m) theta, m a number or a schedule of the step."""
    for decay in (0.0, 0.3, 1.0, half_cosine):
        net = network()
        encoder = kind(net, decay)
        phi = flat(net.parameters())
        for step in range(STEPS):
            walk(net, step)
            latest = flat(net.parameters())
            encoder.update(net, step)
            m = decay(step) if callable(decay) else decay
            phi = [m * slow + (1 - m) * fast for slow, fast in zip(phi, latest, strict=True)]
            assert flat(net.parameters()) == latest  # the trained network is never touched
            assert torch.allclose(
                torch.tensor(flat(encoder.module.parameters())), torch.tensor(phi), atol=1e-6
            )
            assert (
                max(abs(a - b) for a, b in zip(flat(encoder.module.parameters()), phi, strict=True)) < 1e-13
            )


def check_buffers(kind):
    """Own: what the copy's own forward passes make. Copied: the network's. Averaged: by the equation, but the
    counter is copied.
    """
    for rule in ("own", "copied", "averaged"):
        net = network()
        encoder = kind(net, 0.75, buffers=rule)
        mean, count = net[1].running_mean.tolist(), 0
        for step in range(STEPS):
            walk(net, step)
            encoder.update(net, step)
            latest = net[1].running_mean.tolist()
            mean = {
                "own": mean,
                "copied": latest,
                "averaged": [0.75 * a + 0.25 * b for a, b in zip(mean, latest, strict=True)],
            }[rule]
            count = 0 if rule == "own" else step + 1
        assert encoder.module[1].running_mean.tolist() == pytest.approx(mean, abs=1e-13)
        assert encoder.module[1].num_batches_tracked.item() == count
        own = {buffer.data_ptr() for buffer in encoder.buffers()}
        assert not own & {buffer.data_ptr() for buffer in net.buffers()}


def check_modes(kind):
    """It follows its owner's mode, or stays in evaluation mode; in training mode it normalises by its own
    batch and counts it.
    """
    images = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    for evaluation in (False, True):
        net = network()
        encoder = kind(net, 0.9, evaluation=evaluation)
        owner = nn.ModuleList([encoder, net])
        for mode in (True, False):
            owner.train(mode)
            expected = copy.deepcopy(network().train(mode and not evaluation))
            assert {part.training for part in encoder.module.modules()} == {mode and not evaluation}
            before = encoder.module[1].num_batches_tracked.item()
            torch.testing.assert_close(encoder(images), expected(images).detach())
            counted = encoder.module[1].num_batches_tracked.item() - before
            assert counted == (1 if mode and not evaluation else 0)
            encoder.module.load_state_dict(network().state_dict())


def check_first_mode(kind):
    """Already before anybody asks for a mode: the mode of the copied network, or evaluation."""
    for mode, evaluation in ((True, False), (True, True), (False, False), (False, True)):
        net = network().train(mode)
        encoder = kind(net, 0.9, evaluation=evaluation)
        assert {part.training for part in encoder.modules()} == {mode and not evaluation}
        assert {part.training for part in net.modules()} == {mode}


def check_no_gradient(kind):
    """No gradient reaches the copy or passes through it, whatever asks for one."""
    net = network()
    encoder = kind(net, 0.9)
    assert not any(weight.requires_grad for weight in encoder.parameters())
    assert all(weight.requires_grad for weight in net.parameters())
    inputs = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    output = encoder(inputs)
    (output.sum() + net(inputs).sum()).backward()
    assert not output.requires_grad and all(weight.grad is None for weight in encoder.parameters())
    assert {weight.data_ptr() for weight in encoder.parameters()}.isdisjoint(
        w.data_ptr() for w in net.parameters()
    )


def check_sixteen_bits(kind):
    """Steps far below the last digit add up: the average is that of float32 weights, rounded."""
    for dtype in (torch.bfloat16, torch.float16):
        net = network().to(dtype)
        encoder = kind(net, 0.999, buffers="averaged")
        followed = kind(copy.deepcopy(net).float(), 0.999, buffers="averaged")
        with torch.no_grad():
            for tensor in (*net.parameters(), net[1].running_mean):
                tensor += 1.0
        for step in range(100):
            encoder.update(net, step)
            followed.update(copy.deepcopy(net).float(), step)
        moved = encoder.module[0].weight - network().to(dtype)[0].weight
        assert (moved > 0.05).all() and encoder.module[0].weight.dtype is dtype  # 1 - 0.999^100 = 0.095
        for name, value in followed.module.state_dict().items():
            assert torch.equal(
                encoder.module.state_dict()[name], value.to(encoder.module.state_dict()[name].dtype)
            ), name


def check_state(kind):
    """A state put into a new copy goes on with the same bits, also with 16 bits and after a move."""
    for dtype in (torch.float32, torch.bfloat16):
        net = network(dtype)
        encoder = kind(net, half_cosine, buffers="averaged")
        for step in range(3):
            walk(net, step, 0.01)
            encoder.update(net, step)
        other = kind(network(dtype), half_cosine, buffers="averaged").to("cpu")
        other.load_state_dict(encoder.state_dict())
        for step in range(3, STEPS):
            walk(net, step, 0.01)
            encoder.update(net, step)
            other.update(net, step)
        mine, theirs = encoder.state_dict(), other.state_dict()
        assert mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def check_casts(kind):
    """A method that is cast after it was made: 16 bits bring the float32 averages, float32 needs none, and a
    cast does not take them along.
    """
    encoder = kind(network(torch.float32), 0.999).bfloat16()
    exact = [name for name in encoder.state_dict() if name.startswith("exact")]
    assert len(exact) == 6 and all(encoder.state_dict()[name].dtype is torch.float32 for name in exact)
    assert [name for name in encoder.float().state_dict() if name.startswith("exact")] == []


CHECKS = [
    check_equation,
    check_buffers,
    check_modes,
    check_first_mode,
    check_no_gradient,
    check_sixteen_bits,
    check_state,
    check_casts,
]


@pytest.mark.parametrize("check", CHECKS)
def test_momentum_encoder(check):
    check(MomentumEncoder)


@pytest.mark.parametrize("decay", [-0.1, 1.1, lambda step: 2.0])
def test_a_decay_outside_its_range(decay):
    with pytest.raises(ValueError, match=r"expected a decay in \[0, 1\], got"):
        MomentumEncoder(nn.Linear(1, 1), decay)


def test_a_schedule_is_asked_for_its_step_and_held_to_its_range():
    encoder = MomentumEncoder(nn.Linear(1, 1), lambda step: 0.5 * step)
    with pytest.raises(ValueError, match=r"call update\(network, step\)"):
        encoder.update(nn.Linear(1, 1))
    with pytest.raises(ValueError, match=r"in \[0, 1\] at step 3, got 1.5"):
        encoder.update(nn.Linear(1, 1), 3)


@pytest.mark.parametrize(
    ("other", "name"),
    [(nn.Linear(1, 1, bias=False), "bias"), (nn.Sequential(nn.Linear(1, 1)), "0.bias")],
    ids=["another network", "a wrapped one"],
)
def test_another_network_is_refused_by_name(other, name):
    with pytest.raises(ValueError, match=f"the network that was copied, got one that differs in '{name}'"):
        MomentumEncoder(nn.Linear(1, 1), 0.9).update(other)


def test_another_word_for_the_buffers():
    with pytest.raises(ValueError, match="expected buffers to be"):
        MomentumEncoder(nn.Linear(1, 1), 0.9, buffers="shared")


FAULTS = {  # fault -> the check that catches it, old, new
    "the network is aliased": (
        check_equation,
        "copy.deepcopy(module).requires_grad_",
        "module.requires_grad_",
    ),
    "decay and share exchanged": (
        check_equation,
        "share = 1 - self.decay_at(step)",
        "share = self.decay_at(step)",
    ),
    "the schedule's first value for ever": (check_equation, "self.decay(step), f", "self.decay(0), f"),
    "the schedule one step late": (check_equation, "self.decay(step), f", "self.decay(step + 1), f"),
    "own buffers are copied": (check_buffers, 'if self.buffer_rule != "own":', "if True:"),
    "copied buffers are forgotten": (check_buffers, 'if self.buffer_rule != "own":', "if False:"),
    "averaged buffers are copied too": (check_buffers, "in mine.keys() - slow.keys()", "in mine.keys()"),
    "counters are averaged": (check_buffers, " if value.is_floating_point()", ""),
    "always in training mode": (check_modes, "mode and not self.evaluation", "not self.evaluation"),
    "evaluation mode is left": (check_modes, "mode and not self.evaluation", "mode"),
    "always in evaluation mode": (check_modes, "mode and not self.evaluation", "False"),
    "evaluation only once asked for": (check_first_mode, "self.train(module.training)", "pass"),
    "training at first": (check_first_mode, "self.train(module.training)", "self.train()"),
    "evaluation at first": (check_first_mode, "self.train(module.training)", "self.eval()"),
    "trained": (check_no_gradient, ".requires_grad_(False)", ""),
    "a gradient passes through": (
        check_no_gradient,
        "    @torch.no_grad()\n    def forward",
        "    def forward",
    ),
    "bfloat16 stands still": (check_sixteen_bits, "(torch.bfloat16, torch.float16)", "(torch.float16,)"),
    "float16 loses digits": (check_sixteen_bits, "(torch.bfloat16, torch.float16)", "(torch.bfloat16,)"),
    "the network keeps its first weights": (check_sixteen_bits, "average.copy_(exact)", "pass"),
    "the float32 average is not in the state": (
        check_state,
        "self._buffers.get(name, value.detach()).float())",
        "self._buffers.get(name, value.detach()).float(), persistent=False)",
    ),
    "the rounded average goes on": (
        check_sixteen_bits,
        "exact = self._buffers.get(_exact(name), average)",
        "exact = average.float()",
    ),
    "a cast takes the averages along": (
        check_casts,
        "        self._keep_exact()\n        return self",
        "        return self",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    check, old, new = FAULTS[fault]
    with pytest.raises((AssertionError, RuntimeError)):
        check(seeded.edited(module, old, new)["MomentumEncoder"])
