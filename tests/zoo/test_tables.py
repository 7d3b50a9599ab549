"""The tables of the zoo: totals that agree with the layers, depths that fold, bad arguments that are told."""

import pytest

from dlbook import zoo
from dlbook.zoo.counting import counts

SAMPLE = ["lenet5", "resnet18", "resnet50", "efficientnet_b0", "vgg11"]


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.parametrize("depth", [1, 2, 3, 9, None])
def test_every_depth_has_the_same_total(name, depth):
    told = zoo.describe(name, depth=depth)
    assert (
        sum(layer["parameters"] for layer in told["layers"]) == told["parameters"] == counts(name).parameters
    )
    assert sum(layer["macs"] for layer in told["layers"]) == told["macs"] == counts(name).macs


def test_folding_keeps_names_types_shapes_and_fields():
    layers = {layer["name"]: layer for layer in zoo.describe("resnet50", depth=1)["layers"]}
    assert list(layers) == ["conv1", "bn1", "maxpool", "layer1", "layer2", "layer3", "layer4", "fc"]
    assert [layers[f"layer{i}"]["output"] for i in (1, 2, 3, 4)] == [
        [256, 56, 56],
        [512, 28, 28],
        [1024, 14, 14],
        [2048, 7, 7],
    ]
    assert layers["layer4"]["type"] == "Sequential" and layers["fc"]["output"] == [1000]
    assert layers["layer4"]["receptive_field"] == counts("resnet50").receptive_field
    blocks = zoo.describe("resnet50", depth=2)["layers"]
    assert sum(layer["type"] == "Bottleneck" for layer in blocks) == 3 + 4 + 6 + 3


def test_another_size_and_other_channels():
    told = zoo.describe("resnet18", (1, 64, 96))
    assert told["input"] == [1, 64, 96] and told["layers"][0]["output"] == [64, 32, 48]
    assert told["parameters"] == counts("resnet18").parameters - 2 * 64 * 49


def test_tables_show_themselves():
    shown = zoo.models("lenet")
    assert "<table" in shown._repr_mimebundle_()["text/html"] and "lenet5_modern" in repr(shown)
    last = zoo.summary("resnet18", depth=1).rows[-1]
    assert last[0] == "total" and last[3] == "11,689,512"


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: zoo.summary("resnt50"),
            r"name of a model, got 'resnt50'; did you mean resnet50.*dlbook models",
        ),
        (lambda: zoo.summary("zzzzqqq"), "no name is near it"),
        (lambda: zoo.models("resent"), "did you mean resnet"),
        (lambda: zoo.summary("resnet18", depth=0), "expected depth"),
        (lambda: zoo.summary("resnet18", (3, 224)), "expected size to be"),
        (lambda: zoo.summary("resnet18", (3, 0, 4)), "expected size to be"),
        (lambda: zoo.summary("lenet5", 28), "32 x 32"),
    ],
)
def test_bad_arguments_are_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
