"""timm's two sets of weights in SE-ResNet: every tensor has its place, and a misfit is named."""

import pytest
import timm
import torch
from timm.models.senet import SENet, SEResNetBottleneck

from dlbook.models import create
from dlbook.models import senet_weights as module
from dlbook.models.senet import Config, SEResNet
from tests.models.weights_checks import exchanging, misplaced
from tests.parity import randomise

PLACES = {  # timm's names of layers, in both of its forms, and ours
    "layer0.conv1": "conv1",
    "layer0.bn1": "bn1",
    "last_linear": "fc",
    "se.fc1": "se.reduce",
    "se.fc2": "se.expand",
    "se_module.fc1": "se.reduce",
    "se_module.fc2": "se.expand",
}


def place(name):
    """The name of one of timm's tensors in our model, written apart from the loader."""
    layer, _, tensor = name.rpartition(".")
    before, _, last = layer.rpartition(".")
    stage, _, part = before.rpartition(".")
    if part in ("se", "se_module"):
        return f"{stage}.{PLACES[f'{part}.{last}']}.{tensor}"
    return f"{PLACES.get(layer, layer)}.{tensor}"


def load(legacy=False):
    """Our net of one block a stage with timm's weights, and their state."""
    if legacy:
        kernel = {"input_3x3": False, "downsample_kernel_size": 1, "downsample_padding": 0}
        sizes = {"groups": 1, "reduction": 16, "inplanes": 64, "num_classes": 7}
        theirs = SENet(SEResNetBottleneck, [1, 1, 1, 1], drop_rate=0.0, **kernel, **sizes)
        config = Config((1, 1, 1, 1), "1x1", "ceil")
    else:
        theirs = timm.create_model("seresnet50", layers=(1, 1, 1, 1), num_classes=7)
        config = Config((1, 1, 1, 1), "3x3")
    state = randomise(theirs).state_dict()
    return module.load_timm_state(SEResNet(config, 7).double(), state), state


@pytest.mark.parametrize("legacy", [False, True], ids=["seresnet", "legacy_seresnet"])
def test_every_tensor_lands_in_its_place(legacy):
    assert misplaced(*load(legacy), place) == []


@pytest.mark.parametrize("legacy", [False, True], ids=["seresnet", "legacy_seresnet"])
def test_exchanged_layers_are_caught(monkeypatch, legacy):
    monkeypatch.setattr(module, "load_state", exchanging("0.bn1", "0.bn2"))
    assert "layer3.0.bn1.weight" in misplaced(*load(legacy), place)


def test_a_misfit_is_named():
    with pytest.raises(ValueError, match="'conv1.weight' of shape"):
        module.load_timm_state(create("seresnet50_v1_5", device="meta"), {})


def test_weights_of_another_stride_are_refused():
    """Every tensor would fit, and the numbers would be wrong."""
    with pytest.raises(ValueError, match="build a row _v1_5"):
        module.load_timm_state(create("seresnet50", device="meta"), {"conv1.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="build a row _caffe"):
        module.load_timm_state(create("seresnet50", device="meta"), {"layer0.conv1.weight": torch.zeros(1)})
