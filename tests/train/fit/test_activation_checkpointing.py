"""Checkpointed networks compute what they computed, update their statistics once, and hold less."""

import copy

import pytest
import torch
from torch import nn

from dlbook.models import create
from dlbook.train.fit import activation_checkpointing as module
from dlbook.train.fit.activation_checkpointing import blocks, checkpoint_blocks


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


def test_statistics_updated_twice_would_be_caught(monkeypatch):
    monkeypatch.setattr(module, "_statistics_left_alone", lambda block: module.nullcontext())
    with pytest.raises(AssertionError):
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


def test_no_blocks():
    with pytest.raises(ValueError, match="expected a network of blocks"):
        checkpoint_blocks(nn.Linear(2, 2))
