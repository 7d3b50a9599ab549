"""torchvision's and timm's weights in ResNeXt: every tensor has its place, and a misfit is named."""

import pytest
import timm
import torchvision

from dlbook.models import create
from dlbook.models import resnext_weights as module
from dlbook.models.resnext import Config, ResNeXt
from tests.models.weights_checks import exchanging, misplaced
from tests.parity import randomise


def load(library="torchvision"):
    """Our net of one block a stage, of 8 paths of 4 channels, with another library's weights; their state."""
    if library == "timm":
        thin = {"cardinality": 8, "base_width": 4, "layers": [1, 1, 1, 1], "num_classes": 7}
        theirs = timm.create_model("resnext50_32x4d", **thin)
    else:
        block = torchvision.models.resnet.Bottleneck
        theirs = torchvision.models.ResNet(block, [1, 1, 1, 1], num_classes=7, groups=8, width_per_group=4)
    state = randomise(theirs).state_dict()
    ours = ResNeXt(Config((1, 1, 1, 1), 8, 4), 7).double()
    return getattr(module, f"load_{library}_state")(ours, state), state


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_every_tensor_lands_in_its_place(library):
    assert misplaced(*load(library)) == []


def test_exchanged_layers_are_caught(monkeypatch):
    monkeypatch.setattr(module, "load_state", exchanging("0.bn1", "0.bn2"))
    assert "layer2.0.bn2.running_var" in misplaced(*load()) and misplaced(*load("timm"))


def test_a_misfit_is_named():
    state = create("resnext50_32x4d", device="meta").state_dict()
    with pytest.raises(ValueError, match=r"'layer1.0.conv1.weight' of shape \[256, 64, 1, 1\]"):
        module.load_torchvision_state(create("resnext101_32x8d", device="meta"), state)
    with pytest.raises(ValueError, match="'conv1.weight' of shape"):
        module.load_timm_state(create("resnext50_32x4d", device="meta"), {})
