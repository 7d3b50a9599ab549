"""ConvNeXt against section 3 of the paper: counts, shapes, receptive field, schedules and starts."""

import pytest
import torch
import torchvision
from torch import nn

from dlbook.measure import count
from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create
from dlbook.models.convnext import VARIANTS, Block, Config, ConvNeXt, LayerNorm, convnext
from tests.parity import randomise

# parameters and multiply-accumulates at 224 x 224: torchvision 0.29.1, XL timm 1.0.31; the paper's Tables 1
# and 12: 29, 50, 89, 198, 350 M and 4.5, 8.7, 15.4, 34.4, 60.9 G
COUNTS = {
    "convnext_t": (28_589_128, 4_455_531_264),
    "convnext_s": (50_223_688, 8_683_712_256),
    "convnext_b": (88_591_464, 15_354_729_472),
    "convnext_l": (197_767_336, 34_361_433_600),
    "convnext_xl": (350_196_968, 60_921_030_656),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts_and_shapes(name):
    counts = count(lambda: convnext(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name]
    widths = VARIANTS[name].widths
    shapes = [
        tuple(x.shape)
        for x in feature_maps(create(name, device="meta").eval(), torch.empty(2, 3, 224, 192, device="meta"))
    ]
    assert shapes == [(2, widths[0], 56, 48), *((2, w, 56 >> i, 48 >> i) for i, w in enumerate(widths))]


def receptive_field(depths) -> int:
    """r = 1 + sum of (k - 1) times the strides before it: 4x4/4, 7x7 in every block, 2x2/2 between stages."""
    field, jump = 4, 4
    for stage, depth in enumerate(depths):
        if stage:
            field, jump = field + jump, 2 * jump
        field += 6 * jump * depth
    return field


@pytest.mark.parametrize(
    "name, field",
    [
        ("convnext_t", 1688),
        ("convnext_s", 3416),
        ("convnext_b", 3416),
        ("convnext_l", 3416),
        ("convnext_xl", 3416),
    ],
)
def test_receptive_field_by_formula(name, field):
    assert count(lambda: convnext(name)).receptive_field == receptive_field(VARIANTS[name].depths) == field


def test_receptive_field_by_the_support_of_a_gradient():
    depths = (1, 1, 2, 1)
    field = receptive_field(depths)
    model = ConvNeXt(Config(depths, (1, 1, 1, 1)), 1, 1).double()
    for parent in model.modules():  # linear and positive: every path reaches the output
        for name, child in parent.named_children():
            if isinstance(child, nn.LayerNorm):
                setattr(parent, name, nn.Identity())
            elif isinstance(child, (nn.Conv2d, nn.Linear)):
                nn.init.constant_(child.weight, 1 / child.weight[0].numel())
        if isinstance(parent, Block):
            nn.init.ones_(parent.gamma)
    image = torch.ones(1, 1, 704, 640, dtype=torch.float64, requires_grad=True)
    features = feature_maps(model, image)[-1]
    features[0, 0, 11, 10].backward()
    support = image.grad[0, 0].abs()
    assert (support.sum(0) > 0).sum() == (support.sum(1) > 0).sum() == field == 488


def test_layer_norm_is_over_the_channels_of_each_pixel():
    x = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    norm = LayerNorm(5).double()
    randomise(norm)
    out = norm(x)
    for b in range(2):
        for row in range(3):
            for column in range(4):
                pixel = x[b, :, row, column]
                expected = (pixel - pixel.mean()) / (
                    pixel.var(correction=0) + 1e-6
                ).sqrt() * norm.weight + norm.bias
                assert torch.allclose(out[b, :, row, column], expected, rtol=1e-12)


def test_stochastic_depth_grows_linearly_to_the_papers_rate():
    for name, rate in {
        "convnext_t": 0.1,
        "convnext_s": 0.4,
        "convnext_b": 0.5,
        "convnext_l": 0.5,
        "convnext_xl": 0.2,
    }.items():
        rates = [block.drop.drop_prob for stage in create(name, device="meta").stages for block in stage]
        assert rates == pytest.approx([rate * i / (len(rates) - 1) for i in range(len(rates))]) and rates[
            -1
        ] == pytest.approx(rate)
    assert {
        block.drop.drop_prob
        for stage in create("convnext_t", drop_prob=0, device="meta").stages
        for block in stage
    } == {0}
    theirs = torchvision.models.convnext_tiny()
    assert [m.p for m in theirs.modules() if isinstance(m, torchvision.ops.StochasticDepth)] == pytest.approx(
        [block.drop.drop_prob for stage in convnext("convnext_t").stages for block in stage]
    )


def test_stochastic_depth_drops_the_branch_and_keeps_the_shortcut():
    block, x = randomise(Block(6, 1 - 1e-9)), torch.randn(4, 6, 5, 9, dtype=torch.float64)
    assert torch.equal(block.train()(x), x) and not torch.equal(block.eval()(x), x)


def test_initial_weights():
    torch.manual_seed(0)
    model = convnext("convnext_t")
    for layer in (m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))):
        assert (
            abs(layer.weight.std().item() / 0.02 - 1) < 5 / (2 * layer.weight.numel()) ** 0.5
            and not layer.bias.any()
        )
    gammas = [block.gamma for stage in model.stages for block in stage]
    assert len(gammas) == 18 and all(
        gamma.ndim == 1 and (gamma == 1e-6).all() for gamma in gammas
    )  # ndim 1: spared by weight decay


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_maps_lie_in_memory_as_pixels_of_channels(memory_format):
    """Whatever the layout of the images, training and evaluation: no layer copies a map for its layout."""
    model = convnext("convnext_t", 5).to(memory_format=memory_format)
    images = torch.randn(2, 3, 64, 96).to(memory_format=memory_format)
    for train in (False, True):
        maps = feature_maps(model.train(train), images)
        assert all(x.is_contiguous(memory_format=torch.channels_last) for x in maps)
    with torch.autocast("cpu", torch.bfloat16):
        assert model(images).dtype == torch.bfloat16


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "convnext_m"}, "did you mean convnext_"),
        ({"name": "convnext_t", "num_classes": 0}, "expected num_classes"),
        ({"name": "convnext_t", "in_channels": 0}, "expected in_channels"),
        ({"name": "convnext_t", "drop_prob": 1.0}, "expected drop_prob"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        convnext(**arguments)


@pytest.mark.parametrize(
    "depths, widths, message",
    [
        ((), (), "one entry a stage"),
        ((1, 2), (8,), "one entry a stage"),
        ((1, 0), (8, 8), "expected depths"),
        ((1, 1), (8, -8), "expected widths"),
    ],
)
def test_config_is_checked(depths, widths, message):
    with pytest.raises(ValueError, match=message):
        Config(depths, widths)


def test_bad_images():
    model = create("convnext_t", device="meta")
    with pytest.raises(ValueError, match="at least 32 pixels"):
        model(torch.zeros(1, 3, 31, 64, device="meta"))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 1, 64, 64, device="meta"))
