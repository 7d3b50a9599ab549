"""RegNet against the paper's figures 15 and 16, against torchvision's and timm's weights and arithmetic, and
faults that people make.
"""

import re

import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create
from dlbook.models import regnet as module
from dlbook.models.regnet import (
    VARIANTS,
    AnyNet,
    Block,
    Stage,
    regnet,
    stages_of,
)
from dlbook.models.regnet_weights import load_timm_state, load_torchvision_state
from dlbook.nn.channel_attention import SqueezeExcitation
from tests.parity import disagreements, randomise

# parameters and multiply-accumulates: timm 1.0.31, for the three last torchvision 0.29.1;
# activations in millions, depths and widths: the paper's figures 15 and 16
PAPER = {
    "regnet_x_200mf": (2_684_792, 199_039_872, 2.2, (1, 1, 4, 7), (24, 56, 152, 368)),
    "regnet_x_400mf": (5_157_512, 397_677_568, 3.1, (1, 2, 7, 12), (32, 64, 160, 384)),
    "regnet_x_600mf": (6_196_040, 600_890_112, 4.0, (1, 3, 5, 7), (48, 96, 240, 528)),
    "regnet_x_800mf": (7_259_656, 799_699_712, 5.1, (1, 3, 7, 5), (64, 128, 288, 672)),
    "regnet_x_1_6gf": (9_190_136, 1_602_849_792, 7.9, (2, 4, 10, 2), (72, 168, 408, 912)),
    "regnet_x_3_2gf": (15_296_552, 3_176_621_952, 11.4, (2, 6, 15, 2), (96, 192, 432, 1008)),
    "regnet_x_4_0gf": (22_118_248, 3_964_498_816, 12.2, (2, 5, 14, 2), (80, 240, 560, 1360)),
    "regnet_x_6_4gf": (26_209_256, 6_460_291_264, 16.4, (2, 4, 10, 1), (168, 392, 784, 1624)),
    "regnet_x_8gf": (39_572_648, 7_995_132_416, 14.1, (2, 5, 15, 1), (80, 240, 720, 1920)),
    "regnet_x_12gf": (46_106_056, 12_086_678_016, 21.4, (2, 5, 11, 1), (224, 448, 896, 2240)),
    "regnet_x_16gf": (54_278_536, 15_940_755_456, 25.5, (2, 6, 13, 1), (256, 512, 896, 2048)),
    "regnet_x_32gf": (107_811_560, 31_735_929_792, 36.3, (2, 7, 13, 1), (336, 672, 1344, 2520)),
    "regnet_y_200mf": (3_162_996, 199_514_080, 2.2, (1, 1, 4, 7), (24, 56, 152, 368)),
    "regnet_y_400mf": (4_344_144, 401_842_848, 3.9, (1, 3, 6, 6), (48, 104, 208, 440)),
    "regnet_y_600mf": (6_055_160, 601_220_992, 4.3, (1, 3, 7, 4), (48, 112, 256, 608)),
    "regnet_y_800mf": (6_263_168, 797_176_832, 5.2, (1, 3, 8, 2), (64, 128, 320, 768)),
    "regnet_y_1_6gf": (11_202_430, 1_612_076_160, 8.0, (2, 6, 17, 2), (48, 120, 336, 888)),
    "regnet_y_3_2gf": (19_436_338, 3_176_482_752, 11.3, (2, 5, 13, 1), (72, 216, 576, 1512)),
    "regnet_y_4_0gf": (20_646_656, 3_973_288_448, 12.3, (2, 6, 12, 2), (128, 192, 512, 1088)),
    "regnet_y_6_4gf": (30_583_252, 6_355_204_992, 16.4, (2, 7, 14, 2), (144, 288, 576, 1296)),
    "regnet_y_8gf": (39_180_068, 7_963_057_312, 18.0, (2, 4, 10, 1), (168, 448, 896, 2016)),
    "regnet_y_12gf": (51_822_544, 12_092_376_576, 21.4, (2, 5, 11, 1), (224, 448, 896, 2240)),
    "regnet_y_16gf": (83_590_140, 15_911_510_272, 23.0, (2, 4, 11, 1), (224, 448, 1232, 3024)),
    "regnet_y_32gf": (145_046_770, 32_279_552_832, 30.3, (2, 5, 12, 1), (232, 696, 1392, 3712)),
}
TORCHVISION_OWN = {
    "regnet_x_400mf_torchvision": (5_495_976, 413_812_608, None, (1, 2, 7, 12), (32, 64, 160, 400)),
    "regnet_y_800mf_torchvision": (6_432_512, 833_856_256, None, (1, 3, 8, 2), (64, 144, 320, 784)),
    "regnet_y_8gf_torchvision": (39_381_472, 8_473_070_592, None, (2, 4, 10, 1), (224, 448, 896, 2016)),
}
TIMM = dict(
    zip(
        (
            "200mf",
            "400mf",
            "600mf",
            "800mf",
            "1_6gf",
            "3_2gf",
            "4_0gf",
            "6_4gf",
            "8gf",
            "12gf",
            "16gf",
            "32gf",
        ),
        ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320"),
        strict=True,
    )
)
SMALLEST_ODD = (2, 3, 64, 48)


def timm_name(name: str) -> str:
    letter, size = re.fullmatch(r"regnet_([xy])_(.*?)(?:_torchvision)?", name).groups()
    return f"regnet{letter}_{TIMM[size]}" + ("_tv" if name.endswith("_torchvision") else "")


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts_stages_and_shapes(name):
    parameters, macs, activations, depths, widths = (PAPER | TORCHVISION_OWN)[name]
    counts = count(lambda: regnet(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == (parameters, macs)
    assert activations is None or abs(counts.activations / 1e6 - activations) <= 0.05
    stages = stages_of(VARIANTS[name])
    assert (tuple(stage.depth for stage in stages), tuple(stage.width for stage in stages)) == (
        depths,
        widths,
    )
    shapes = [
        tuple(x.shape)
        for x in feature_maps(create(name, device="meta").eval(), torch.empty(2, 3, 224, 192, device="meta"))
    ]
    assert shapes == [(2, 32, 112, 96), *((2, w, 112 >> i, 96 >> i) for i, w in enumerate(widths, start=1))]


def pair(name: str, library: str = "torchvision") -> tuple[AnyNet, nn.Module]:
    """A row with 7 classes and its peer, of equal weights away from their start, in float64."""
    if library == "timm":
        theirs, load = timm.create_model(timm_name(name), num_classes=7), load_timm_state
    else:
        theirs, load = (
            getattr(torchvision.models, name.removesuffix("_torchvision"))(num_classes=7),
            load_torchvision_state,
        )
    randomise(theirs)
    return load(regnet(name, num_classes=7).double(), theirs.state_dict()), theirs


def renamed(name: str) -> str:
    """The name of a tensor of torchvision's in our model, written apart from the loader."""
    name = re.sub(r"trunk_output\.block(\d)\.block\d-(\d+)\.", lambda m: f"layer{m[1]}.{m[2]}.", name)
    name = re.sub(
        r"f\.([abc])\.([01])", lambda m: ("conv" if m[2] == "0" else "bn") + str(" abc".index(m[1])), name
    )
    return name.replace("f.se.fc1", "se.reduce").replace("f.se.fc2", "se.expand")


def renamed_timm(name: str) -> str:
    """The name of a tensor of timm's in our model, written apart from the loader."""
    name = re.sub(r"^s(\d)\.b(\d+)\.", lambda m: f"layer{m[1]}.{int(m[2]) - 1}.", name)
    name = re.sub(r"conv(\d)\.(conv|bn)", r"\2\1", name)
    name = re.sub(r"(stem|downsample)\.(conv|bn)", lambda m: f"{m[1]}.{('conv', 'bn').index(m[2])}", name)
    return (
        name.replace("downsample", "proj")
        .replace("head.fc", "fc")
        .replace("se.fc1", "se.reduce")
        .replace("se.fc2", "se.expand")
    )


@pytest.mark.parametrize("name", ["regnet_x_800mf", "regnet_y_400mf", "regnet_x_400mf_torchvision"])
def test_equal_to_torchvision(name):
    assert disagreements(*pair(name), SMALLEST_ODD, renamed) == []


@pytest.mark.parametrize("name", ["regnet_x_200mf", "regnet_y_200mf"])
def test_equal_to_timm(name):
    assert disagreements(*pair(name, "timm"), SMALLEST_ODD, renamed_timm) == []


def test_an_anynet_with_bottlenecks_is_equal_to_torchvisions_blocks():
    stages = (Stage(2, 16, 4, bottleneck_ratio=2), Stage(1, 48, 4, bottleneck_ratio=4), Stage(2, 48, 8))
    parameters = torchvision.models.regnet.BlockParams(
        [2, 1, 2], [16, 48, 48], [4, 4, 8], [0.5, 0.25, 1.0], [2, 2, 2], se_ratio=0.25
    )
    theirs = randomise(torchvision.models.regnet.RegNet(parameters, num_classes=5))
    ours = load_torchvision_state(AnyNet(stages, 0.25, num_classes=5).double(), theirs.state_dict())
    assert disagreements(ours, theirs, (2, 3, 33, 40), renamed) == []


def without_last_relu(self, x):
    branch = self.conv3(self.se(F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))))
    return self.bn3(branch) + (x if self.proj is None else self.proj(x))


def squeeze_before_bn(self, x):
    branch = F.relu(self.bn2(self.se(self.conv2(F.relu(self.bn1(self.conv1(x)))))))
    return F.relu(self.bn3(self.conv3(branch)) + (x if self.proj is None else self.proj(x)))


def squeeze_last(self, x):
    branch = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
    return F.relu(self.se(self.bn3(self.conv3(branch))) + (x if self.proj is None else self.proj(x)))


@pytest.mark.parametrize("forward", [without_last_relu, squeeze_before_bn, squeeze_last])
def test_parity_catches_a_wrong_block(monkeypatch, forward):
    model, theirs = pair("regnet_y_400mf")
    monkeypatch.setattr(Block, "forward", forward)
    assert disagreements(model, theirs, SMALLEST_ODD, renamed)


def stride_first(model):
    block = model.stages[1][0]
    block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)


FAULTS = {
    "the stride on the first 1x1": stride_first,
    "the 3x3 dilated": lambda model: (
        setattr(model.stages[2][0].conv2, "dilation", (2, 2)),
        setattr(model.stages[2][0].conv2, "padding", (2, 2)),
    ),
    "another eps": lambda model: setattr(model.stages[3][0].bn3, "eps", 1e-3),
    "another momentum": lambda model: setattr(model.stages[0][0].bn1, "momentum", 0.01),
    "MobileNetV3's gate": lambda model: setattr(model.stages[3][1].se, "gate", nn.Hardsigmoid()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    model, theirs = pair("regnet_y_400mf")
    FAULTS[fault](model)
    assert disagreements(model, theirs, SMALLEST_ODD, renamed)


def test_counts_and_loading_catch_squeeze_excite_of_the_blocks_own_width(monkeypatch):
    monkeypatch.setattr(
        module, "SqueezeExcitation", lambda channels, _: SqueezeExcitation(channels, channels // 4)
    )
    assert count(lambda: regnet("regnet_y_400mf")).parameters != PAPER["regnet_y_400mf"][0]
    with pytest.raises(
        ValueError,
        match=r"'layer1.0.se.reduce.weight' of shape \[12, 48, 1, 1\], got \[8, "
        r"48, 1, 1\]",
    ):
        load_torchvision_state(regnet("regnet_y_400mf"), torchvision.models.regnet_y_400mf().state_dict())


def test_initial_spread():
    torch.manual_seed(0)
    model = regnet("regnet_y_400mf")
    for conv in (m for m in model.modules() if isinstance(m, nn.Conv2d) and m.weight.numel() > 4096):
        expected, error = (
            (2 / (conv.out_channels * conv.kernel_size[0] ** 2)) ** 0.5,
            5 / (2 * conv.weight.numel()) ** 0.5,
        )
        assert abs(conv.weight.std().item() / expected - 1) < error
    assert abs(model.fc.weight.std().item() / 0.01 - 1) < 0.01 and not model.fc.bias.any()
    assert all(
        (m.weight == 1).all() and not m.bias.any() for m in model.modules() if isinstance(m, nn.BatchNorm2d)
    )


def test_channels_last_and_bfloat16_go_through():
    model = regnet("regnet_y_200mf", 5).to(memory_format=torch.channels_last).eval()
    images = torch.randn(2, 3, 64, 96).to(memory_format=torch.channels_last)
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in feature_maps(model, images))
    with torch.autocast("cpu", torch.bfloat16):
        assert model(images).dtype == torch.bfloat16


def test_bad_images_stages_and_weights():
    model = regnet("regnet_x_200mf")
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 1, 64, 64))
    with pytest.raises(ValueError, match="one Stage or more"):
        AnyNet([])
    with pytest.raises(ValueError, match="one Stage or more"):
        AnyNet(["regnet_x_200mf"])
    with pytest.raises(ValueError, match="'stem.0.weight'.*missing"):
        load_timm_state(model, {})
    with pytest.raises(
        ValueError, match=r"'layer4.0.conv1.weight'"
    ):  # of the paper's widths: the first three stages fit
        load_torchvision_state(regnet("regnet_x_400mf"), torchvision.models.regnet_x_400mf().state_dict())
