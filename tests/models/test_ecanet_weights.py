"""timm's weights in ECA-ResNet: every tensor has its place, and a misfit is named."""

import pytest
import timm

from dlbook.models import create
from dlbook.models import ecanet_weights as module
from dlbook.models.ecanet import VARIANTS, Config, ECAResNet
from tests.models.weights_checks import exchanging, misplaced
from tests.parity import randomise


def place(name):
    """The name of one of timm's tensors in our model, written apart from the loader."""
    layers = name.split(".")
    return ".".join("eca" if layer == "se" else layer for layer in layers)


def load(layers="18"):
    """Our net of one block a stage with timm's weights, and their state."""
    options = {"block_args": {"attn_layer": "eca"}, "layers": [1, 1, 1, 1], "num_classes": 7}
    state = randomise(timm.create_model(f"resnet{layers}", **options)).state_dict()
    config = Config(VARIANTS[f"ecaresnet{layers}"].block, (1, 1, 1, 1))
    return module.load_timm_state(ECAResNet(config, 7).double(), state), state


@pytest.mark.parametrize("layers", ["18", "50"])
def test_every_tensor_lands_in_its_place(layers):
    assert misplaced(*load(layers), place) == []


def test_exchanged_layers_are_caught(monkeypatch):
    """Every convolution of the attention over channels has five weights in these two stages."""
    monkeypatch.setattr(module, "load_state", exchanging("layer2.0.eca", "layer3.0.eca"))
    assert misplaced(*load(), place) == ["layer2.0.se.conv.weight", "layer3.0.se.conv.weight"]


def test_a_misfit_is_named():
    state = create("resnet18", device="meta").state_dict()
    with pytest.raises(ValueError, match="'layer1.0.eca.conv.weight' of shape"):
        module.load_timm_state(create("ecaresnet18", device="meta"), state)
