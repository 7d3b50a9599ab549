"""Wide ResNet against the paper's tables and text, torchvision, and faults that people make."""

import copy

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models import create
from dlbook.models import wide_resnet as module
from dlbook.models.wide_resnet import (
    VARIANTS,
    Config,
    WideBlock,
    WideBottleneck,
    WideBottleneckResNet,
    WideResNet,
    wide_resnet,
)
from dlbook.models.wide_resnet_weights import load_torchvision_state
from tests.models.residual_checks import (
    check_spread,
    field_of,
    gradient_field,
    keeps_channels_last,
    stage_shapes,
)
from tests.parity import disagreements, randomise

# parameters and MACs: torchvision 0.29.1 for ImageNet; pytorchcv 0.0.74 for 40-8, 28-10, 16-10; the others by
# hand below.
# `PAPER` has the millions of the paper's Tables 4 and 5.
COUNTS = {
    "wrn40_1": (563_930, 83_280_512),
    "wrn40_2": (2_243_546, 327_599_360),
    "wrn40_4": (8_949_210, 1_298_582_016),
    "wrn40_8": (35_748_314, 5_172_024_320),
    "wrn28_2": (1_467_610, 214_353_152),
    "wrn28_10": (36_479_194, 5_243_328_768),
    "wrn28_12": (52_517_850, 7_543_905_792),
    "wrn22_8": (17_158_106, 2_454_115_328),
    "wrn22_10": (26_797_914, 3_827_751_168),
    "wrn16_8": (10_961_370, 1_548_145_664),
    "wrn16_10": (17_116_634, 2_412_173_568),
    "wide_resnet50_2": (68_883_240, 11_398_021_120),
    "wide_resnet101_2": (126_886_696, 22_753_050_624),
}
PAPER = {
    "wrn40_1": 0.6,
    "wrn40_2": 2.2,
    "wrn40_4": 8.9,
    "wrn40_8": 35.7,
    "wrn28_10": 36.5,
    "wrn28_12": 52.5,
    "wrn22_8": 17.2,
    "wrn22_10": 26.8,
    "wrn16_8": 11.0,
    "wrn16_10": 17.1,
}
SMALL = [name for name in VARIANTS if name.startswith("wrn")]
TORCHVISION = ("wide_resnet50_2", "wide_resnet101_2")


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: create(name, device="meta"), (3,) + (32 if name in SMALL else 224,) * 2)
    assert (counts.parameters, counts.macs) == COUNTS[name]


@pytest.mark.parametrize("name", SMALL)
def test_counts_by_hand_and_in_the_paper(name):
    layers, k = map(int, name.removeprefix("wrn").split("_"))
    blocks, channels, parameters, macs = (layers - 4) // 6, 16, 27 * 16, 27 * 16 * 32**2
    for side, width in ((32, 16 * k), (16, 32 * k), (8, 64 * k)):
        for _ in range(blocks):
            weights = 9 * channels * width + 9 * width**2 + (channels * width if channels != width else 0)
            parameters, macs, channels = (
                parameters + weights + 2 * (channels + width),
                macs + weights * side**2,
                width,
            )
    assert (parameters + 2 * channels + 10 * channels + 10, macs + 10 * channels) == COUNTS[name]
    assert name not in PAPER or abs(COUNTS[name][0] / 1e6 - PAPER[name]) <= 0.05


@pytest.mark.parametrize("name", VARIANTS)
def test_stage_shapes(name):
    model = create(name, device="meta")
    k = model.config.widen_factor
    if name in SMALL:
        expected = zip((16, 16 * k, 32 * k, 64 * k), (32, 32, 16, 8), strict=True)
    else:
        expected = zip((64, 256, 512, 1024, 2048), (56, 56, 28, 14, 7), strict=True)
    assert stage_shapes(model, 32 if name in SMALL else 224) == [
        (2, c, side, 2 * side) for c, side in expected
    ]


def layers_of(depths: tuple[int, ...], small: bool) -> list[tuple[int, int]]:
    """(kernel, stride) along the main path."""
    layers = [(3, 1)] if small else [(7, 2), (3, 2)]
    for group, depth in enumerate(depths):
        for position in range(depth):
            stride = 2 if group and not position else 1
            layers += [(3, stride), (3, 1)] if small else [(1, 1), (3, stride), (1, 1)]
    return layers


@pytest.mark.parametrize(
    "name, field", [("wrn28_10", 109), ("wrn16_8", 53), ("wide_resnet50_2", 427), ("wide_resnet101_2", 971)]
)
def test_receptive_field_by_formula(name, field):
    assert (
        field_of(layers_of(VARIANTS[name].depths, name in SMALL))
        == field
        == count(lambda: create(name, device="meta")).receptive_field
    )


@pytest.mark.parametrize("depths, size", [((4, 4, 4), 144), ((1, 1, 1, 1), 240)])
def test_receptive_field_by_the_support_of_a_gradient(depths, size):
    small = len(depths) == 3
    config = Config("cifar" if small else "imagenet", depths, 1, 3)
    model = WideResNet(config, 3, 1, 0.0) if small else WideBottleneckResNet(config, 3, 1)
    assert gradient_field(model, size) == (field_of(layers_of(depths, small)),) * 2


class Written(nn.Module):
    """WRN-n-k as Table 1 and figure 1(d) have it, with the weights of `model`; every stride and wire is said
    here.
    """

    def __init__(self, model: WideResNet) -> None:
        super().__init__()
        self.net = copy.deepcopy(model)

    def forward(self, images):
        conv = lambda x, layer, stride=1: F.conv2d(x, layer.weight, None, stride, layer.weight.shape[-1] // 2)
        x = conv(images, self.net.conv1)
        for group, blocks in enumerate(self.net.stages):
            for position, block in enumerate(blocks):
                stride = 2 if group and not position else 1
                activated = F.relu(block.bn1(x))
                shortcut = (
                    conv(activated, block.shortcut, stride)
                    if x.shape[1] != block.conv2.weight.shape[0]
                    else x
                )
                x = shortcut + conv(F.relu(block.bn2(conv(activated, block.conv1, stride))), block.conv2)
        return self.net.fc(F.adaptive_avg_pool2d(F.relu(self.net.bn(x)), 1).flatten(1))


def against_the_paper(widen_factor: int = 2, depths: tuple[int, ...] = (2, 2, 1), fault=None) -> list[str]:
    model = randomise(WideResNet(Config("cifar", depths, widen_factor, 7), 7, 3, 0.3))
    theirs = Written(model)
    if fault:
        fault(model)
    return disagreements(model, theirs, (2, 3, 15, 22), lambda name: name.removeprefix("net."))


@pytest.mark.parametrize(
    "widen_factor", [1, 3]
)  # 1: the first group keeps its 16 channels and has no projection
def test_equal_to_the_paper_written_out(widen_factor):
    assert against_the_paper(widen_factor) == []


def test_the_whole_wrn_16_at_width_2_equals_the_paper():
    assert against_the_paper(2, (2, 2, 2)) == []


def pair(narrow: int = 1) -> tuple[nn.Module, nn.Module]:
    """torchvision's net and ours with its weights: two or one blocks a stage."""
    resnet = torchvision.models.resnet
    theirs = randomise(
        resnet.ResNet(resnet.Bottleneck, [2, 1, 1, 1], num_classes=7, width_per_group=128 // narrow)
    )
    config = Config("imagenet", (2, 1, 1, 1), 1 if narrow == 2 else 2, 7)
    return load_torchvision_state(WideBottleneckResNet(config, 7, 3).double(), theirs.state_dict()), theirs


def test_equal_to_torchvision():
    assert disagreements(*pair(), (2, 3, 33, 40)) == []


def raw_shortcut(self, x):
    shortcut = x if self.shortcut is None else self.shortcut(x)
    return self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x)))))) + shortcut


def after_the_sum(self, x):
    activated = F.relu(self.bn1(x))
    shortcut = x if self.shortcut is None else self.shortcut(activated)
    return F.relu(self.conv2(F.relu(self.bn2(self.conv1(activated)))) + shortcut)


def activated_identity(self, x):
    activated = F.relu(self.bn1(x))
    shortcut = activated if self.shortcut is None else self.shortcut(activated)
    return self.conv2(F.relu(self.bn2(self.conv1(activated)))) + shortcut


@pytest.mark.parametrize("forward", [raw_shortcut, after_the_sum, activated_identity])
def test_the_written_paper_catches_a_wrong_wire(monkeypatch, forward):
    monkeypatch.setattr(WideBlock, "forward", forward)
    assert "eval logits" in against_the_paper()


def other_momentum(model):
    model.bn.momentum = 0.001  # FixMatch's nets have it, and a leaky ReLU


def stride_on_the_second(model):
    for group in model.stages[1:]:
        group[0].conv1.stride, group[0].conv2.stride = (1, 1), (2, 2)


@pytest.mark.parametrize(
    "fault, found",
    [
        (other_momentum, "train state after a step: net.bn.running_mean"),
        (stride_on_the_second, "eval logits"),
    ],
)
def test_the_written_paper_catches_a_wrong_setting(fault, found):
    assert found in against_the_paper(fault=fault)


def test_torchvision_catches_the_stride_on_the_first_convolution():
    ours, theirs = pair(narrow=2)
    for stage in (ours.layer2, ours.layer3, ours.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    assert "eval logits" in disagreements(ours, theirs, (2, 3, 33, 40))


def test_counts_catch_a_widened_output(monkeypatch):
    """All channels of a bottleneck doubled, not only those inside, is the common misreading."""
    monkeypatch.setattr(
        module,
        "WideBottleneck",
        lambda channels, inner, width, stride: WideBottleneck(channels, inner, 2 * width, stride),
    )
    model = create("wide_resnet50_2", device="meta")
    assert sum(p.numel() for p in model.parameters()) != COUNTS["wide_resnet50_2"][0]


def test_dropout_stands_between_the_convolutions():
    torch.manual_seed(0)
    block = WideBlock(4, 400, 1, 0.3).train()
    seen = {}
    block.dropout.register_forward_hook(
        lambda module, inputs, output: seen.update(before=inputs[0], after=output)
    )
    block.conv2.register_forward_hook(lambda module, inputs, output: seen.update(convolved=inputs[0]))
    block(torch.randn(2, 4, 9, 7))
    before, after = seen["before"], seen["after"]
    open_units = before > 0
    assert (before >= 0).all() and torch.equal(after, seen["convolved"])
    assert abs((after[open_units] == 0).float().mean() - 0.3) < 5 * (0.21 / open_units.sum()) ** 0.5
    kept = open_units & (after != 0)
    torch.testing.assert_close(after[kept], before[kept] / 0.7)


def test_spread_and_channels_last():
    torch.manual_seed(0)
    model = wide_resnet("wrn28_2")
    check_spread(model)
    assert (model.fc.bias == 0).all() and keeps_channels_last(model, 32)


def test_spread_check_catches_fan_in():
    model = wide_resnet("wrn28_2")
    nn.init.kaiming_normal_(model.layer2[0].conv1.weight, mode="fan_in", nonlinearity="relu")
    with pytest.raises(AssertionError, match="spread of layer2.0.conv1"):
        check_spread(model)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "wrn28_2", "drop_prob": 1.0}, "expected drop_prob"),
        ({"name": "wide_resnet50_2", "drop_prob": 0.3}, "has no dropout"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        wide_resnet(**arguments)


def test_bad_configs_images_and_weights():
    with pytest.raises(ValueError, match="expected dataset to be"):
        Config("svhn", (1,), 2, 10)
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        create("wrn16_8", device="meta")(torch.zeros(3, 32, 32, device="meta"))
    with pytest.raises(ValueError, match="'conv1.weight' of shape"):
        load_torchvision_state(create("wide_resnet50_2", device="meta"), {})
