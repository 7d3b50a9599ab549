"""MobileNetV2: counts, torchvision's and timm's weights and arithmetic at every width, faults that people
make.
"""

import pytest
import timm
import torch
import torchvision
from torch import nn

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create
from dlbook.models.mobilenet_v2 import STAGES, VARIANTS, Config, MobileNetV2, mobilenet_v2
from dlbook.models.mobilenet_v2_weights import (
    load_timm_state,
    load_torchvision_state,
    timm_places,
    torchvision_places,
)
from dlbook.nn.state import by_layer
from tests.models.mobilenet_checks import check_spread, field_of, height_of_support, set_everywhere
from tests.parity import disagreements, randomise

# parameters and MACs at 224 x 224: torchvision 0.29.1 with width_mult; the paper prints 3.4 M and 300 M, at
# width 1.4 6.9 M and 585 M
COUNTS = {
    "mobilenet_v2": (3_504_872, 300_774_272),
    "mobilenet_v2_035": (1_677_128, 59_285_808),
    "mobilenet_v2_050": (1_968_680, 97_131_840),
    "mobilenet_v2_075": (2_636_424, 209_069_792),
    "mobilenet_v2_140": (6_108_776, 582_195_824),
}


def by_hand(name: str) -> tuple[int, int]:
    """Table 1: C tC + 9 tC + tC C' weights a bottleneck (without the first for t = 1); BN adds twice its
    channels.
    """
    divisible = lambda c: (
        max(8, (c + 4) // 8 * 8) if max(8, (c + 4) // 8 * 8) >= 0.9 * c else (c + 4) // 8 * 8 + 8
    )
    scale = lambda c: int(divisible(c * VARIANTS[name].width))
    channels, side = scale(32), 112
    parameters, macs = 27 * channels + 2 * channels, 27 * channels * side**2
    for t, c, n, s in STAGES:
        for index in range(n):
            hidden, out, before = t * channels, scale(c), side
            side //= s if index == 0 else 1
            expand = channels * hidden if t > 1 else 0
            parameters += (
                expand + (2 * hidden if t > 1 else 0) + 9 * hidden + 2 * hidden + hidden * out + 2 * out
            )
            macs, channels = macs + expand * before**2 + (9 * hidden + hidden * out) * side**2, out
    last = max(1280, scale(1280))
    return parameters + channels * last + 2 * last + (
        last + 1
    ) * 1000, macs + channels * last * side**2 + last * 1000


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: mobilenet_v2(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name] == by_hand(name)


def test_stage_shapes_are_table_2s():
    maps = feature_maps(
        create("mobilenet_v2", device="meta").eval(), torch.empty(2, 3, 224, 224, device="meta")
    )
    last = [tuple(maps[index].shape[1:]) for index in (0, 1, 3, 6, 10, 13, 16, 17, 18)]
    assert last == [
        (32, 112, 112),
        (16, 112, 112),
        (24, 56, 56),
        (32, 28, 28),
        (64, 14, 14),
        (96, 14, 14),
        (160, 7, 7),
        (320, 7, 7),
        (1280, 7, 7),
    ]


def test_shortcuts_are_where_stride_and_channels_allow():
    """The second and later blocks of a stage: 1 + 2 + 3 + 2 + 2 of 17."""
    shortcuts = [
        index
        for index, block in enumerate(create("mobilenet_v2", device="meta").blocks)
        if block.has_shortcut
    ]
    assert shortcuts == [2, 4, 5, 7, 8, 9, 11, 12, 14, 15]


def pair(width: float = 1.0) -> tuple[MobileNetV2, nn.Module]:
    reference = randomise(torchvision.models.mobilenet_v2(num_classes=7, width_mult=width))
    model = randomise(MobileNetV2(Config(width), num_classes=7))
    return load_torchvision_state(model, reference.state_dict()), reference


@pytest.mark.parametrize("width", [1.0, 0.35])
def test_equal_to_torchvision(width):
    ours, reference = pair(width)
    assert disagreements(ours, reference, (2, 3, 65, 88), by_layer(torchvision_places(ours))) == []


def test_equal_to_timm():
    reference = randomise(timm.create_model("mobilenetv2_050", num_classes=7))
    ours = load_timm_state(randomise(mobilenet_v2("mobilenet_v2_050", num_classes=7)), reference.state_dict())
    assert disagreements(ours, reference, (2, 3, 64, 40), by_layer(timm_places(ours))) == []


def test_receptive_field_by_formula_and_by_the_support_of_a_gradient():
    layers = [(3, 2), *[(3, s if index == 0 else 1) for _, _, n, s in STAGES for index in range(n)]]
    assert field_of(layers) == count(lambda: mobilenet_v2()).receptive_field == 491
    assert height_of_support(MobileNetV2(Config(0.05), num_classes=1), 491 + 64) == 491


@pytest.mark.parametrize(
    "rule", [lambda c: max(8, int(c + 4) // 8 * 8), lambda c: max(8, int(c) // 8 * 8), lambda c: int(c)]
)
def test_counts_catch_another_rounding(rule, monkeypatch):
    """Without the 90 % limit, downwards, or not at all."""
    monkeypatch.setattr("dlbook.models.mobilenet_v2.make_divisible", rule)
    assert count(lambda: mobilenet_v2("mobilenet_v2_035")).parameters != COUNTS["mobilenet_v2_035"][0]


def test_initial_spread():
    torch.manual_seed(0)
    check_spread(mobilenet_v2(), linear=0.01)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "mobilenet_v2_100"}, "did you mean mobilenet_v2"),
        ({"num_classes": 0}, "expected num_classes"),
        ({"in_channels": 0}, "expected in_channels"),
        ({"drop_prob": -0.1}, "expected drop_prob"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        mobilenet_v2(**arguments)


def test_bad_width_and_images():
    with pytest.raises(ValueError, match="expected width > 0"):
        Config(width=-1)
    model = create("mobilenet_v2", device="meta")
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(3, 64, 64, device="meta"))


FAULTS = {
    "ReLU6 after the projection": lambda m: setattr(m.blocks[4].project, "activation", nn.ReLU6()),
    "ReLU for ReLU6": lambda m: setattr(m.blocks[1].expand, "activation", nn.ReLU()),
    "no shortcut": lambda m: setattr(m.blocks[2], "has_shortcut", False),
    "no activation before the depthwise filter": lambda m: setattr(
        m.blocks[5].expand, "activation", nn.Identity()
    ),
    "stride on the projection": lambda m: (
        setattr(m.blocks[1].depthwise.conv, "stride", (1, 1)),
        setattr(m.blocks[1].project.conv, "stride", (2, 2)),
    ),
    "TensorFlow's BN epsilon": set_everywhere(nn.BatchNorm2d, eps=1e-3),
    "an activation of the sum": lambda m: m.blocks[2].register_forward_hook(lambda *_: _[2].clamp(0, 6)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    ours, reference = pair(0.5)
    FAULTS[fault](ours)
    assert disagreements(ours, reference, (2, 3, 64, 72), by_layer(torchvision_places(ours)))
