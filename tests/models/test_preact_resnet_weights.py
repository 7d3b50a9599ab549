"""timm's weights in the pre-activated ResNets: every tensor has its place, and a misfit is named."""

import pytest
import timm

from dlbook.models import create
from dlbook.models import preact_resnet_weights as module
from dlbook.models.preact_resnet import VARIANTS, Config, PreActResNet
from tests.models.weights_checks import exchanging, misplaced
from tests.parity import randomise


def place(name):
    """The name of one of timm's tensors in our model, written apart from the loader."""
    layers = name.split(".")
    if layers[0] == "stages":  # stages.1.blocks.0.conv1.weight -> layer2.0.conv1.weight
        layers = [f"layer{int(layers[1]) + 1}", *layers[3:]]
        if layers[2] == "downsample":
            layers.remove("conv")
    elif layers[0] in ("stem", "head"):
        layers = ["conv1" if layers[0] == "stem" else "fc", layers[-1]]
    return ".".join(layers)


def load(name="resnetv2_18"):
    """Our net of one unit a stage, a quarter as wide, with timm's weights, and their state."""
    unit, widths = VARIANTS[name].unit, (16, 32, 64, 128)
    sizes = {"channels": [width * unit.expansion for width in widths], "stem_chs": 16, "num_classes": 7}
    state = randomise(timm.create_model(name, layers=[1, 1, 1, 1], **sizes)).state_dict()
    ours = PreActResNet(Config(unit, (1, 1, 1, 1), widths, "timm", 16), 7).double()
    return module.load_timm_state(ours, state), state


@pytest.mark.parametrize("name", ["resnetv2_18", "resnetv2_50"])
def test_every_tensor_lands_in_its_place(name):
    assert misplaced(*load(name), place) == []


def test_exchanged_layers_are_caught(monkeypatch):
    monkeypatch.setattr(module, "load_state", exchanging("norm2", "norm3"))
    assert "stages.0.blocks.0.norm2.bias" in misplaced(*load("resnetv2_50"), place)


def test_a_misfit_is_named():
    with pytest.raises(ValueError, match="'conv1.weight' of shape"):
        module.load_timm_state(create("resnetv2_18", device="meta"), {})


@pytest.mark.parametrize("name", ["preact_resnet50", "preact_resnet152"])
def test_the_paper_s_rows_are_refused(name):
    with pytest.raises(ValueError, match="expected a row resnetv2_18 .*build such a row"):
        module.load_timm_state(create(name, device="meta"), {})
