"""MobileNet V1: counts from the paper's tables, timm's weights and arithmetic, the rows without a peer by
hand.
"""

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create
from dlbook.models.mobilenet_v1 import BLOCKS, VARIANTS, Config, MobileNetV1, SeparableConv, mobilenet_v1
from dlbook.models.mobilenet_v1_weights import load_timm_state, rename_timm
from tests.models.mobilenet_checks import check_spread, field_of, height_of_support, set_everywhere
from tests.parity import close, disagreements, randomise

# parameters and MACs at 224 x 224: timm 1.0.31 for width 1, the others by `by_hand`; in brackets the paper's
# millions, Tables 4-6
COUNTS = {
    "mobilenet_v1": (4_231_976, 568_740_352),  # 4.2, 569
    "mobilenet_v1_075": (2_585_560, 325_400_448),  # 2.6, 325
    "mobilenet_v1_050": (1_331_592, 149_497_088),  # 1.3, 149
    "mobilenet_v1_025": (470_072, 41_030_272),  # 0.5, 41
    "mobilenet_v1_conv": (29_294_088, 4_867_293_184),  # 29.3, 4866
    "mobilenet_v1_shallow": (2_887_976, 307_323_392),  # 2.9, 307
    "mobilenet_v1_relu6": (4_231_976, 568_740_352),
}


def by_hand(name: str) -> tuple[int, int]:
    """Section 3.1: 9 C_in C_out weights for a convolution, 9 C_in + C_in C_out for a pair; BN adds twice its
    channels.
    """
    row = VARIANTS[name]
    channels, side = int(32 * row.width), 112
    parameters, macs = 27 * channels + 2 * channels, 27 * channels * side**2
    for width, stride in row.blocks:
        width, side = int(width * row.width), side // stride
        weights = 9 * channels + channels * width if row.separable else 9 * channels * width
        parameters += weights + 2 * width + (2 * channels if row.separable else 0)
        macs, channels = macs + weights * side**2, width
    return parameters + (channels + 1) * 1000, macs + channels * 1000


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: mobilenet_v1(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name] == by_hand(name)


def test_the_resolution_multiplier_is_the_size_of_the_input():
    """Table 7 prints 569, 418, 290 and 186 million at 224, 192, 160 and 128 pixels; the parameters stay."""
    macs = [count(lambda: mobilenet_v1(), (3, side, side)).macs for side in (224, 192, 160, 128)]
    assert [round(m / 1e6) for m in macs] == [569, 418, 291, 186]


def test_stage_shapes_are_table_1s():
    maps = feature_maps(
        create("mobilenet_v1", device="meta").eval(), torch.empty(2, 3, 224, 224, device="meta")
    )
    sides = [112, 112, 56, 56, 28, 28, *[14] * 6, 7, 7]
    assert [tuple(x.shape[1:]) for x in maps] == [
        (c, s, s) for c, s in zip([32, *[c for c, _ in BLOCKS]], sides, strict=True)
    ]


def test_cost_of_the_pair():
    """Equation (5) of section 3.1: 1 / C_out + 1 / 9 of a full convolution, on any map."""
    pair = count(lambda: SeparableConv(64, 160, 1, nn.ReLU), (64, 14, 14)).macs
    full = count(lambda: nn.Conv2d(64, 160, 3, padding=1, bias=False), (64, 14, 14)).macs
    assert pair * 9 * 160 == full * (9 + 160)


def pair(name: str = "mobilenet_v1_relu6") -> tuple[MobileNetV1, nn.Module]:
    reference = randomise(timm.create_model("mobilenetv1_100", num_classes=7))
    return load_timm_state(mobilenet_v1(name, num_classes=7).double(), reference.state_dict()), reference


def test_equal_to_timm():
    assert disagreements(*pair(), (2, 3, 65, 88), rename_timm) == []


def normalised(x, norm, train):
    """BN from its definition; x [B, C, H, W]."""
    mean = x.mean((0, 2, 3)) if train else norm.running_mean
    variance = x.var((0, 2, 3), unbiased=False) if train else norm.running_var
    standard = (x - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()
    return standard * norm.weight[:, None, None] + norm.bias[:, None, None]


def functional_net(model: MobileNetV1, x, train: bool):
    """Figure 3 with ReLU, from the weights alone; a depthwise convolution is written out channel by
    channel.
    """
    strides = iter([2, *[stride for _, stride in model.config.blocks]])
    layers = [model.stem]
    for block in model.blocks:
        layers += [block.depthwise, block.pointwise] if isinstance(block, SeparableConv) else [block]
    for layer in layers:
        weight = layer.conv.weight
        if weight.shape[1] == 1:
            stride = next(strides)
            x = torch.cat(
                [
                    F.conv2d(x[:, c : c + 1], weight[c : c + 1], stride=stride, padding=1)
                    for c in range(x.shape[1])
                ],
                1,
            )
        else:
            side = weight.shape[-1]
            x = F.conv2d(x, weight, stride=next(strides) if side == 3 else 1, padding=side // 2)
        x = normalised(x, layer.norm, train).clamp(min=0)
    return x.mean((2, 3)) @ model.classifier.weight.T + model.classifier.bias


@pytest.mark.parametrize("name", ["mobilenet_v1_025", "mobilenet_v1_shallow", "mobilenet_v1_conv"])
def test_rows_without_a_peer(name):
    row = VARIANTS[name]
    narrow = Config(0.25, row.separable, row.blocks)  # the arithmetic does not depend on the width
    model = randomise(MobileNetV1(narrow, num_classes=5))
    images = torch.randn(2, 3, 40, 33, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for train in (False, True):
        expected = functional_net(model, images, train)
        assert close(model.train(train)(images), expected)


FIELDS = {"mobilenet_v1": 315, "mobilenet_v1_shallow": 155, "mobilenet_v1_conv": 315}


@pytest.mark.parametrize("name", FIELDS)
def test_receptive_field_by_formula_and_by_the_support_of_a_gradient(name):
    row = VARIANTS[name]
    assert (
        field_of([(3, 2), *[(3, stride) for _, stride in row.blocks]])
        == FIELDS[name]
        == count(lambda: mobilenet_v1(name)).receptive_field
    )
    thin = MobileNetV1(Config(0.05, row.separable, row.blocks), num_classes=1)
    assert height_of_support(thin, FIELDS[name] + 64) == FIELDS[name]


def test_initial_spread():
    torch.manual_seed(0)
    check_spread(mobilenet_v1(), linear=1 / (3 * 1000) ** 0.5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "mobilenet_v1_100"}, "did you mean mobilenet_v1"),
        ({"num_classes": 0}, "expected num_classes"),
        ({"in_channels": 0}, "expected in_channels"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        mobilenet_v1(**arguments)


def test_bad_width_and_images():
    with pytest.raises(ValueError, match="expected width > 0"):
        Config(width=0)
    model = create("mobilenet_v1_relu6", device="meta")
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 1, 64, 64, device="meta"))


FAULTS = {
    "ReLU for ReLU6": lambda m: [
        setattr(layer, "activation", nn.ReLU()) for layer in m.modules() if hasattr(layer, "activation")
    ],
    "no activation between depthwise and pointwise": lambda m: setattr(
        m.blocks[3].depthwise, "activation", nn.Identity()
    ),
    "stride on the pointwise convolution": lambda m: (
        setattr(m.blocks[5].depthwise.conv, "stride", (1, 1)),
        setattr(m.blocks[5].pointwise.conv, "stride", (2, 2)),
    ),
    "Table 1's misprint: stride 2 in the last block": lambda m: setattr(
        m.blocks[12].depthwise.conv, "stride", (2, 2)
    ),
    "TensorFlow's BN epsilon": set_everywhere(nn.BatchNorm2d, eps=1e-3),
    "BN momentum 0.01": set_everywhere(nn.BatchNorm2d, momentum=0.01),
    "padding below and to the right only": lambda m: m.stem.conv.register_forward_pre_hook(
        lambda _, x: (torch.roll(x[0], (1, 1), (2, 3)),)
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    ours, reference = pair()
    FAULTS[fault](ours)
    assert disagreements(ours, reference, (2, 3, 64, 96), rename_timm)
