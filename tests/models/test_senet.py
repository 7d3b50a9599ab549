"""SE-ResNet against timm's two forms of it, against the equations, and faults that people make."""

import pytest
import timm
import torch
from timm.models.senet import SENet, SEResNetBottleneck
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models import create
from dlbook.models.senet import VARIANTS, Config, SEBottleneck, SEResNet
from dlbook.models.senet_weights import from_timm, load_timm_state
from tests.models.residual_checks import (
    check_spread,
    field_of,
    gradient_field,
    keeps_channels_last,
    stage_shapes,
)
from tests.parity import disagreements, randomise

# parameters and MACs at 224 x 224: timm 1.0.31's seresnet (v1_5) and legacy_seresnet (caffe); pytorchcv
# 0.0.74 has the plain 50
PARAMETERS = {"50": 28_088_024, "101": 49_326_872, "152": 66_821_848}
MACS = {"50": 3_860_488_192, "101": 7_574_937_600, "152": 11_288_993_792}
MACS_V1_5 = {"50": 4_091_699_200, "101": 7_806_148_608, "152": 11_520_204_800}


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    layers = name.removeprefix("seresnet").split("_")[0]
    counts = count(lambda: create(name, device="meta"), (3, 224, 224))
    assert (counts.parameters, counts.macs) == (
        PARAMETERS[layers],
        (MACS_V1_5 if "v1_5" in name else MACS)[layers],
    )


@pytest.mark.parametrize("layers", PARAMETERS)
def test_the_gates_by_hand(layers):
    """The paper's 2 C^2 / r weights a gate (section 4), with C / r + C biases; the rest is ResNet's."""
    plain = {"50": 25_557_032, "101": 44_549_160, "152": 60_192_808}[layers]
    gates = sum(
        depth * (2 * c * c // 16 + c // 16 + c)
        for depth, c in zip(VARIANTS[f"seresnet{layers}"].depths, (256, 512, 1024, 2048), strict=True)
    )
    assert plain + gates == PARAMETERS[layers]


@pytest.mark.parametrize("name", VARIANTS)
def test_stage_shapes(name):
    expected = [
        (2, c, side, 2 * side)
        for c, side in zip((64, 256, 512, 1024, 2048), (56, 56, 28, 14, 7), strict=True)
    ]
    assert stage_shapes(create(name, device="meta"), 224) == expected


@pytest.mark.parametrize("name, field", [("seresnet50", 483), ("seresnet50_v1_5", 427)])
def test_receptive_field_of_the_branches(name, field):
    """Through the gates every pixel counts; along the convolutions the field is ResNet's."""
    config = VARIANTS[name]
    layers = [(7, 2), (3, 2)]
    for stage, depth in enumerate(config.depths):
        for position in range(depth):
            stride = 2 if stage and not position else 1
            layers += (
                [(1, stride), (3, 1), (1, 1)] if config.stride_on == "1x1" else [(1, 1), (3, stride), (1, 1)]
            )
    thin = SEResNet(Config(config.depths, config.stride_on, widths=(4, 4, 4, 4)), 3, 1)
    assert field_of(layers) == field == count(lambda: create(name, device="meta")).receptive_field
    for block in thin.modules():
        if isinstance(block, SEBottleneck):
            block.se = nn.Identity()
    assert gradient_field(thin, 544) == (field, field)


def test_through_the_gates_a_block_sees_the_whole_image():
    torch.manual_seed(0)
    block = SEBottleneck(16, 4, 1, "1x1", 4).double().eval()
    image = torch.randn(1, 16, 19, 23, dtype=torch.float64, requires_grad=True)
    block(image)[0, :, 0, 0].sum().backward()
    seen = image.grad[0].abs().sum(0) > 0
    assert seen.float().mean() > 0.9  # a few pixels are cut off by a ReLU
    block.se = nn.Identity()
    image.grad = None
    block(image)[0, :, 0, 0].sum().backward()
    assert (image.grad[0].abs().sum(0) > 0).sum() <= 4  # a corner of a 3x3


def peer(legacy: bool) -> nn.Module:
    """timm's net with one or two blocks a stage, without the dropout that its legacy class has unless told
    otherwise.
    """
    if legacy:
        return randomise(
            SENet(
                SEResNetBottleneck,
                [2, 1, 1, 1],
                groups=1,
                reduction=16,
                num_classes=7,
                inplanes=64,
                input_3x3=False,
                downsample_kernel_size=1,
                downsample_padding=0,
                drop_rate=0.0,
            )
        )
    return randomise(timm.create_model("seresnet50", layers=(2, 1, 1, 1), num_classes=7))


def pair(legacy: bool = False) -> tuple[nn.Module, nn.Module]:
    theirs = peer(legacy)
    config = Config((2, 1, 1, 1), "1x1", "ceil") if legacy else Config((2, 1, 1, 1), "3x3")
    return load_timm_state(SEResNet(config, 7).double(), theirs.state_dict()), theirs


@pytest.mark.parametrize("legacy", [False, True], ids=["seresnet", "legacy_seresnet"])
def test_equal_to_timm(legacy):
    assert disagreements(*pair(legacy), (2, 3, 37, 48), from_timm) == []


def test_the_paper_s_row_equals_timm_with_the_stride_moved():
    """No library pads the pooling and strides the 1x1: timm's seresnet with its strides moved is the row
    seresnet50.
    """
    theirs = peer(legacy=False)
    for stage in (theirs.layer2, theirs.layer3, theirs.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    ours = SEResNet(Config((2, 1, 1, 1)), 7).double()
    ours.load_state_dict({from_timm(name): tensor for name, tensor in theirs.state_dict().items()})
    assert disagreements(ours, theirs, (2, 3, 33, 40), from_timm) == []


def branch(block, x):
    out = F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))))
    return out, x if block.downsample is None else block.downsample(x)


def gate_after_the_sum(self, x):
    out, shortcut = branch(self, x)
    return F.relu(self.se(self.bn3(self.conv3(out)) + shortcut))


def gate_before_the_last_bn(self, x):
    out, shortcut = branch(self, x)
    return F.relu(self.bn3(self.se(self.conv3(out))) + shortcut)


def gate_on_the_shortcut_too(self, x):
    out, shortcut = branch(self, x)
    out = self.bn3(self.conv3(out))
    return F.relu(self.se(out) + self.se(shortcut))


def no_gate(self, x):
    out, shortcut = branch(self, x)
    return F.relu(self.bn3(self.conv3(out)) + shortcut)


@pytest.mark.parametrize(
    "forward", [gate_after_the_sum, gate_before_the_last_bn, gate_on_the_shortcut_too, no_gate]
)
def test_parity_catches_a_wrong_place_of_the_gate(monkeypatch, forward):
    ours, theirs = pair()
    monkeypatch.setattr(SEBottleneck, "forward", forward)
    images = torch.randn(2, 3, 32, 45, dtype=torch.float64)
    assert (ours.eval()(images) - theirs.eval()(images)).abs().max() > 1e-3


def test_parity_catches_padded_pooling_in_the_caffe_row():
    ours, theirs = pair(legacy=True)
    ours.maxpool = nn.MaxPool2d(3, 2, padding=1)
    images = torch.randn(2, 3, 64, 80, dtype=torch.float64)
    assert (ours.eval()(images) - theirs.eval()(images)).abs().max() > 1e-3


@pytest.mark.parametrize("reduction", [8, 32])
def test_counts_catch_another_reduction(reduction):
    with torch.device("meta"):
        model = SEResNet(Config((3, 4, 6, 3), reduction=reduction))
    assert sum(p.numel() for p in model.parameters()) != PARAMETERS["50"]


def test_spread_and_channels_last():
    torch.manual_seed(0)
    model = SEResNet(Config((1, 1, 1), widths=(16, 32, 64)), 10)
    check_spread(model)
    assert all(
        (m.bias == 0).all() for m in model.modules() if isinstance(m, nn.Conv2d) and m.bias is not None
    )
    assert keeps_channels_last(model, 64)


def test_bad_configs_images_and_weights():
    with pytest.raises(ValueError, match="expected pool to be"):
        Config((1, 1, 1, 1), pool="none")
    with pytest.raises(ValueError, match="expected squeeze_channels"):
        SEResNet(Config((1,), widths=(2,)))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        create("seresnet50", device="meta")(torch.zeros(1, 1, 64, 64, device="meta"))
    with pytest.raises(ValueError, match="build a row _v1_5"):
        load_timm_state(create("seresnet50", device="meta"), {"conv1.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="build a row _caffe"):
        load_timm_state(create("seresnet50", device="meta"), {"layer0.conv1.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="'conv1.weight' of shape"):
        load_timm_state(create("seresnet50_v1_5", device="meta"), {})
