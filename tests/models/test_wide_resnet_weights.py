"""torchvision's weights in wide ResNets for ImageNet: every tensor has its place, and a misfit is named."""

import pytest
import torchvision

from dlbook.models import create
from dlbook.models import wide_resnet_weights as module
from dlbook.models.wide_resnet import Config, WideBottleneckResNet
from tests.models.weights_checks import exchanging, misplaced
from tests.parity import randomise


def load():
    """Our net of one block a stage, twice as wide inside, with torchvision's weights; their state."""
    block = torchvision.models.resnet.Bottleneck
    theirs = torchvision.models.ResNet(block, [1, 1, 1, 1], num_classes=7, width_per_group=128)
    state = randomise(theirs).state_dict()
    ours = WideBottleneckResNet(Config("imagenet", (1, 1, 1, 1), 2, 7), 7, 3).double()
    return module.load_torchvision_state(ours, state), state


def test_every_tensor_lands_in_its_place():
    assert misplaced(*load()) == []


def test_exchanged_layers_are_caught(monkeypatch):
    monkeypatch.setattr(module, "load_state", exchanging("0.bn1", "0.bn2"))
    assert "layer4.0.bn1.bias" in misplaced(*load())


def test_a_misfit_is_named():
    state = create("resnet50_v1_5", device="meta").state_dict()  # half as wide
    with pytest.raises(ValueError, match=r"'layer1.0.conv1.weight' of shape \[128, 64, 1, 1\]"):
        module.load_torchvision_state(create("wide_resnet50_2", device="meta"), state)
