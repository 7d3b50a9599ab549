"""ResNeXt against torchvision, its three forms against each other, and faults that people make."""

import pytest
import torch
import torchvision
from torch import nn

from dlbook.measure import count
from dlbook.models import create
from dlbook.models import resnext as module
from dlbook.models.resnext import (
    VARIANTS,
    Block,
    Config,
    EarlyConcatenation,
    GroupedConvolution,
    ResNeXt,
    SplitPaths,
    from_grouped,
    resnext,
    to_grouped,
)
from dlbook.models.resnext_weights import load_torchvision_state
from tests.models.residual_checks import (
    check_spread,
    field_of,
    gradient_field,
    keeps_channels_last,
    stage_shapes,
)
from tests.oracles.resnet_reference import ResNeXtCifarReference
from tests.parity import close, disagreements, randomise

# parameters and MACs at 224 or 32 pixels: torchvision 0.29.1 (32x4d, 32x8d, 64x4d), timm 1.0.31 (101 32x4d),
# pytorchcv 0.0.74 (29 32x4d and 16x64d); the other rows of Tables 3, 4 and 7 by hand below
COUNTS = {
    "resnext50_2x40d": (25_425_000, 4_124_508_160),
    "resnext50_4x24d": (25_292_968, 4_159_832_064),
    "resnext50_8x14d": (25_603_016, 4_267_409_408),
    "resnext50_32x4d": (25_028_904, 4_230_479_872),
    "resnext101_2x40d": (44_456_296, 7_843_553_280),
    "resnext101_4x24d": (44_363_432, 7_885_701_120),
    "resnext101_8x14d": (45_104_328, 8_076_871_680),
    "resnext101_32x4d": (44_177_704, 7_969_996_800),
    "resnext101_2x64d": (84_198_184, 15_123_087_360),
    "resnext101_64x4d": (83_455_272, 15_460_270_080),
    "resnext101_32x8d": (88_791_336, 16_414_015_488),
    "resnext29_8x64d_cifar": (34_426_698, 5_387_266_048),
    "resnext29_16x64d_cifar": (68_155_210, 10_688_866_304),
    "resnext29_32x4d_cifar": (4_775_754, 774_055_936),
}
TORCHVISION = ("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d")
FORMS = (SplitPaths, EarlyConcatenation, GroupedConvolution)


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: create(name, device="meta"), (3,) + (32 if "cifar" in name else 224,) * 2)
    assert (counts.parameters, counts.macs) == COUNTS[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_counts_by_hand(name):
    """C paths of (in x d + 9 d^2 + d x out) weights: the paper's expression in section 3.3, plus projections
    and BN.
    """
    config, cifar = VARIANTS[name], "cifar" in name
    side, channels, kernel = (32, 64, 3) if cifar else (112, 64, 7)
    parameters, macs = 3 * kernel**2 * 64 + 128, 3 * kernel**2 * 64 * side**2
    side = side if cifar else side // 2
    for stage, depth in enumerate(config.depths):
        d, out = config.path_width * 2**stage, 256 * 2**stage
        for position in range(depth):
            before, side = side, side // 2 if stage and not position else side
            first, rest = config.cardinality * channels * d, config.cardinality * (9 * d**2 + d * out)
            projection = channels * out if not position else 0
            parameters += (
                first
                + rest
                + projection
                + 4 * config.cardinality * d
                + (4 * out if not position else 2 * out)
            )
            macs += first * before**2 + (rest + projection) * side**2
            channels = out
    assert (
        parameters + channels * config.num_classes + config.num_classes,
        macs + channels * config.num_classes,
    ) == COUNTS[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_stage_shapes(name):
    sides, widths = (
        ((32, 32, 16, 8), (64, 256, 512, 1024))
        if "cifar" in name
        else ((56, 56, 28, 14, 7), (64, 256, 512, 1024, 2048))
    )
    found = stage_shapes(create(name, device="meta"), 32 if "cifar" in name else 224)
    assert found == [(2, c, side, 2 * side) for c, side in zip(widths, sides, strict=True)]


@pytest.mark.parametrize("name, field", [("resnext50_32x4d", 427), ("resnext29_8x64d_cifar", 39)])
def test_receptive_field(name, field):
    config = VARIANTS[name]
    layers = [(3, 1)] if "cifar" in name else [(7, 2), (3, 2)]
    for stage, depth in enumerate(config.depths):
        layers += [(1, 1), (3, 2 if stage else 1), (1, 1)] + [(1, 1), (3, 1), (1, 1)] * (depth - 1)
    thin = Config(config.depths, 2, 1, config.stem, 1)
    assert field_of(layers) == field == count(lambda: resnext(name)).receptive_field
    assert gradient_field(ResNeXt(thin, in_channels=1), 48 * round((field + 48) / 48)) == (field, field)


def forms(in_channels=6, out_channels=10, cardinality=3, path_width=4, stride=2) -> list[nn.Module]:
    """The three forms of one function in float64, with the weights of a random grouped one."""
    grouped = randomise(GroupedConvolution(in_channels, out_channels, cardinality, path_width, stride))
    made = []
    for form in FORMS[:2]:
        made.append(form(in_channels, out_channels, cardinality, path_width, stride).double())
        made[-1].load_state_dict(from_grouped(grouped.state_dict(), cardinality, form))
    return [*made, grouped]


def differences(models: list[nn.Module], train: bool) -> list[str]:
    """What differs from the last model: outputs, gradients of the input and of the weights, running
    statistics after; 1e-12.
    """
    results = []
    for model in models:
        x = torch.randn(
            3, 6, 7, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64
        ).requires_grad_()
        model.train(train).zero_grad()
        out = model(x)
        (out * torch.cos(torch.arange(out.numel(), dtype=out.dtype)).view_as(out)).sum().backward()
        grads = {f"{name}.": p.grad for name, p in model.named_parameters()}
        state = {**{k: v for k, v in model.state_dict().items() if v.is_floating_point()}}
        if type(model) is not GroupedConvolution:
            grads = {f"{k}.": v for k, v in to_grouped({k[:-1]: v for k, v in grads.items()}, 3).items()}
            state = to_grouped(state, 3)
        results.append(
            {
                "output": out,
                "gradient of x": x.grad,
                **{f"gradient of {k}": v for k, v in grads.items()},
                **state,
            }
        )
    return [
        name
        for other in results[:-1]
        for name, value in results[-1].items()
        if not close(other[name], value, 1e-12)
    ]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_the_three_forms_are_one_function(train):
    """Figure 3: (a), (b) and (c) give equal outputs, gradients and statistics, in float64 to 1e-12."""
    assert differences(forms(), train) == []


@pytest.mark.parametrize("form", FORMS[:2])
def test_conversion_there_and_back(form):
    state = GroupedConvolution(6, 10, 3, 4).state_dict()
    back = to_grouped(from_grouped(state, 3, form), 3)
    assert back.keys() == state.keys() and all(torch.equal(back[name], state[name]) for name in state)


def test_the_forms_cost_the_same():
    costs = [count(lambda form=form: form(8, 16, 4, 3), (8, 9, 7)) for form in FORMS]
    assert len({(c.parameters - 2 * 16, c.macs) for c in costs}) == 1


@pytest.mark.parametrize("fault", ["a path twice", "BN before the sum", "paths in another order"])
def test_the_comparison_of_forms_catches(fault):
    split, early, grouped = forms()
    if fault == "a path twice":
        split.paths[1].load_state_dict(split.paths[0].state_dict())
    elif fault == "paths in another order":
        early.paths = nn.ModuleList(reversed(early.paths))
    else:
        split.forward = lambda x: sum(split.bn3(path(x)) for path in split.paths)
    assert "output" in differences([split, early, grouped], train=False)


def pair() -> tuple[nn.Module, nn.Module]:
    """torchvision's net with one or two blocks a stage and a quarter of the inner width, and ours with its
    weights.
    """
    resnet = torchvision.models.resnet
    theirs = randomise(
        resnet.ResNet(resnet.Bottleneck, [2, 1, 1, 1], num_classes=7, groups=8, width_per_group=4)
    )
    return load_torchvision_state(
        ResNeXt(Config((2, 1, 1, 1), 8, 4), 7).double(), theirs.state_dict()
    ), theirs


def test_equal_to_torchvision():
    assert disagreements(*pair(), (2, 3, 33, 40)) == []


def test_the_cifar_net_equals_one_of_torchvision_s_blocks():
    theirs = randomise(ResNeXtCifarReference(4, 6))
    ours = load_torchvision_state(
        ResNeXt(Config((2, 2, 2), 4, 6, "cifar", num_classes=10)).double(), theirs.state_dict()
    )
    assert disagreements(ours, theirs, (2, 3, 11, 14)) == []


def interleaved(model):
    """The channels of the groups taken in turn, as a channel shuffle would."""
    block = model.layer1[0]
    block.conv2.register_forward_pre_hook(
        lambda module, inputs: (inputs[0].unflatten(1, (8, -1)).transpose(1, 2).flatten(1, 2),)
    )


def stride_first(model):
    model.layer2[0].conv1.stride, model.layer2[0].conv2.stride = (2, 2), (1, 1)


def dense(model):
    conv = model.layer1[0].conv2
    wide = nn.Conv2d(32, 32, 3, padding=1, bias=False).double()
    wide.weight.data.copy_(conv.weight.repeat(1, 8, 1, 1))
    conv.weight, conv.groups = wide.weight, 1


@pytest.mark.parametrize("fault", [interleaved, stride_first, dense])
def test_parity_catches_the_seeded_fault(fault):
    ours, theirs = pair()
    fault(ours)
    with pytest.raises((AssertionError, RuntimeError)):
        assert disagreements(ours, theirs, (2, 3, 33, 40)) == []


def test_parity_catches_no_relu_after_the_sum(monkeypatch):
    monkeypatch.setattr(
        Block,
        "forward",
        lambda self, x: GroupedConvolution.forward(self, x) + (self.downsample(x) if self.downsample else x),
    )
    assert "eval logits" in disagreements(*pair(), (2, 3, 33, 40))


@pytest.mark.parametrize("path_width", [64, 2], ids=["planes channels a path", "half as many"])
def test_counts_catch_a_wrong_width(path_width):
    with torch.device("meta"):
        model = ResNeXt(Config((3, 4, 6, 3), 32, path_width))
    assert sum(p.numel() for p in model.parameters()) != COUNTS["resnext50_32x4d"][0]


def test_spread_and_channels_last():
    torch.manual_seed(0)
    model = resnext("resnext29_32x4d_cifar")
    check_spread(model)
    assert keeps_channels_last(model, 32)


def test_spread_check_catches_fan_out_of_a_group(monkeypatch):
    def per_group(model):
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=(2 * layer.groups / layer.weight[:, 0].numel()) ** 0.5)

    monkeypatch.setattr(module, "initialise", per_group)
    with pytest.raises(AssertionError, match="spread of layer1.0.conv2"):
        check_spread(resnext("resnext29_8x64d_cifar"))


def test_bad_configs_images_and_weights():
    with pytest.raises(ValueError, match="expected stem to be"):
        Config((1,), 2, 4, "deep")
    with pytest.raises(ValueError, match="to be a whole number >= 1"):
        Config((1,), 0, 4)
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        create("resnext29_32x4d_cifar", device="meta")(torch.zeros(1, 4, 32, 32, device="meta"))
    with pytest.raises(ValueError, match="'fc.weight' of shape"):
        load_torchvision_state(
            create("resnext50_32x4d", num_classes=9, device="meta"),
            torchvision.models.resnext50_32x4d().state_dict(),
        )
