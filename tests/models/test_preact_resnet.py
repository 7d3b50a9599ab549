"""Pre-activation ResNet against timm, against the paper written out, and faults that people make."""

import copy

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models import create
from dlbook.models import preact_resnet as module
from dlbook.models.preact_resnet import (
    VARIANTS,
    BasicUnit,
    BottleneckUnit,
    Config,
    PreActResNet,
    preact_resnet,
)
from dlbook.models.preact_resnet_weights import from_timm, load_timm_state
from tests.models.residual_checks import (
    check_spread,
    field_of,
    gradient_field,
    keeps_channels_last,
    stage_shapes,
)
from tests.parity import disagreements, randomise

# parameters and MACs at 32 or 224 pixels. resnetv2: timm 1.0.31. preact 50 to 152: the same parameters, the
# stride on the 1x1
# as in pytorchcv 0.0.74, which has a second BN of 2 * 64 in the stem. 20, 56, 110: pytorchcv. 164, 1001, 200:
# by hand below.
COUNTS = {
    "preact_resnet20_cifar": (272_282, 40_813_184),
    "preact_resnet56_cifar": (855_578, 125_747_840),
    "preact_resnet110_cifar": (1_730_522, 253_149_824),
    "preact_resnet164_cifar": (1_703_258, 244_500_992),
    "preact_resnet1001_cifar": (10_327_706, 1_487_849_984),
    "preact_resnet50": (25_549_480 - 128, 3_857_973_248),
    "preact_resnet101": (44_541_608 - 128, 7_570_194_432),
    "preact_resnet152": (60_185_256 - 128, 11_282_415_616),
    "preact_resnet200": (64_666_152, 14_776_270_848),
    "resnetv2_18": (11_687_720, 1_814_073_344),
    "resnetv2_34": (21_795_880, 3_663_761_408),
    "resnetv2_50": (25_549_352, 4_089_184_256),
    "resnetv2_101": (44_541_480, 7_801_405_440),
    "resnetv2_152": (60_185_128, 11_513_626_624),
}
THIN = {"depths": (2, 1, 1), "widths": (6, 8, 10), "num_classes": 5}


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: create(name, device="meta"), (3,) + (32 if "cifar" in name else 224,) * 2)
    assert (counts.parameters, counts.macs) == COUNTS[name]


@pytest.mark.parametrize("name", ["preact_resnet164_cifar", "preact_resnet1001_cifar", "preact_resnet200"])
def test_counts_by_hand(name):
    """Convolutions and the linear layer one by one; a BN has two numbers a channel of its input."""
    config, cifar = VARIANTS[name], "cifar" in name
    side, channels = (32, 16) if cifar else (112, 64)
    kernel = 3 if cifar else 7
    parameters, macs = kernel**2 * 3 * channels, kernel**2 * 3 * channels * side**2
    side = side if cifar else side // 2
    for stage, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True)):
        for position in range(depth):
            parameters += 2 * (channels + 2 * width)
            side = side // 2 if stage and not position else side
            weights = (
                channels * width + 9 * width**2 + 4 * width**2 + (4 * width * channels if not position else 0)
            )
            parameters, macs, channels = parameters + weights, macs + weights * side**2, 4 * width
    classes = config.num_classes
    assert (parameters + 2 * channels + channels * classes + classes, macs + channels * classes) == COUNTS[
        name
    ]


def test_layers_in_the_names():
    for name, config in VARIANTS.items():
        layers = 2 + sum(config.depths) * (2 if config.unit is BasicUnit else 3)
        assert str(layers) == name.removesuffix("_cifar").removeprefix("preact_resnet").removeprefix(
            "resnetv2_"
        )


@pytest.mark.parametrize(
    "name", [name for name in VARIANTS if "1001" not in name]
)  # 1001 is 164 with longer stages
def test_stage_shapes(name):
    config, cifar = VARIANTS[name], "cifar" in name
    found = stage_shapes(create(name, device="meta"), 32 if cifar else 224)
    sides = (32, 32, 16, 8) if cifar else (56, 56, 28, 14, 7)
    widths = [config.stem_width, *(width * config.unit.expansion for width in config.widths)]
    assert found == [(2, c, side, 2 * side) for c, side in zip(widths, sides, strict=True)]


FIELDS = {"preact_resnet20_cifar": 81, "preact_resnet50": 483, "resnetv2_18": 435, "resnetv2_50": 427}


@pytest.mark.parametrize("name", FIELDS)
def test_receptive_field(name):
    config = VARIANTS[name]
    layers = [(3, 1)] if config.stem == "cifar" else [(7, 2), (3, 2)]
    for stage, depth in enumerate(config.depths):
        for position in range(depth):
            stride = 2 if stage and not position else 1
            bottleneck = (
                [(1, stride), (3, 1), (1, 1)]
                if config.unit is BottleneckUnit
                else [(1, 1), (3, stride), (1, 1)]
            )
            layers += bottleneck if issubclass(config.unit, BottleneckUnit) else [(3, stride), (3, 1)]
    thin = Config(config.unit, config.depths, (1,) * len(config.depths), config.stem, 1, 1)
    size = 40 * round((FIELDS[name] + 64) / 40)
    assert field_of(layers) == FIELDS[name] == count(lambda: preact_resnet(name)).receptive_field
    assert gradient_field(PreActResNet(thin, in_channels=1), size) == (FIELDS[name], FIELDS[name])


class Written(nn.Module):
    """The paper's net as one reads it, with the weights of `model`: every stride, padding and wire is said
    here.
    """

    def __init__(self, model: PreActResNet, bottleneck: bool, cifar: bool) -> None:
        super().__init__()
        self.net, self.bottleneck, self.cifar = copy.deepcopy(model), bottleneck, cifar

    def unit(self, x, layers, first_of_net, first_of_stage):
        conv = lambda x, layer, stride=1: F.conv2d(
            x, layer.weight, stride=stride, padding=layer.weight.shape[-1] // 2
        )
        stride = 2 if first_of_stage and not first_of_net else 1
        activated = x if first_of_net else F.relu(layers.norm1(x))
        shortcut = (
            conv(activated, layers.downsample, stride)
            if first_of_stage and (self.bottleneck or not first_of_net)
            else x
        )
        out = F.relu(layers.norm2(conv(activated, layers.conv1, stride)))
        out = conv(out, layers.conv2)
        if self.bottleneck:
            out = conv(F.relu(layers.norm3(out)), layers.conv3)
        return shortcut + out

    def forward(self, images):
        x = F.conv2d(
            images, self.net.conv1.weight, stride=1 if self.cifar else 2, padding=1 if self.cifar else 3
        )
        x = F.relu(self.net.bn1(x))
        x = x if self.cifar else F.max_pool2d(x, 3, 2, 1)
        for stage, units in enumerate(self.net.stages):
            for position, layers in enumerate(units):
                x = self.unit(x, layers, stage == position == 0, position == 0)
        return self.net.fc(F.adaptive_avg_pool2d(F.relu(self.net.norm(x)), 1).flatten(1))


def against_the_paper(unit, stem) -> list[str]:
    model = randomise(PreActResNet(Config(unit, **THIN, stem=stem, stem_width=6)))
    theirs = Written(model, unit is BottleneckUnit, stem == "cifar")
    return disagreements(model, theirs, (2, 3, 23, 30), lambda name: name.removeprefix("net."))


@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
@pytest.mark.parametrize("unit", [BasicUnit, BottleneckUnit])
def test_equal_to_the_paper_written_out(unit, stem):
    assert against_the_paper(unit, stem) == []


def pair(name: str, narrow: int = 4) -> tuple[nn.Module, nn.Module]:
    """timm's net with one or two units a stage, and a fraction of the width, and ours with its weights."""
    unit, widths = VARIANTS[name].unit, tuple(width // narrow for width in (64, 128, 256, 512))
    channels = [width * unit.expansion for width in widths]
    theirs = randomise(
        timm.create_model(name, layers=[2, 1, 1, 1], channels=channels, stem_chs=widths[0], num_classes=7)
    )
    config = Config(unit, (2, 1, 1, 1), widths, "timm", widths[0])
    return load_timm_state(PreActResNet(config, 7).double(), theirs.state_dict()), theirs


@pytest.mark.parametrize("name", ["resnetv2_18", "resnetv2_50"])
def test_equal_to_timm(name):
    assert disagreements(*pair(name, narrow=1), (2, 3, 33, 40), from_timm) == []


def raw_shortcut(self, x):
    shortcut = x if self.downsample is None else self.downsample(x)
    activated = x if self.norm1 is None else F.relu(self.norm1(x))
    return self.conv3(F.relu(self.norm3(self.conv2(F.relu(self.norm2(self.conv1(activated))))))) + shortcut


def relu_after_the_sum(self, x):
    activated = x if self.norm1 is None else F.relu(self.norm1(x))
    shortcut = x if self.downsample is None else self.downsample(activated)
    return F.relu(
        self.conv3(F.relu(self.norm3(self.conv2(F.relu(self.norm2(self.conv1(activated))))))) + shortcut
    )


def activated_shortcut_everywhere(self, x):
    activated = x if self.norm1 is None else F.relu(self.norm1(x))
    shortcut = activated if self.downsample is None else self.downsample(activated)
    return self.conv3(F.relu(self.norm3(self.conv2(F.relu(self.norm2(self.conv1(activated))))))) + shortcut


@pytest.mark.parametrize("forward", [raw_shortcut, relu_after_the_sum, activated_shortcut_everywhere])
def test_both_oracles_catch_a_wrong_wire(monkeypatch, forward):
    monkeypatch.setattr(BottleneckUnit, "forward", forward)
    assert "eval logits" in against_the_paper(BottleneckUnit, "cifar")
    assert "eval logits" in disagreements(*pair("resnetv2_50"), (2, 3, 33, 40), from_timm)


def test_parity_catches_the_last_activation_forgotten():
    ours, theirs = pair("resnetv2_18")
    ours.norm = nn.Identity()
    assert (
        "eval logits"
        in disagreements(
            ours, theirs, (2, 3, 33, 40), lambda name: from_timm(name) if "norm." not in name else "fc.bias"
        )[:1]
    )


def test_parity_catches_the_stride_on_the_first_convolution():
    ours, theirs = pair("resnetv2_50")
    for stage in ours.stages[1:]:
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    assert "eval logits" in disagreements(ours, theirs, (2, 3, 33, 40), from_timm)


def test_the_first_activation_before_or_after_the_pool_is_seen_in_training():
    """With positive gammas the order is the same in evaluation; the statistics of training tell the two stems
    apart.
    """
    ours, theirs = pair("resnetv2_50")
    ours.bn1, ours.layer1[0].norm1 = ours.layer1[0].norm1, None
    found = disagreements(
        ours,
        theirs,
        (2, 3, 33, 40),
        lambda name: "bn1." + name.split(".")[-1] if "0.blocks.0.norm1" in name else from_timm(name),
    )
    assert "train logits" in found and "eval logits" not in found


def test_spread_of_the_weights():
    torch.manual_seed(0)
    model = preact_resnet("resnetv2_50")
    check_spread(model)
    assert (model.fc.bias == 0).all()


def test_spread_check_catches_fan_in(monkeypatch):
    normal = nn.init.kaiming_normal_
    monkeypatch.setattr(
        module.nn.init,
        "kaiming_normal_",
        lambda weight, mode, nonlinearity: normal(weight, mode="fan_in", nonlinearity=nonlinearity),
    )
    with pytest.raises(AssertionError, match="spread"):
        check_spread(preact_resnet("preact_resnet164_cifar"))


def test_channels_last_and_the_identity_path():
    assert keeps_channels_last(preact_resnet("preact_resnet20_cifar"), 32)
    unit, x = BasicUnit(4, 4, 1), torch.randn(2, 4, 5, 6)
    nn.init.zeros_(unit.conv2.weight)
    assert torch.equal(unit(x), x)  # equation (4): with F = 0 negative values pass too


def test_bad_configs_images_and_weights():
    with pytest.raises(ValueError, match="one entry a stage"):
        Config(BasicUnit, (1, 2), (4,))
    with pytest.raises(ValueError, match="expected stem to be"):
        Config(BasicUnit, (1,), (4,), stem="deep")
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        create("preact_resnet20_cifar", device="meta")(torch.zeros(1, 1, 32, 32, device="meta"))
    with pytest.raises(ValueError, match="expected a row resnetv2_18 .*build such a row"):
        load_timm_state(create("preact_resnet50", device="meta"), {})
    with pytest.raises(ValueError, match="'conv1.weight' of shape"):
        load_timm_state(create("resnetv2_18", device="meta"), {})
