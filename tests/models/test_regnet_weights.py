"""torchvision's and timm's weights in RegNet: every tensor has its place, and a misfit is named."""

import pytest
import timm
import torch
import torchvision

from dlbook.models import create
from dlbook.models import regnet_weights as module
from dlbook.models.regnet import VARIANTS, regnet
from dlbook.models.regnet_weights import load_timm_state, load_torchvision_state
from tests.models.test_regnet import pair, renamed, renamed_timm, timm_name
from tests.models.weights_checks import exchanging, misplaced

PLACES = {"timm": renamed_timm, "torchvision": renamed}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_takes_timms_weights(name):
    with torch.device("meta"):
        load_timm_state(regnet(name), timm.create_model(timm_name(name)).state_dict())


def test_the_rows_that_torchvision_has_take_its_weights(monkeypatch):
    """torchvision reads the values of tensors to find its widths, so that part has to run on the CPU."""
    params = torchvision.models.regnet.BlockParams
    inside = params.from_init_params

    def on_cpu(*arguments, **options):
        with torch.device("cpu"):
            return inside(*arguments, **options)

    monkeypatch.setattr(params, "from_init_params", on_cpu)
    taken = []
    for name in VARIANTS:
        theirs = getattr(torchvision.models, name.removesuffix("_torchvision"), None)
        if theirs and f"{name}_torchvision" not in VARIANTS:
            with torch.device("meta"):
                load_torchvision_state(regnet(name), theirs().state_dict())
            taken.append(name)
    assert len(taken) == 14


@pytest.mark.parametrize("library", PLACES)
@pytest.mark.parametrize("name", ["regnet_y_400mf", "regnet_x_400mf_torchvision"])
def test_every_tensor_lands_in_its_place(library, name):
    ours, theirs = pair(name, library)
    assert misplaced(ours, theirs.state_dict(), PLACES[library]) == []


@pytest.mark.parametrize("library", PLACES)
def test_exchanged_layers_are_caught(monkeypatch, library):
    monkeypatch.setattr(module, "load_state", exchanging("0.bn1", "0.bn2"))
    ours, theirs = pair("regnet_y_400mf", library)
    assert misplaced(ours, theirs.state_dict(), PLACES[library])


def test_a_misfit_is_named():
    with pytest.raises(ValueError, match="'stem.0.weight'.*missing"):
        load_timm_state(create("regnet_x_200mf", device="meta"), {})
    state = create("regnet_x_400mf_torchvision", device="meta").state_dict()
    with pytest.raises(ValueError, match=r"'layer4.0.conv1.weight'"):  # the paper's first stages would fit
        load_timm_state(create("regnet_x_400mf", device="meta"), state)
