"""ResNet against torchvision, weight by weight: outputs, gradients and the state after one step (float64,
1e-10 relative); then the faults that each of these checks has to catch.

Counts, shapes and errors of the table's rows: ``test_resnet_table.py``.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet as reference

from dlbook.models import resnet as module
from dlbook.models.resnet import BasicBlock, Bottleneck, PadShortcut, resnet, zero_init_last_gamma
from dlbook.models.resnet_weights import load_torchvision_state
from tests.models.residual_checks import (
    check_affine,
    check_both_modes,
    check_padding,
    check_parity,
    check_spread,
    count,
)
from tests.oracles.resnet_reference import CifarReference, imagenet_reference


@pytest.mark.parametrize("depth", ["18", "34", "50", "101", "152"])
def test_v1_5_rows_equal_torchvision(depth):
    check_both_modes(
        resnet(f"resnet{depth}_v1_5"), imagenet_reference(depth), copy_weights=load_torchvision_state
    )


@pytest.mark.parametrize("depth", ["18", "34", "50", "101", "152"])
def test_v1_rows_equal_torchvision_with_the_stride_moved(depth):
    check_both_modes(resnet(f"resnet{depth}"), imagenet_reference(depth, v1=True))


@pytest.mark.parametrize("depth", ["18", "34"])
def test_option_a_rows(depth):
    check_both_modes(resnet(f"resnet{depth}_a"), imagenet_reference(depth, pad=True))


@pytest.mark.parametrize("depth", ["18", "34"])
def test_plain_rows(depth):
    check_both_modes(resnet(f"plain{depth}"), imagenet_reference(depth, plain=True))


@pytest.mark.parametrize("option", ["A", "B"])
@pytest.mark.parametrize("n", [3, 5, 7, 9, 18])
def test_cifar_rows(n, option):
    name = f"resnet{6 * n + 2}_cifar" + ("_b" if option == "B" else "")
    check_both_modes(resnet(name), CifarReference(n, option), size=(24, 18))


@pytest.mark.parametrize("n", [3, 5, 7, 9])
def test_plain_cifar_rows(n):
    check_both_modes(resnet(f"plain{6 * n + 2}_cifar"), CifarReference(n, "none"), size=(24, 18))


def test_one_block_of_each_kind_with_an_odd_map():
    check_both_modes(resnet("resnet50_v1_5"), imagenet_reference("50"), size=(65, 97))


@pytest.mark.parametrize(("out_channels", "stride"), [(6, 2), (12, 2), (3, 2), (5, 1)])
def test_option_a_is_subsampling_and_trailing_zeros(out_channels, stride):
    shortcut = PadShortcut(3, out_channels, stride)
    check_padding(shortcut, out_channels, stride)
    assert not list(shortcut.parameters())


@pytest.mark.parametrize("depth", ["18", "50"])
def test_zero_init_is_torchvisions(depth):
    ours = zero_init_last_gamma(resnet(f"resnet{depth}_v1_5"))
    check_affine(ours, getattr(reference, f"resnet{depth}")(zero_init_residual=True))


def test_zero_init_makes_every_identity_block_the_identity():
    model = zero_init_last_gamma(resnet("resnet50")).train()
    x = torch.randn(2, 256, 7, 5).relu()  # a block's input is the output of a ReLU
    for block in list(model.layer1)[1:]:
        assert torch.equal(block(x), x)


def test_initial_weights_have_he_s_variance():
    torch.manual_seed(0)
    check_spread(resnet("resnet50"))


def test_import_leaves_the_model_alone_when_a_late_tensor_does_not_fit():
    model = resnet("resnet18_v1_5", num_classes=10)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"'fc.weight' of shape \[10, 512\], got \[1000, 512\]"):
        load_torchvision_state(model, imagenet_reference("18").state_dict())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_import_accepts_files_without_the_batch_counter():
    state = {k: v for k, v in imagenet_reference("18").state_dict().items() if "num_batches" not in k}
    model = load_torchvision_state(resnet("resnet18"), state)
    assert all(torch.equal(state[name], model.state_dict()[name]) for name in state)


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


def zeros_in_front(self, x):
    return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.extra_channels, 0))


def average_pooled(self, x):
    return F.pad(F.avg_pool2d(x, self.stride, ceil_mode=True), (0, 0, 0, 0, 0, self.extra_channels))


def odd_pixels(self, x):
    return F.pad(x[:, :, 1 :: self.stride, 1 :: self.stride], (0, 0, 0, 0, 0, self.extra_channels))


FAULTS = {
    "ReLU before the sum": (BasicBlock, relu_before_sum),
    "no ReLU after the sum": (BasicBlock, no_relu_after_sum),
    "no identity shortcut": (BasicBlock, shortcut_dropped),
    "ReLU before BN": (BasicBlock, relu_before_bn),
    "a ReLU on the projection": (BasicBlock, shortcut_activated),
    "the shortcut without a gradient": (BasicBlock, shortcut_detached),
    "zeros in front": (PadShortcut, zeros_in_front),
    "average pooling for option A": (PadShortcut, average_pooled),
    "the odd pixels": (PadShortcut, odd_pixels),
}


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("fault", [name for name, (kind, _) in FAULTS.items() if kind is BasicBlock])
def test_parity_catches_a_wrong_block(monkeypatch, fault, train):
    monkeypatch.setattr(BasicBlock, "forward", FAULTS[fault][1])
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


@pytest.mark.parametrize("fault", [name for name, (kind, _) in FAULTS.items() if kind is PadShortcut])
def test_option_a_check_catches_a_wrong_padding(monkeypatch, fault):
    monkeypatch.setattr(PadShortcut, "forward", FAULTS[fault][1])
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
        check_spread(resnet("resnet50"))


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
