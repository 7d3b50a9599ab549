"""ResNeSt against timm, against the paper's counts, and faults that people make."""

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models import create
from dlbook.models import resnest as module
from dlbook.models.resnest import VARIANTS, Config, ResNeSt, ResNeStBlock
from dlbook.models.resnest_weights import load_timm_state
from dlbook.nn.split_attention import SplitAttention
from tests.models.residual_checks import (
    check_spread,
    field_of,
    gradient_field,
    keeps_channels_last,
    stage_shapes,
)
from tests.parity import disagreements, randomise

# parameters and MACs at 224 x 224, whatever size a net was trained at: timm 1.0.31 where
# ``tests/oracles/peers.py`` has it; else by hand below
COUNTS = {
    "resnest50": (27_483_240, 5_371_160_576),
    "resnest101": (48_275_016, 10_200_565_760),
    "resnest200": (70_201_544, 17_408_411_648),
    "resnest269": (110_929_480, 22_434_121_728),
    "resnest50_fast_1s1x64d": (26_217_896, 4_329_459_712),
    "resnest50_fast_2s1x64d": (27_483_240, 4_330_711_040),
    "resnest50_fast_4s1x64d": (31_912_712, 4_335_112_192),
    "resnest50_fast_1s4x24d": (25_677_000, 4_399_827_456),
    "resnest50_fast_2s2x40d": (26_943_792, 4_365_622_336),
    "resnest50_fast_4s2x40d": (30_417_592, 4_369_060_736),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: create(name, device="meta"), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_counts_by_hand(name):
    """The stem, then each block: 1x1, grouped 3x3 with R outputs, the two layers of the attention, 1x1,
    projection; BN twice C.
    """
    config = VARIANTS[name]
    narrow, channels, side = config.stem_width, 2 * config.stem_width, 112
    stem = 27 * narrow + 9 * narrow**2 + 9 * narrow * channels
    parameters, macs, side = stem + 2 * (2 * narrow + channels), stem * side**2, side // 2
    for stage, depth in enumerate(config.depths):
        planes, r, k = 64 * 2**stage, config.radix, config.cardinality
        width, out = planes * config.group_width // 64 * k, 4 * planes
        hidden = max(r * width // 4, 32)
        for position in range(depth):
            first, before = not position, side
            side = side // 2 if stage and first else side
            inside = side if config.fast else before
            conv1, split, conv3 = channels * width, 9 * width**2 // k, width * out
            attention, projection = (
                width * hidden // k + hidden * r * width // k,
                channels * out if first else 0,
            )
            parameters += conv1 + split + attention + conv3 + projection + hidden + r * width
            parameters += 2 * (width + r * width + hidden + out) + (2 * out if first else 0)
            macs += conv1 * before**2 + split * inside**2 + attention + (conv3 + projection) * side**2
            channels = out
    assert (parameters + channels * 1000 + 1000, macs + channels * 1000) == COUNTS[name]


@pytest.mark.parametrize(
    "name, millions", [("resnest50", 27.5), ("resnest101", 48.3), ("resnest200", 70.2), ("resnest269", 110.9)]
)
def test_counts_of_the_paper(name, millions):
    """The paper's tables print 27.5, 48.3, 70.2 and 111 million parameters."""
    assert abs(COUNTS[name][0] / 1e6 - millions) < 0.05


@pytest.mark.parametrize("name", VARIANTS)
def test_stage_shapes(name):
    widths = (2 * VARIANTS[name].stem_width, 256, 512, 1024, 2048)
    assert stage_shapes(create(name, device="meta"), 224) == [
        (2, c, s, 2 * s) for c, s in zip(widths, (56, 56, 28, 14, 7), strict=True)
    ]


@pytest.mark.parametrize("name, field", [("resnest50", 487), ("resnest50_fast_2s1x64d", 543)])
def test_receptive_field_of_the_branches(name, field):
    """The pooling before the 3x3 widens the field more than the one behind it. Through the attention every
    pixel counts.
    """
    config, layers = VARIANTS[name], [(3, 2), (3, 1), (3, 1), (3, 2)]
    for stage, depth in enumerate(config.depths):
        for position in range(depth):
            pooling = [(3, 2)] if stage and not position else []
            layers += pooling + [(3, 1)] if config.fast else [(3, 1)] + pooling
    thin = ResNeSt(Config(config.depths, 4, 1, 1, 64, config.fast, (4, 4, 4, 4)), 3, 1)
    assert field_of(layers) == field == count(lambda: create(name, device="meta")).receptive_field
    for attention in thin.modules():
        if isinstance(attention, SplitAttention):
            attention.attention = lambda means: torch.ones_like(means)
    assert gradient_field(thin, 608) == (field, field)


SMALL = {"layers": [2, 1, 1, 1], "num_classes": 7}
KINDS = {
    "resnest50d": Config((2, 1, 1, 1)),
    "resnest101e": Config((2, 1, 1, 1), 64),
    "resnest50d_1s4x24d": Config((2, 1, 1, 1), 32, 1, 4, 24, True),
    "resnest50d_4s2x40d": Config((2, 1, 1, 1), 32, 4, 2, 40, True),
}


def pair(name: str = "resnest50d") -> tuple[nn.Module, nn.Module]:
    """timm's net with one or two blocks a stage, and ours with its weights."""
    theirs = randomise(timm.create_model(name, **SMALL))
    return load_timm_state(ResNeSt(KINDS[name], 7).double(), theirs.state_dict()), theirs


@pytest.mark.parametrize("name", KINDS)
def test_equal_to_timm(name):
    """On 37 x 48 pixels the maps of the later stages are odd, where the two average poolings treat the edge
    differently.
    """
    assert disagreements(*pair(name), (2, 3, 37, 48)) == []


def differs(ours, theirs) -> bool:
    images = torch.randn(2, 3, 37, 48, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return float((ours.eval()(images) - theirs.eval()(images)).detach().abs().max()) > 1e-4


def padding_in_the_shortcut(model):
    """Zeros are appended to an odd map and averaged with it."""
    model.layer3[0].downsample.insert(0, nn.ZeroPad2d((0, 0, 0, 1)))


def no_share_beyond_the_edge(model):
    model.layer2[0].pool_after = nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)


def pool_before(model):
    block = model.layer2[0]
    block.pool_before, block.pool_after = block.pool_after, block.pool_before


def max_pooling(model):
    model.layer2[0].pool_after = nn.MaxPool2d(3, 2, padding=1)


def strided_shortcut(model):
    down = model.layer2[0].downsample
    down[0], down[1].stride = nn.Identity(), (2, 2)


def no_transposition(model):
    def attention(self, means):
        logits = self.fc2(F.relu(self.bn1(self.fc1(means.sum(1)))))
        return logits.view(means.shape).softmax(1)

    for split in model.modules():
        if isinstance(split, SplitAttention):
            split.attention = attention.__get__(split)


@pytest.mark.parametrize(
    "name, fault",
    [
        ("resnest50d", no_share_beyond_the_edge),
        ("resnest50d", padding_in_the_shortcut),
        ("resnest50d", pool_before),
        ("resnest50d", max_pooling),
        ("resnest50d", strided_shortcut),
        ("resnest50d_4s2x40d", no_transposition),
    ],
)
def test_parity_catches_the_seeded_fault(name, fault):
    ours, theirs = pair(name)
    assert not differs(ours, theirs)
    fault(ours)
    assert differs(ours, theirs)


def test_counts_catch_the_stem_of_50_in_101():
    with torch.device("meta"):
        model = ResNeSt(Config((3, 4, 23, 3), stem_width=32))
    assert sum(p.numel() for p in model.parameters()) != COUNTS["resnest101"][0]


def test_counts_catch_a_hidden_width_without_the_radix(monkeypatch):
    class Narrow(SplitAttention):
        def __init__(self, channels, radix, cardinality):
            super().__init__(channels, radix, cardinality)
            hidden = max(channels // 4, 32)
            self.fc1, self.bn1 = nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden)
            self.fc2 = nn.Conv2d(hidden, radix * channels, 1)

    monkeypatch.setattr(module, "SplitAttention", Narrow)
    assert sum(p.numel() for p in create("resnest50", device="meta").parameters()) != COUNTS["resnest50"][0]


def test_spread_and_channels_last():
    torch.manual_seed(0)
    model = ResNeSt(Config((1, 1, 1), 16, planes=(16, 32, 64)), 10)
    check_spread(model)
    assert all(
        (m.bias == 0).all() for m in model.modules() if isinstance(m, nn.Conv2d) and m.bias is not None
    )
    assert keeps_channels_last(model, 64)


@pytest.mark.parametrize("height, width", [(1, 1), (33, 2), (31, 65)])
def test_any_size_goes_through(height, width):
    with torch.device("meta"):
        block = ResNeStBlock(64, 64, 2, Config((1, 1, 1, 1)))
    assert block.eval()(torch.empty(2, 64, height, width, device="meta")).shape[2:] == (
        -(-height // 2),
        -(-width // 2),
    )


def test_bad_configs_images_and_weights():
    with pytest.raises(ValueError, match="one entry a stage"):
        Config((1, 1))
    with pytest.raises(ValueError, match="a multiple of radix"):
        ResNeSt(Config((1, 1, 1, 1), radix=3))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        create("resnest50", device="meta")(torch.zeros(1, 1, 64, 64, device="meta"))
    with pytest.raises(ValueError, match="'conv1.0.weight' of shape"):
        load_timm_state(create("resnest101", device="meta"), timm.create_model("resnest50d").state_dict())
