"""Each oracle of the ResNet tests catches the fault that it is there for: the fault is put in, and the check
has to fail.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.models import resnet as module
from dlbook.models.resnet import BasicBlock, Bottleneck, PadShortcut, resnet
from tests.models.resnet_checks import (
    CifarReference,
    check_affine,
    check_initial_spread,
    check_padding,
    check_parity,
    count,
    imagenet_reference,
)


def relu_before_sum(self, x):
    identity = x if self.downsample is None else self.downsample(x)
    out = F.relu(self.bn1(self.conv1(x)))
    return F.relu(self.bn2(self.conv2(out))) + identity


def no_relu_after_sum(self, x):
    identity = x if self.downsample is None else self.downsample(x)
    return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + identity


def shortcut_dropped(self, x):
    out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
    return F.relu(out if self.downsample is None else out + self.downsample(x))


def relu_before_bn(self, x):
    identity = x if self.downsample is None else self.downsample(x)
    return F.relu(self.bn2(self.conv2(self.bn1(F.relu(self.conv1(x))))) + identity)


def shortcut_activated(self, x):
    identity = x if self.downsample is None else F.relu(self.downsample(x))
    return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + identity)


def shortcut_detached(self, x):
    identity = x.detach() if self.downsample is None else self.downsample(x)
    return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + identity)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(
    "forward",
    [
        relu_before_sum,
        no_relu_after_sum,
        shortcut_dropped,
        relu_before_bn,
        shortcut_activated,
        shortcut_detached,
    ],
)
def test_parity_catches_a_wrong_forward(monkeypatch, forward, train):
    monkeypatch.setattr(BasicBlock, "forward", forward)
    with pytest.raises(AssertionError):
        check_parity(resnet("resnet18"), imagenet_reference("18"), train=train)


def test_parity_catches_the_stride_on_the_wrong_convolution():
    with pytest.raises(AssertionError, match="logits"):
        check_parity(resnet("resnet50"), imagenet_reference("50"), train=False)
    with pytest.raises(AssertionError, match="logits"):
        check_parity(resnet("resnet50_v1_5"), imagenet_reference("50", v1=True), train=False)


@pytest.mark.parametrize(
    ("change", "caught_in_eval"),
    [({"eps": 1e-3}, True), ({"momentum": 0.01}, False)],
    ids=["eps", "momentum"],
)
def test_parity_catches_other_batch_norm_settings(monkeypatch, change, caught_in_eval):
    class Other(nn.BatchNorm2d):
        def __init__(self, channels):
            super().__init__(channels, **change)

    monkeypatch.setattr(module.nn, "BatchNorm2d", Other)
    ours = resnet("resnet18")
    monkeypatch.undo()
    if not caught_in_eval:  # running statistics move in training only: the state after one step shows it
        with pytest.raises(AssertionError, match="running_mean after one step"):
            check_parity(ours, imagenet_reference("18"), train=True)
        return
    with pytest.raises(AssertionError):
        check_parity(ours, imagenet_reference("18"), train=False)


def test_parity_catches_a_pool_without_padding():
    ours = resnet("resnet18")
    ours.maxpool = nn.MaxPool2d(3, 2, ceil_mode=True)
    with pytest.raises(AssertionError):
        check_parity(ours, imagenet_reference("18"), train=False)


def zeros_in_front(self, x):
    return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.extra_channels, 0))


def average_pooled(self, x):
    return F.pad(F.avg_pool2d(x, self.stride, ceil_mode=True), (0, 0, 0, 0, 0, self.extra_channels))


def odd_pixels(self, x):
    return F.pad(x[:, :, 1 :: self.stride, 1 :: self.stride], (0, 0, 0, 0, 0, self.extra_channels))


@pytest.mark.parametrize("forward", [zeros_in_front, average_pooled, odd_pixels])
def test_option_a_check_catches_a_wrong_padding(monkeypatch, forward):
    monkeypatch.setattr(PadShortcut, "forward", forward)
    with pytest.raises(AssertionError):
        check_padding(PadShortcut(3, 6, 2), 6, 2)
    with pytest.raises(AssertionError):
        check_parity(resnet("resnet20_cifar"), CifarReference(3, "A"), train=False, size=(24, 20))


def test_spread_check_catches_fan_in(monkeypatch):
    def fan_in(model):
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")

    monkeypatch.setattr(module, "initialise", fan_in)
    torch.manual_seed(0)
    with pytest.raises(AssertionError, match="spread"):
        check_initial_spread(resnet("resnet50"))


def test_counts_catch_a_bias_and_a_late_stride(monkeypatch):
    right = count(resnet("resnet50"), 224)
    assert count(resnet("resnet50_v1_5"), 224) != right  # equal parameters: only the MACs tell
    monkeypatch.setattr(module, "conv", lambda i, o, k, s=1: nn.Conv2d(i, o, k, s, padding=k // 2))
    assert count(resnet("resnet50"), 224)[0] != right[0]


def test_zero_init_check_catches_the_wrong_gamma():
    model = resnet("resnet50_v1_5")
    for block in model.modules():
        if isinstance(block, Bottleneck):
            nn.init.zeros_(
                block.bn2.weight
            )  # the block starts as the identity all the same: outputs would not tell
    with pytest.raises(AssertionError, match="bn2"):
        check_affine(model, imagenet_reference("50", zero_init_residual=True))


def test_parity_catches_an_import_that_skips_running_statistics():
    def parameters_only(model, state):
        model.load_state_dict({k: v for k, v in state.items() if "running" not in k}, strict=False)

    with pytest.raises(AssertionError, match="logits"):
        check_parity(resnet("resnet18"), imagenet_reference("18"), train=False, copy_weights=parameters_only)
