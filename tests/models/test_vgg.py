"""VGG against Table 1 of the paper, torchvision's weights and arithmetic, and faults that people make."""

import pytest
import torch
import torchvision
from torch import nn

from dlbook.measure import count
from dlbook.models import create
from dlbook.models.vgg import VARIANTS, VGG, vgg
from dlbook.models.vgg_weights import load_torchvision_state
from tests.oracles.parity import disagreements, randomise

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
