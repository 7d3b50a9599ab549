"""Seeded faults of EfficientNet: each is a mistake seen in published code, or a near one, and is caught by a
named check.
"""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.models import efficientnet as module
from dlbook.models.efficientnet import VARIANTS, EfficientNet, MBConv, SameConv2d, StochasticDepth
from tests.models.efficientnet_checks import (
    check_counts,
    check_drop_schedule,
    check_initialisation,
    check_parity,
)


def patched_blocks(monkeypatch, change):
    """Let every MBConv be built, then changed by `change(block, in_channels)`."""

    class Faulty(MBConv):
        def __init__(self, config, in_channels, *rest):
            super().__init__(config, in_channels, *rest)
            change(self, in_channels)

    monkeypatch.setattr(module, "MBConv", Faulty)


def squeeze_of(width):
    def change(block, in_channels):
        hidden = block.depthwise.conv.out_channels
        block.squeeze_excite = module.SqueezeExcitation(hidden, width(in_channels, hidden), nn.SiLU)

    return change


def relu_inside(block, in_channels):
    block.squeeze_excite.activation = nn.ReLU()


def active_projection(block, in_channels):
    block.project.activation = nn.SiLU()


def no_shortcut(block, in_channels):
    block.has_shortcut = False


def first_projection_strided(block, in_channels):
    block.project.conv.stride, block.depthwise.conv.stride = block.depthwise.conv.stride, (1, 1)


def test_seeded_depths_rounded_down_is_caught(monkeypatch):
    monkeypatch.setattr(module.math, "ceil", math.floor)
    with pytest.raises(AssertionError):
        check_counts("efficientnet_b1")


class Symmetric(SameConv2d):
    def forward(self, x):
        return F.conv2d(x, self.weight, None, self.stride, self.kernel_size[0] // 2, 1, self.groups)


class OddPixelAbove(SameConv2d):
    def forward(self, x):
        weight = self.weight
        self.weight = nn.Parameter(weight.flip(2, 3))
        out = super().forward(x.flip(2, 3)).flip(2, 3)
        self.weight = weight
        return out


@pytest.mark.parametrize("fault", [Symmetric, OddPixelAbove])
def test_seeded_padding_is_caught(fault, monkeypatch):
    monkeypatch.setattr(module, "SameConv2d", fault)
    with pytest.raises(AssertionError, match="evaluation mode"):
        check_parity("efficientnet_lite0")


def wrong_norm(**settings):
    def build(config, *arguments):
        model = EfficientNet(config, *arguments)
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                vars(layer).update(settings)
        return model

    return build


@pytest.mark.parametrize(
    "settings, where",
    [({"eps": 1e-5}, "evaluation mode"), ({"momentum": 0.99}, "running_mean after one training step")],
)
def test_seeded_norm_setting_is_caught(settings, where):
    with pytest.raises(AssertionError, match=where):
        check_parity("efficientnet_lite0", wrong_norm(**settings))


def test_seeded_survival_as_drop_rate_is_caught():
    model = EfficientNet(VARIANTS["efficientnet_b0"])
    for layer in model.modules():
        if isinstance(layer, StochasticDepth):
            layer.drop_prob = 1 - layer.drop_prob
    with pytest.raises(AssertionError):
        check_drop_schedule(model)


def test_seeded_fan_out_without_groups_is_caught():
    torch.manual_seed(0)
    model = EfficientNet(VARIANTS["efficientnet_b0"])
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out")
    with pytest.raises(AssertionError):
        check_initialisation(model)


COUNT_FAULTS = {
    "squeeze from the hidden channels": squeeze_of(lambda c, hidden: hidden // 4),
    "squeeze rounded to 8": squeeze_of(lambda c, hidden: module.make_divisible(c / 4)),
    "squeeze at ratio 16": squeeze_of(lambda c, hidden: max(1, c // 16)),
    "stride on the projection": first_projection_strided,
}


PARITY_FAULTS = {
    "ReLU in the squeeze-excite": relu_inside,
    "activation after the projection": active_projection,
    "no shortcut": no_shortcut,
}


@pytest.mark.parametrize("fault", COUNT_FAULTS)
def test_seeded_fault_is_caught_by_counts(fault, monkeypatch):
    patched_blocks(monkeypatch, COUNT_FAULTS[fault])
    with pytest.raises(AssertionError):
        check_counts("efficientnet_b0")


@pytest.mark.parametrize("fault", PARITY_FAULTS)
def test_seeded_fault_is_caught_by_parity(fault, monkeypatch):
    patched_blocks(monkeypatch, PARITY_FAULTS[fault])
    check_counts("efficientnet_b0_torchvision")  # counts alone do not see it
    with pytest.raises(AssertionError, match="evaluation mode"):
        check_parity("efficientnet_b0_torchvision")
