"""timm's weights in ResNeSt: every tensor has its place, and a misfit is named."""

import pytest
import timm

from dlbook.models import create
from dlbook.models import resnest_weights as module
from dlbook.models.resnest import Config, ResNeSt
from tests.models.weights_checks import exchanging, misplaced
from tests.parity import randomise


def load():
    """Our net of one block a stage with timm's weights, and their state."""
    state = randomise(timm.create_model("resnest50d", layers=[1, 1, 1, 1], num_classes=7)).state_dict()
    return module.load_timm_state(ResNeSt(Config((1, 1, 1, 1)), 7).double(), state), state


def test_every_tensor_lands_in_its_place():
    assert misplaced(*load()) == []


def test_exchanged_layers_are_caught(monkeypatch):
    """The two normalisations of the stem have equal shapes."""
    monkeypatch.setattr(module, "load_state", exchanging("conv1.1.", "conv1.4."))
    assert sorted(name for name in misplaced(*load()) if name.endswith(".bias")) == [
        "conv1.1.bias",
        "conv1.4.bias",
    ]


def test_a_misfit_is_named():
    state = create("resnest50", device="meta").state_dict()
    with pytest.raises(ValueError, match=r"'conv1.0.weight' of shape \[64, 3, 3, 3\]"):
        module.load_timm_state(create("resnest101", device="meta"), state)
