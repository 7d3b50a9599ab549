"""VGG against Table 1 of the paper, torchvision's weights and arithmetic, and faults that people make."""

import functools

import pytest
import torch
import torchvision
from torch import nn

from dlbook.measure import count
from dlbook.models import create
from dlbook.models import vgg as module
from dlbook.models.vgg import VARIANTS, VGG, vgg
from dlbook.models.vgg_weights import load_torchvision_state
from tests.parity import disagreements, randomise
from tests.seeded import check_sees

# parameters and multiply-accumulates at 224 x 224: torchvision 0.29.1; column C from the paper's Table 2 (134
# M) and by hand
COUNTS = {
    "vgg_a": (132_863_336, 7_609_090_048),
    "vgg_a_lrn": (132_863_336, 7_609_090_048),
    "vgg_b": (133_047_848, 11_308_466_176),
    "vgg_c": (133_638_952, None),
    "vgg_d": (138_357_544, 15_470_264_320),
    "vgg_e": (143_667_240, 19_632_062_464),
    "vgg11": (132_863_336, 7_609_090_048),
    "vgg13": (133_047_848, 11_308_466_176),
    "vgg16": (138_357_544, 15_470_264_320),
    "vgg19": (143_667_240, 19_632_062_464),
    "vgg11_bn": (132_868_840, 7_609_090_048),
    "vgg13_bn": (133_053_736, 11_308_466_176),
    "vgg16_bn": (138_365_992, 15_470_264_320),
    "vgg19_bn": (143_678_248, 19_632_062_464),
}


def small(name: str) -> VGG:
    """The row with a classifier that two cores can afford in float64; the convolutions are whole."""
    model = vgg(name, num_classes=7, drop_prob=0.0)
    return shrink(model)


def shrink(model: nn.Module) -> nn.Module:
    model.classifier = nn.Sequential(nn.Linear(512 * 49, 7))
    return model


def theirs(name: str) -> nn.Module:
    return shrink(getattr(torchvision.models, name)(num_classes=7))


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    parameters, macs = COUNTS[name]
    if macs is None:  # column C is column B and three 1x1 convolutions: their maps are 56, 28, 14 pixels wide
        macs = COUNTS["vgg_b"][1] + 56**2 * 256**2 + 28**2 * 512**2 + 14**2 * 512**2
    counts = count(lambda: vgg(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == (parameters, macs)


@pytest.mark.parametrize("name", ["vgg13", "vgg16_bn"])
def test_equal_to_torchvision(name):
    reference = randomise(theirs(name))
    model = load_torchvision_state(small(name).double(), reference.state_dict())
    assert disagreements(model, reference, (2, 3, 33, 40)) == []


def check_column_c(build) -> None:
    """Table 1, column C, from the top: the 1x1 convolution is the last of its stage. No library has it."""
    model = build("vgg_c", num_classes=2)
    found = []
    for layer in model.features:
        if isinstance(layer, nn.Conv2d):
            kernel, padding = layer.kernel_size[0], layer.padding[0]
            assert padding == kernel // 2 and layer.stride == (1, 1)
            found.append(f"conv{kernel}-{layer.out_channels}")
        if isinstance(layer, nn.MaxPool2d):
            found.append("maxpool")
    column = """conv3-64 conv3-64 maxpool conv3-128 conv3-128 maxpool conv3-256 conv3-256 conv1-256 maxpool
        conv3-512 conv3-512 conv1-512 maxpool conv3-512 conv3-512 conv1-512 maxpool"""
    assert found == column.split()


def on_meta(build, *arguments, **options):
    with torch.device("meta"):
        return build(*arguments, **options)


def test_column_c_is_table_1_s():
    check_column_c(functools.partial(on_meta, vgg))


def test_the_check_sees_the_1x1_elsewhere():
    check_sees(
        lambda build: check_column_c(functools.partial(on_meta, build)),
        module,
        "vgg",
        "C = ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1))",
        "C = ((3, 3), (3, 3), (3, 1, 3), (3, 3, 1), (3, 3, 1))",
    )


def check_spread(build) -> None:
    """Linear layers from N(0, 0.01), convolutions with variance 2 / fan_out."""
    torch.manual_seed(0)
    model = build("vgg_a", num_classes=100)
    for layer in (model.features[3], model.features[8], model.classifier[3], model.classifier[6]):
        fan_out = layer.weight[:, 0].numel()
        expected = 0.01 if isinstance(layer, nn.Linear) else (2 / fan_out) ** 0.5
        assert abs(layer.weight.std() / expected - 1) < 5 / (2 * layer.weight.numel()) ** 0.5
        assert not layer.bias.any()


def test_initial_spread():
    check_spread(vgg)


def test_lrn_follows_the_first_relu_only():
    layers = [type(layer).__name__ for layer in create("vgg_a_lrn", device="meta").features]
    assert layers.count("LocalResponseNorm") == 1 and layers[:3] == ["Conv2d", "ReLU", "LocalResponseNorm"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "vgg12"}, "did you mean vgg"),
        ({"name": "vgg16", "num_classes": 0}, "expected num_classes"),
        ({"name": "vgg16", "in_channels": -1}, "expected in_channels"),
        ({"name": "vgg16", "drop_prob": 1.0}, "expected drop_prob"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        vgg(**arguments)


def test_bad_images():
    model = shrink(create("vgg11", device="meta"))
    with pytest.raises(ValueError, match="at least 32 pixels"):
        model(torch.zeros(1, 3, 31, 64, device="meta"))
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        model(torch.zeros(1, 1, 64, 64, device="meta"))


FAULTS = {
    "a layer too many": lambda model: model.features.insert(3, nn.Conv2d(64, 64, 3, padding=1).double()),
    "average for max pooling": lambda model: model.features.__setitem__(2, nn.AvgPool2d(2)),
    "no ReLU": lambda model: model.features.__setitem__(4, nn.Identity()),
    "no padding": lambda model: setattr(model.features[3], "padding", (0, 0)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_catches_the_seeded_fault(fault):
    reference = randomise(theirs("vgg11"))
    model = load_torchvision_state(small("vgg11").double(), reference.state_dict())
    FAULTS[fault](model)
    try:
        found = disagreements(model, reference, (2, 3, 32, 48))
    except (KeyError, RuntimeError, AttributeError) as error:
        found = [str(error)]
    assert found
