"""ECA-ResNet against timm's ResNet with the same gates, against the paper's formula, and faults that people
make.
"""

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models import create
from dlbook.models.ecanet import (
    VARIANTS,
    Config,
    ECABasicBlock,
    ECABottleneck,
    ECAResNet,
    ecanet,
)
from dlbook.models.ecanet_weights import from_timm, load_timm_state
from dlbook.nn.efficient_channel_attention import EfficientChannelAttention
from tests.models.residual_checks import (
    check_spread,
    field_of,
    gradient_field,
    keeps_channels_last,
    shapes,
    stage_shapes,
)
from tests.parity import disagreements, randomise

# parameters and MACs at 224 x 224: timm 1.0.31, resnet18 ... 152 with attn_layer="eca"; the row _k3 by hand
# below
COUNTS = {
    "ecaresnet18": (11_689_548, 1_814_082_688),
    "ecaresnet34": (21_797_746, 3_663_779_904),
    "ecaresnet50": (25_557_118, 4_089_272_064),
    "ecaresnet101": (44_549_331, 7_801_580_288),
    "ecaresnet152": (60_193_064, 11_513_878_272),
    "ecaresnet50_k3": (25_557_080, 4_089_229_568),
}
PLAIN = {  # torchvision's ResNet of the same depth
    "18": (11_689_512, 1_814_073_344),
    "34": (21_797_672, 3_663_761_408),
    "50": (25_557_032, 4_089_184_256),
    "101": (44_549_160, 7_801_405_440),
    "152": (60_192_808, 11_513_626_624),
}


def layers_of(name: str) -> str:
    return name.removeprefix("ecaresnet").split("_")[0]


def with_eca(name: str, **options) -> nn.Module:
    return timm.create_model(f"resnet{layers_of(name)}", block_args={"attn_layer": "eca"}, **options)


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: create(name, device="meta"), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_the_gates_by_hand(name):
    """k weights a gate and k C multiplications; k is 3, 5, 5, 5, 5, 7 for C = 64, 128, 256, 512, 1024, 2048,
    or 3 everywhere.
    """
    config, (parameters, macs) = VARIANTS[name], PLAIN[layers_of(name)]
    for depth, width in zip(config.depths, config.widths, strict=True):
        channels = width * (4 if config.block is ECABottleneck else 1)
        k = 3 if name.endswith("_k3") else {64: 3, 128: 5, 256: 5, 512: 5, 1024: 5, 2048: 7}[channels]
        parameters, macs = parameters + depth * k, macs + depth * k * channels
    assert (parameters, macs) == COUNTS[name]


def test_the_80_of_the_abstract():
    """80 weights are 16 gates of 5; equation (12) makes 86, for the last three gates have 7."""
    with torch.device("meta"):
        five = ECAResNet(Config(ECABottleneck, (3, 4, 6, 3), 5))
    assert sum(p.numel() for p in five.parameters()) - PLAIN["50"][0] == 80
    assert COUNTS["ecaresnet50"][0] - PLAIN["50"][0] == 86


@pytest.mark.parametrize("name", VARIANTS)
def test_stage_shapes(name):
    times = VARIANTS[name].block.expansion
    widths = (64, *(width * times for width in (64, 128, 256, 512)))
    assert stage_shapes(create(name, device="meta"), 224) == [
        (2, c, s, 2 * s) for c, s in zip(widths, (56, 56, 28, 14, 7), strict=True)
    ]


@pytest.mark.parametrize("name, field", [("ecaresnet18", 435), ("ecaresnet50", 427)])
def test_receptive_field_of_the_branches(name, field):
    config, layers = VARIANTS[name], [(7, 2), (3, 2)]
    for stage, depth in enumerate(config.depths):
        for position in range(depth):
            stride = 2 if stage and not position else 1
            layers += (
                [(3, stride), (3, 1)] if config.block is ECABasicBlock else [(1, 1), (3, stride), (1, 1)]
            )
    thin = ECAResNet(Config(config.block, config.depths, 1, (1, 1, 1, 1)), 3, 1)
    assert field_of(layers) == field == count(lambda: create(name, device="meta")).receptive_field
    for block in thin.modules():
        if isinstance(block, (ECABasicBlock, ECABottleneck)):
            block.eca = nn.Identity()
    assert gradient_field(thin, 480) == (field, field)


def pair(name: str = "ecaresnet50") -> tuple[nn.Module, nn.Module]:
    """timm's net with one or two blocks a stage, and ours with its weights."""
    theirs = randomise(with_eca(name, layers=(2, 1, 1, 1), num_classes=7))
    return load_timm_state(
        ECAResNet(Config(VARIANTS[name].block, (2, 1, 1, 1)), 7).double(), theirs.state_dict()
    ), theirs


@pytest.mark.parametrize("name", ["ecaresnet18", "ecaresnet50"])
def test_equal_to_timm(name):
    assert disagreements(*pair(name), (2, 3, 33, 40), from_timm) == []


def test_whole_ecaresnet18_equals_timm():
    theirs = randomise(with_eca("ecaresnet18"))
    assert (
        disagreements(
            load_timm_state(ecanet("ecaresnet18").double(), theirs.state_dict()),
            theirs,
            (2, 3, 32, 41),
            from_timm,
        )
        == []
    )


@pytest.mark.parametrize("name", [name for name in VARIANTS if "k3" not in name])
def test_every_timm_row_takes_its_weights(name):
    with torch.device("meta"):
        theirs = shapes(with_eca(name))
    assert shapes(create(name, device="meta")) == {from_timm(key): shape for key, shape in theirs.items()}


def branch(block, x):
    out = F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))))
    return out, x if block.downsample is None else block.downsample(x)


def gate_after_the_sum(self, x):
    out, shortcut = branch(self, x)
    return F.relu(self.eca(self.bn3(self.conv3(out)) + shortcut))


def gate_on_the_inner_map(self, x):
    out, shortcut = branch(self, x)
    return F.relu(self.bn3(self.conv3(self.eca(out))) + shortcut)


def gate_before_the_last_bn(self, x):
    out, shortcut = branch(self, x)
    return F.relu(self.bn3(self.eca(self.conv3(out))) + shortcut)


@pytest.mark.parametrize("forward", [gate_after_the_sum, gate_on_the_inner_map, gate_before_the_last_bn])
def test_parity_catches_a_wrong_place_of_the_gate(monkeypatch, forward):
    ours, theirs = pair()
    monkeypatch.setattr(ECABottleneck, "forward", forward)
    images = torch.randn(2, 3, 32, 45, dtype=torch.float64)
    assert (ours.eval()(images) - theirs.eval()(images)).abs().max() > 1e-4


def test_parity_catches_a_mirrored_kernel():
    """A true convolution instead of a cross-correlation along the channels."""
    ours, theirs = pair("ecaresnet18")
    for gate in ours.modules():
        if isinstance(gate, EfficientChannelAttention):
            gate.conv.weight.data = gate.conv.weight.data.flip(2)
    images = torch.randn(2, 3, 32, 45, dtype=torch.float64)
    assert (ours.eval()(images) - theirs.eval()(images)).abs().max() > 1e-4


def test_counts_catch_the_kernel_of_the_inner_width():
    """C of equation (12) is the gated map's: 4 times the bottleneck's 3x3."""
    inner = sum(
        depth * {64: 3, 128: 5, 256: 5, 512: 5}[width]
        for depth, width in zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True)
    )
    assert PLAIN["50"][0] + inner != COUNTS["ecaresnet50"][0]
    assert [
        gate.conv.kernel_size[0]
        for gate in create("ecaresnet50", device="meta").modules()
        if isinstance(gate, EfficientChannelAttention)
    ][::5] == [5, 5, 5, 7]


def test_spread_and_channels_last():
    torch.manual_seed(0)
    model = ECAResNet(Config(ECABottleneck, (1, 1, 1), widths=(16, 32, 64)), 10)
    check_spread(model)
    assert keeps_channels_last(model, 64)


def test_bad_configs_images_and_weights():
    with pytest.raises(ValueError, match="one entry a stage"):
        Config(ECABasicBlock, (1, 1))
    with pytest.raises(ValueError, match="expected an odd kernel_size"):
        ECAResNet(Config(ECABasicBlock, (1, 1, 1, 1), 4))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        create("ecaresnet18", device="meta")(torch.zeros(1, 1, 64, 64, device="meta"))
    with pytest.raises(ValueError, match="'layer1.0.eca.conv.weight' of shape"):
        state = timm.create_model("resnet18").state_dict()
        load_timm_state(create("ecaresnet18", device="meta"), state)
