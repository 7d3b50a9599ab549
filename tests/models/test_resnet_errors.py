"""Bad arguments are ValueErrors that say what got and how to fix it."""

import pytest
import torch

from dlbook.models.resnet import (
    VARIANTS,
    BasicBlock,
    Bottleneck,
    Config,
    PlainBlock,
    ResNet,
    resnet,
    zero_init_last_gamma,
)
from dlbook.models.resnet_weights import load_torchvision_state
from tests.models.resnet_checks import imagenet_reference


@pytest.mark.parametrize("name", ["resnet51", "ResNet50", "", None, ["resnet18"], 18])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="expected the name of a variant, got .*resnet50_v1_5"):
        resnet(name)


@pytest.mark.parametrize("value", [0, -1, 2.0, "10", True])
@pytest.mark.parametrize("argument", ["num_classes", "in_channels"])
def test_counts_have_to_be_positive_integers(argument, value):
    with pytest.raises(ValueError, match=argument):
        resnet("resnet20_cifar", **{argument: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depths": ()}, "one entry a stage"),
        ({"depths": (2, 2, 2)}, "one entry a stage"),
        ({"depths": (2, 0, 2, 2)}, "each depth"),
        ({"widths": (64, 128, -1, 512)}, "each width"),
        ({"stem": "mnist"}, "stem.*'mnist'"),
        ({"shortcut": "C"}, "shortcut.*'C'"),
        ({"block": PlainBlock}, "shortcut.*'B'"),
        ({"shortcut": None}, "shortcut.*None"),
        ({"num_classes": 0}, "num_classes"),
    ],
)
def test_config_is_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        Config(**{"block": BasicBlock, "depths": (2, 2, 2, 2), **changes})


@pytest.mark.parametrize("config", ["resnet18", None, {"depths": (1,)}])
def test_the_network_wants_a_config(config):
    with pytest.raises(ValueError, match="VARIANTS"):
        ResNet(config)


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(3, 32, 32),
        torch.zeros(2, 1, 32, 32),
        torch.zeros(2, 32, 32, 3),
        torch.zeros(2, 3, 32, 32, dtype=torch.uint8),
        torch.zeros(0, 3, 32, 32),
        torch.zeros(2, 3, 0, 32),
    ],
    ids=lambda x: f"{x.dtype}{list(x.shape)}",
)
def test_images_are_checked(images):
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\], got"):
        resnet("resnet20_cifar")(images)


def test_import_names_the_first_tensor_that_does_not_fit():
    state = imagenet_reference("50").state_dict()
    with pytest.raises(ValueError, match=r"'layer1.0.conv1.weight': the model has \[64, 64, 3, 3\]"):
        load_torchvision_state(resnet("resnet34"), state)
    with pytest.raises(ValueError, match=r"'layer3.6.conv1.weight' .*is missing"):
        load_torchvision_state(resnet("resnet101_v1_5"), state)
    with pytest.raises(ValueError, match=r"'layer3.6.conv1.weight' of the state dict has no place"):
        load_torchvision_state(resnet("resnet50_v1_5"), imagenet_reference("101").state_dict())
    with pytest.raises(
        ValueError, match=r"'conv1.weight': the model has \[64, 1, 7, 7\], the state dict has \[64, 3, 7, 7\]"
    ):
        load_torchvision_state(resnet("resnet50_v1_5", in_channels=1), state)
    with pytest.raises(ValueError, match="'conv1.weight'.*str"):
        load_torchvision_state(resnet("resnet50_v1_5"), {**state, "conv1.weight": "file"})


def test_import_refuses_a_v1_bottleneck_net_although_every_tensor_fits():
    with pytest.raises(ValueError, match="build a _v1_5 row"):
        load_torchvision_state(resnet("resnet50"), imagenet_reference("50").state_dict())


def test_zero_init_wants_a_residual_block():
    with pytest.raises(ValueError, match="no BasicBlock"):
        zero_init_last_gamma(resnet("plain20_cifar"))


def test_rows_are_frozen():
    with pytest.raises(AttributeError):
        VARIANTS["resnet18"].depths = (1, 1, 1, 1)
    assert VARIANTS["resnet50"].block is Bottleneck
