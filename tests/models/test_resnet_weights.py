"""torchvision's weights in ResNet: every tensor has its place, and a misfit is named."""

import pytest
import torchvision

from dlbook.models import create
from dlbook.models import resnet_weights as module
from dlbook.models.resnet import BasicBlock, BottleneckV15, Config, ResNet
from tests.models.weights_checks import exchanging, misplaced
from tests.parity import randomise

KINDS = {
    BasicBlock: torchvision.models.resnet.BasicBlock,
    BottleneckV15: torchvision.models.resnet.Bottleneck,
}


def load(block=BasicBlock):
    """Our net of one block a stage with torchvision's weights, and their state."""
    theirs = randomise(torchvision.models.ResNet(KINDS[block], [1, 1, 1, 1], num_classes=7)).state_dict()
    ours = ResNet(Config(block, (1, 1, 1, 1), (64, 128, 256, 512), "imagenet", "B", 7)).double()
    return module.load_torchvision_state(ours, theirs), theirs


@pytest.mark.parametrize("block", KINDS)
def test_every_tensor_lands_in_its_place(block):
    assert misplaced(*load(block)) == []


def test_exchanged_layers_are_caught(monkeypatch):
    monkeypatch.setattr(module, "load_state", exchanging("0.bn1", "0.bn2"))
    found = misplaced(*load(BottleneckV15))
    assert "layer1.0.bn1.running_mean" in found and "layer1.0.bn2.weight" in found
    assert not any("conv" in name for name in found)


def test_a_misfit_is_named():
    with pytest.raises(ValueError, match=r"'conv1.weight' of shape \[64, 3, 7, 7\]"):
        module.load_torchvision_state(create("resnet18", device="meta"), {})


def test_weights_of_another_stride_are_refused():
    """Every tensor would fit, and the numbers would be wrong."""
    state = create("resnet50_v1_5", device="meta").state_dict()
    with pytest.raises(ValueError, match="build a _v1_5 row"):
        module.load_torchvision_state(create("resnet50", device="meta"), state)
