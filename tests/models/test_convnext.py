"""ConvNeXt against section 3 of the paper, against torchvision's and timm's weights and arithmetic, and
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
from dlbook.models.convnext import VARIANTS, Block, Config, ConvNeXt, LayerNorm, Pointwise, convnext
from dlbook.models.convnext_weights import load_timm_state, load_torchvision_state
from tests.oracles.parity import disagreements, randomise

# parameters and multiply-accumulates at 224 x 224: torchvision 0.29.1, XL timm 1.0.31; the paper's Tables 1
# and 12: 29, 50, 89, 198,
# 350 M and 4.5, 8.7, 15.4, 34.4, 60.9 G
COUNTS = {
    "convnext_t": (28_589_128, 4_455_531_264),
    "convnext_s": (50_223_688, 8_683_712_256),
    "convnext_b": (88_591_464, 15_354_729_472),
    "convnext_l": (197_767_336, 34_361_433_600),
    "convnext_xl": (350_196_968, 60_921_030_656),
}
TORCHVISION = {
    "convnext_t": "convnext_tiny",
    "convnext_s": "convnext_small",
    "convnext_b": "convnext_base",
    "convnext_l": "convnext_large",
}
TIMM = TORCHVISION | {"convnext_xl": "convnext_xlarge"}
ODD = (2, 3, 70, 45)


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts_and_shapes(name):
    counts = count(lambda: convnext(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name]
    widths = VARIANTS[name].widths
    shapes = [
        tuple(x.shape)
        for x in convnext(name, device="meta").eval().feature_maps(torch.empty(2, 3, 224, 192, device="meta"))
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
    features = model.feature_maps(image)[-1]
    features[0, 0, 11, 10].backward()
    support = image.grad[0, 0].abs()
    assert (support.sum(0) > 0).sum() == (support.sum(1) > 0).sum() == field == 488


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_takes_the_libraries_weights(name):
    with torch.device("meta"):
        load_timm_state(convnext(name), timm.create_model(TIMM[name]).state_dict())
        if name in TORCHVISION:
            load_torchvision_state(
                convnext(name), getattr(torchvision.models, TORCHVISION[name])().state_dict()
            )


def renamed(name: str) -> str:
    """The name of a tensor of torchvision's in our model, written apart from the loader."""
    parts = name.split(".")
    if parts[0] == "classifier":
        return f"{('norm', '', 'fc')[int(parts[1])]}.{parts[2]}"
    stage, rest = int(parts[1]), parts[2:]
    if stage == 0:
        return ".".join(["stem", *rest])
    if stage % 2 == 0:
        return ".".join(["downsample", str(stage // 2), *rest])
    inner = {"0": "depthwise", "2": "norm", "3": "expand", "5": "project"}
    last = ["gamma"] if rest[1] == "layer_scale" else [inner[rest[2]], rest[3]]
    return ".".join(["stages", str(stage // 2), rest[0], *last])


def renamed_timm(name: str) -> str:
    """The name of a tensor of timm's in our model, written apart from the loader."""
    name = re.sub(r"^stages\.(\d)\.downsample\.", r"downsample.\1.", name)
    name = re.sub(r"\.blocks\.(\d+)", r".\1", name)
    for theirs, ours in (
        ("conv_dw", "depthwise"),
        ("mlp.fc1", "expand"),
        ("mlp.fc2", "project"),
        ("head.", ""),
    ):
        name = name.replace(theirs, ours)
    return name


SMALL = Config((1, 2, 3, 2), (8, 12, 20, 36))


def pair(library: str = "torchvision") -> tuple[ConvNeXt, nn.Module]:
    """A thin ConvNeXt with 7 classes and its peer, of equal weights away from their start, in float64."""
    if library == "timm":
        theirs, load = (
            timm.models.convnext.ConvNeXt(depths=SMALL.depths, dims=SMALL.widths, num_classes=7),
            load_timm_state,
        )
    else:
        stages = zip(SMALL.widths, (*SMALL.widths[1:], None), SMALL.depths, strict=True)
        theirs = torchvision.models.ConvNeXt(
            [torchvision.models.convnext.CNBlockConfig(*stage) for stage in stages], num_classes=7
        )
        load = load_torchvision_state
    randomise(theirs)
    return load(ConvNeXt(SMALL, 7).double(), theirs.state_dict()), theirs


@pytest.mark.parametrize("library, rename", [("torchvision", renamed), ("timm", renamed_timm)])
def test_equal_to_the_libraries(library, rename):
    assert disagreements(*pair(library), ODD, rename) == []


def test_convnext_t_is_equal_to_torchvisions_at_full_width():
    theirs = randomise(torchvision.models.convnext_tiny(num_classes=7, stochastic_depth_prob=0.0))
    ours = load_torchvision_state(convnext("convnext_t", 7, drop_prob=0.0).double(), theirs.state_dict())
    assert disagreements(ours, theirs, (2, 3, 64, 40), renamed) == []


def test_the_convolution_on_the_cpu_is_the_linear_layer():
    torch.manual_seed(0)
    layer, x = Pointwise(6, 5).double(), torch.randn(2, 3, 4, 6, dtype=torch.float64)
    assert (
        layer(x).shape == (2, 3, 4, 5)
        and (layer(x) - F.linear(x, layer.weight, layer.bias)).abs().max() < 1e-14
    )


def norm_after_expansion(self, x):
    branch = self.depthwise(x).permute(0, 2, 3, 1)
    branch = self.project(F.gelu(F.layer_norm(self.expand(branch), (self.expand.out_features,))))
    return x + self.gamma[:, None, None] * branch.permute(0, 3, 1, 2)


def two_activations(self, x):
    branch = F.gelu(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))
    return x + self.gamma[:, None, None] * self.project(F.gelu(self.expand(branch))).permute(0, 3, 1, 2)


def tanh_gelu(self, x):
    branch = self.expand(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))
    return x + self.gamma[:, None, None] * self.project(F.gelu(branch, approximate="tanh")).permute(
        0, 3, 1, 2
    )


def scale_on_the_sum(self, x):
    branch = self.project(F.gelu(self.expand(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))))
    return self.gamma[:, None, None] * (x + branch.permute(0, 3, 1, 2))


def axes_swapped(self, x):
    branch = self.project(F.gelu(self.expand(self.norm(self.depthwise(x).permute(0, 3, 2, 1)))))
    return x + self.gamma[:, None, None] * branch.permute(0, 3, 1, 2).reshape(x.shape)


@pytest.mark.parametrize(
    "forward", [norm_after_expansion, two_activations, tanh_gelu, scale_on_the_sum, axes_swapped]
)
def test_parity_catches_a_wrong_block(monkeypatch, forward):
    model, theirs = pair()
    monkeypatch.setattr(Block, "forward", forward)
    assert disagreements(model, theirs, ODD, renamed)


def norm_before_pooling(self, images):
    return self.fc(self.norm(self.feature_maps(images)[-1].permute(0, 2, 3, 1)).mean((1, 2)))


def test_parity_catches_the_last_norm_before_the_pooling(monkeypatch):
    model, theirs = pair()
    monkeypatch.setattr(ConvNeXt, "forward", norm_before_pooling)
    assert disagreements(model, theirs, ODD, renamed)


FAULTS = {
    "eps 1e-5": lambda model: [
        setattr(m, "eps", 1e-5) for m in model.modules() if isinstance(m, nn.LayerNorm)
    ],
    "no norm before a downsampling": lambda model: setattr(model.downsample[2][0], "forward", lambda x: x),
    "norm after the downsampling": lambda model: setattr(
        model,
        "downsample",
        nn.ModuleList(
            m
            if isinstance(m, nn.Identity)
            else nn.Sequential(m[1], nn.GroupNorm(1, m[1].out_channels).double())
            for m in model.downsample
        ),
    ),
    "one gamma left at its start": lambda model: nn.init.constant_(model.stages[3][1].gamma, 1e-6),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    model, theirs = pair()
    FAULTS[fault](model)
    try:
        found = disagreements(model, theirs, ODD, renamed)
    except KeyError as error:
        found = [str(error)]
    assert found


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
        rates = [block.drop.drop_prob for stage in convnext(name, device="meta").stages for block in stage]
        assert rates == pytest.approx([rate * i / (len(rates) - 1) for i in range(len(rates))]) and rates[
            -1
        ] == pytest.approx(rate)
    assert {
        block.drop.drop_prob
        for stage in convnext("convnext_t", drop_prob=0, device="meta").stages
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
        maps = model.train(train).feature_maps(images)
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


def test_bad_images_and_weights():
    model = convnext("convnext_t", device="meta")
    with pytest.raises(ValueError, match="at least 32 pixels"):
        model(torch.zeros(1, 3, 31, 64, device="meta"))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 1, 64, 64, device="meta"))
    with pytest.raises(ValueError, match="VARIANTS"):
        ConvNeXt("convnext_t")
    with torch.device("meta"):
        small = torchvision.models.convnext_small().state_dict()
    with pytest.raises(ValueError, match=r"'stages.2.9.gamma' of the state dict has no place"):
        load_torchvision_state(model, small)
    with pytest.raises(
        ValueError,
        match=r"'stem.0.weight': the model has \[128, 3, 4, 4\], the state dict has \[96, 3, 4, 4\]",
    ):
        load_torchvision_state(convnext("convnext_b", device="meta"), small)
    with pytest.raises(ValueError, match="'stem.0.weight'.*missing"):
        load_timm_state(model, {})
