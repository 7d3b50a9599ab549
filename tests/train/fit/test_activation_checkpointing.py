"""Checkpointed networks compute what they computed, update their statistics once, and hold less."""

import copy

import pytest
import torch
from torch import nn

from dlbook.models import create
from dlbook.train.fit import activation_checkpointing as module
from dlbook.train.fit.activation_checkpointing import blocks, checkpoint_blocks
from tests import seeded


class Block(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv, self.norm, self.drop = (
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.Dropout(0.5),
        )

    def forward(self, x):
        return x + self.drop(self.norm(self.conv(x)).relu())


def net(depth=3):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 1),
        nn.Sequential(*[Block() for _ in range(depth)]),
        nn.Flatten(),
        nn.Linear(8 * 64, 5),
    ).double()


def step(model):
    """Loss, gradients and buffers of one training step with fixed images and masks."""
    torch.manual_seed(1)
    images = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    loss = model.train()(images).square().sum()
    loss.backward()
    return [loss.detach(), *[p.grad for p in model.parameters()], *model.buffers()]


def check_equal(checkpoint):
    plain, frugal = net(), net()
    checkpoint(frugal)
    for expected, got in zip(step(plain), step(frugal), strict=True):
        assert torch.allclose(expected.double(), got.double(), rtol=1e-13, atol=0)


def test_equal_gradients_and_statistics_with_dropout_and_batch_norm():
    check_equal(checkpoint_blocks)


def test_fewer_activations_are_held():
    def held(model):
        saved = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
            model.train()(torch.randn(4, 3, 8, 8, dtype=torch.float64))
        return sum(saved)

    frugal = net(6)
    checkpoint_blocks(frugal)
    assert held(frugal) < 0.5 * held(net(6))


@pytest.mark.parametrize(
    ("name", "count"), [("resnet50", 16), ("efficientnet_b0", 16), ("resnet20_cifar", 9)]
)
def test_the_blocks_of_real_networks(name, count):
    model = create(name)
    assert len([b for b in blocks(model) if type(b).__name__ not in ("ConvNorm", "Sequential")]) == count


def test_evaluation_is_untouched():
    model = net()
    reference = copy.deepcopy(model)
    checkpoint_blocks(model)
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    assert torch.equal(model.eval()(images), reference.eval()(images))


def check_names_and_copies(checkpoint):
    """Names, kinds and state stay; a copy counts its batches for itself; asked for twice, it is done once."""
    plain, frugal = net(), net()
    assert checkpoint(frugal) == 3
    kinds = [type(part) for part in frugal.modules()]
    assert checkpoint(frugal) == 3 and [type(part) for part in frugal.modules()] == kinds
    assert list(frugal.state_dict()) == list(plain.state_dict())
    assert [name for name, _ in frugal.named_modules()] == [name for name, _ in plain.named_modules()]
    assert all(isinstance(a, type(b)) for a, b in zip(frugal.modules(), plain.modules(), strict=True))
    copied = copy.deepcopy(frugal)
    for expected, got in zip(step(plain), step(copied), strict=True):
        assert torch.allclose(expected.double(), got.double(), rtol=1e-13, atol=0)
    assert [
        norm.num_batches_tracked.item() for norm in frugal.modules() if isinstance(norm, nn.BatchNorm2d)
    ] == [0] * 3


def test_names_and_copies():
    check_names_and_copies(checkpoint_blocks)


def check_passes(checkpoint):
    """A block's forward runs twice in a training step, and once in evaluation mode."""
    model, ran = net(), []
    for block in blocks(model):
        block.norm.register_forward_hook(lambda *_: ran.append(1))
    checkpoint(model)
    step(model)
    assert len(ran) == 6
    model.eval()(torch.randn(2, 3, 8, 8, dtype=torch.float64)).sum().backward()
    assert len(ran) == 9


def test_each_block_runs_twice_in_training():
    check_passes(checkpoint_blocks)


def test_no_blocks():
    with pytest.raises(ValueError, match="expected a network of blocks"):
        checkpoint_blocks(nn.Linear(2, 2))


FAULTS = {  # fault -> the check that catches it, old, new
    "statistics updated twice": (
        check_equal,
        "return nullcontext(), _statistics_left_alone(block)",
        "return nullcontext(), nullcontext()",
    ),
    "the first pass does not count": (
        check_equal,
        "return nullcontext(), _statistics_left_alone(block)",
        "return _statistics_left_alone(block), _statistics_left_alone(block)",
    ),
    "counters are left": (check_equal, "norm.num_batches_tracked.copy_(count)", "pass"),
    "nothing is recomputed": (check_passes, "if not self.training:", "if True:"),
    "recomputed in evaluation mode": (check_passes, "if not self.training:", "if False:"),
    "recomputed twice over": (check_names_and_copies, 'if not hasattr(block, "recomputes"):', "if True:"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    check, *edit = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(seeded.edited(module, *edit)["checkpoint_blocks"])
