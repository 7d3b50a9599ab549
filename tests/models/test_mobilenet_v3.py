"""MobileNetV3: counts, torchvision's weights and arithmetic, timm's for the narrow rows, faults that people
make.
"""

import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create
from dlbook.models.mobilenet_v3 import (
    LARGE,
    SMALL,
    VARIANTS,
    Config,
    InvertedResidual,
    MobileNetV3,
    mobilenet_v3,
)
from dlbook.models.mobilenet_v3_weights import load_torchvision_state, torchvision_places
from dlbook.nn.channel_attention import SqueezeExcitation
from dlbook.nn.state import by_layer
from tests.models.mobilenet_checks import check_spread, field_of, height_of_support, set_everywhere
from tests.parity import disagreements, randomise

# parameters and MACs at 224 x 224: torchvision 0.29.1, timm 1.0.31; the paper's Tables 3 and 4: 5.4, 2.5, 4.0
# and 2.0 M; 219, 56, 155 and 44 M
COUNTS = {
    "mobilenet_v3_large": (5_483_032, 216_589_760),
    "mobilenet_v3_small": (2_542_856, 56_510_400),
    "mobilenet_v3_large_075": (3_993_528, 154_560_624),
    "mobilenet_v3_small_075": (2_041_872, 43_399_344),
}
TIMM = {name: name.replace("mobilenet_v3", "mobilenetv3") for name in VARIANTS if name.endswith("075")}


def pair(name: str) -> tuple[MobileNetV3, nn.Module]:
    reference = randomise(getattr(torchvision.models, name)(num_classes=7))
    return load_torchvision_state(
        randomise(mobilenet_v3(name, num_classes=7)), reference.state_dict()
    ), reference


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: mobilenet_v3(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name]


def test_stage_shapes_are_the_tables():
    maps = feature_maps(
        create("mobilenet_v3_large", device="meta").eval(), torch.empty(2, 3, 224, 224, device="meta")
    )
    sides = [112, 112, 56, 56, 28, 28, 28, *[14] * 6, 7, 7, 7, 7]
    assert [tuple(x.shape[1:]) for x in maps] == [
        (c, s, s) for c, s in zip([16, *[row.out for row in LARGE], 960], sides, strict=True)
    ]
    maps = feature_maps(
        create("mobilenet_v3_small", device="meta").eval(), torch.empty(2, 3, 224, 224, device="meta")
    )
    sides = [112, 56, 28, 28, *[14] * 5, 7, 7, 7, 7]
    assert [tuple(x.shape[1:]) for x in maps] == [
        (c, s, s) for c, s in zip([16, *[row.out for row in SMALL], 576], sides, strict=True)
    ]


def test_squeezed_widths_are_a_quarter_of_the_expanded_channels():
    """Rounded to 8, and not of the block's input, as EfficientNet has it."""
    squeezed = [
        b.squeeze_excite.reduce.out_channels
        for b in create("mobilenet_v3_large", device="meta").blocks
        if not isinstance(b.squeeze_excite, nn.Identity)
    ]
    assert squeezed == [24, 32, 32, 120, 168, 168, 240, 240]  # from 72, 120, 120, 480, 672, 672, 960, 960


@pytest.mark.parametrize(
    "name, size", [("mobilenet_v3_large", (2, 3, 65, 88)), ("mobilenet_v3_small", (2, 3, 48, 72))]
)
def test_equal_to_torchvision(name, size):
    ours, reference = pair(name)
    assert disagreements(ours, reference, size, by_layer(torchvision_places(ours))) == []


@pytest.mark.parametrize("name", TIMM)
def test_narrow_rows_equal_timm_with_the_papers_bn(name):
    """timm defines its tensors in the same order; its head is a 1x1 convolution, and its BN has torch's
    epsilon unless told.
    """
    reference = randomise(timm.create_model(TIMM[name], num_classes=7, bn_eps=1e-3, bn_momentum=0.01))
    ours = randomise(mobilenet_v3(name, num_classes=7))
    places = dict(zip(reference.state_dict(), ours.state_dict(), strict=True))
    ours.load_state_dict(
        {
            places[key]: tensor.reshape(ours.state_dict()[places[key]].shape)
            for key, tensor in reference.state_dict().items()
        }
    )
    assert disagreements(ours, reference, (2, 3, 64, 40), places.__getitem__) == []


def test_the_activations_are_section_5s():
    x = torch.linspace(-5, 5, 101, dtype=torch.float64)
    torch.testing.assert_close(nn.Hardswish()(x), x * (x + 3).clamp(0, 6) / 6)
    kinds = {row.activation for row in LARGE + SMALL}
    assert (
        kinds == {nn.ReLU, nn.Hardswish}
        and [row.activation for row in LARGE].index(nn.Hardswish) == 6
        and [row.activation for row in SMALL].index(nn.Hardswish) == 3
    )


def test_one_block_written_out():
    """Figure 4, in evaluation: expand, filter, squeeze and excite, project, add."""
    torch.manual_seed(0)
    block, x = (
        randomise(InvertedResidual(40, 120, 40, LARGE[4])).eval(),
        torch.randn(2, 40, 7, 5, dtype=torch.float64),
    )

    def normalised(x, norm):
        scale = norm.weight / (norm.running_var + 1e-3).sqrt()
        return (x - norm.running_mean[:, None, None]) * scale[:, None, None] + norm.bias[:, None, None]

    wide = normalised(
        torch.einsum("bchw,oc->bohw", x, block.expand.conv.weight[:, :, 0, 0]), block.expand.norm
    ).clamp(min=0)
    padded, kernel = F.pad(wide, (2, 2, 2, 2)), block.depthwise.conv.weight[:, 0]
    filtered = sum(
        padded[:, :, i : i + 7, j : j + 5] * kernel[:, i, j, None, None] for i in range(5) for j in range(5)
    )
    filtered = normalised(filtered, block.depthwise.norm).clamp(min=0)
    se, pooled = block.squeeze_excite, filtered.mean((2, 3))
    hidden = (pooled @ se.reduce.weight[:, :, 0, 0].T + se.reduce.bias).clamp(min=0)
    gate = (hidden @ se.expand.weight[:, :, 0, 0].T + se.expand.bias + 3).clamp(0, 6) / 6
    narrow = torch.einsum(
        "bchw,oc->bohw", filtered * gate[:, :, None, None], block.project.conv.weight[:, :, 0, 0]
    )
    torch.testing.assert_close(block(x), x + normalised(narrow, block.project.norm), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name, field", [("mobilenet_v3_large", 595), ("mobilenet_v3_small", 639)])
def test_receptive_field_by_formula_and_by_the_support_of_a_gradient(name, field):
    """Of the convolutions; the gates of squeeze-excite see the whole map."""
    assert field_of([(3, 2), *[(row.kernel_size, row.stride) for row in VARIANTS[name].blocks]]) == field
    assert count(lambda: mobilenet_v3(name)).receptive_field == field
    assert (
        height_of_support(MobileNetV3(Config(VARIANTS[name].blocks, 8, 0.25), num_classes=1), field + 64)
        == field
    )


def soften(model: nn.Module) -> None:
    for block in model.blocks:
        if not isinstance(block.squeeze_excite, nn.Identity):
            block.squeeze_excite.gate = nn.Sigmoid()


@pytest.mark.parametrize(
    "rule", [lambda hidden: hidden // 4, lambda hidden: hidden // 16, lambda hidden: 8 * round(hidden / 64)]
)
def test_counts_catch_another_squeezed_width(rule, monkeypatch):
    """A quarter without rounding; SENet's sixteenth; an eighth."""
    monkeypatch.setattr(
        "dlbook.models.mobilenet_v3.SqueezeExcitation",
        lambda channels, _, gate: SqueezeExcitation(channels, rule(channels), gate=gate),
    )
    assert count(lambda: mobilenet_v3()).parameters != COUNTS["mobilenet_v3_large"][0]


def test_initial_spread():
    torch.manual_seed(0)
    check_spread(nn.ModuleList([*mobilenet_v3("mobilenet_v3_large").blocks]), linear=0.01)
    check_spread(mobilenet_v3("mobilenet_v3_small").classifier, linear=0.01)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "mobilenet_v3_larg"}, "did you mean mobilenet_v3_large"),
        ({"num_classes": 0}, "expected num_classes"),
        ({"in_channels": 0}, "expected in_channels"),
        ({"drop_prob": 1.0}, "expected drop_prob"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        mobilenet_v3(**arguments)


def test_bad_rows_and_images():
    with pytest.raises(ValueError, match="expected width > 0"):
        Config(SMALL, 1024, 0)
    with pytest.raises(ValueError, match="expected features"):
        Config(SMALL, 0)
    model = create("mobilenet_v3_small", device="meta")
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 4, 64, 64, device="meta"))


FAULTS = {
    "a soft gate": soften,
    "torch's BN epsilon": set_everywhere(nn.BatchNorm2d, eps=1e-5),
    "torch's BN momentum": set_everywhere(nn.BatchNorm2d, momentum=0.1),
    "swish for h-swish": lambda m: [
        setattr(p, n, nn.SiLU())
        for p in m.modules()
        for n, c in list(p.named_children())
        if isinstance(c, nn.Hardswish)
    ],
    "ReLU where Table 2 has h-swish": lambda m: setattr(m.blocks[3].expand, "activation", nn.ReLU()),
    "an activation after the projection": lambda m: setattr(
        m.blocks[4].project, "activation", nn.Hardswish()
    ),
    "no activation between the last layers": lambda m: m.classifier.__setitem__(1, nn.Identity()),
    "no squeeze-excite in the first block": lambda m: setattr(m.blocks[0], "squeeze_excite", nn.Identity()),
    "no shortcut": lambda m: setattr(m.blocks[2], "has_shortcut", False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    ours, reference = pair("mobilenet_v3_small")
    FAULTS[fault](ours)
    try:
        found = disagreements(ours, reference, (2, 3, 48, 40), by_layer(torchvision_places(ours)))
    except KeyError as error:  # a layer that is gone
        found = [str(error)]
    assert found
