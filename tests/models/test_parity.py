"""Every row that torchvision or timm has: one call, `load_weights`, takes the weights of the library or names
the misfit, and with equal weights both compute the same.

The smallest row of each family is compared here, in float64: logits, gradients of the images, state after a
step, evaluation and training. `python scripts/check_zoo.py` compares them all.
"""

from importlib import import_module

import pytest
import torch
import torchvision
from torch import nn

from dlbook.models import create, load_weights, variants
from tests.oracles.peers import PEERS
from tests.zoo import imports

# 133 million weights, twice, in float64: test_vgg.py compares rows with fewer hidden units
ELSEWHERE = ("vgg",)


def smallest_rows() -> list[str]:
    """Of each family the row with a peer that comes first in `PEERS`, which lists them by size."""
    first = {}
    for name in PEERS:
        first.setdefault(variants()[name], name)
    return [name for family, name in first.items() if family not in ELSEWHERE]


@pytest.mark.parametrize("name", PEERS)
def test_the_library_s_weights_fit_and_a_misfit_is_named(name):
    assert imports.check_import(name) == []


@pytest.mark.parametrize("name", smallest_rows())
def test_equal_weights_compute_the_same(name):
    assert imports.check_parity(name) == []


def test_the_error_says_of_each_library_why_its_weights_do_not_fit():
    state = torchvision.models.resnet18(num_classes=7).state_dict()
    with pytest.raises(
        ValueError, match=r"as torchvision's: expected the tensor 'fc.weight' of shape \[10, 512\]"
    ):
        load_weights(create("resnet18", num_classes=10), state)
    with pytest.raises(
        ValueError, match=r"as torchvision's: .*'stem.1.weight'.*; as timm's: .*'stem.1.weight'"
    ):
        load_weights(create("regnet_x_200mf"), {"stem.0.weight": state["conv1.weight"][:32, :, :3, :3]})
    with pytest.raises(ValueError, match="build a _v1_5 row"):
        load_weights(create("resnet50", device="meta"), torchvision.models.resnet50().state_dict())


@pytest.mark.parametrize("model", [nn.Linear(2, 3), create("perceptron")])
def test_a_network_of_no_library_is_told_so(model):
    with pytest.raises(ValueError, match="no library has this network"):
        load_weights(model, {})


def test_nothing_is_copied_unless_everything_fits():
    model, state = create("regnet_x_200mf"), create("regnet_x_200mf").state_dict()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError):
        load_weights(model, {name: tensor for name, tensor in state.items() if not name.startswith("fc")})
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_loader_that_copies_as_far_as_it_can_is_caught(monkeypatch):
    weights = import_module("dlbook.models.resnet_weights")

    def careless(model, state):
        model.load_state_dict({k: v for k, v in state.items() if k in model.state_dict()}, strict=False)
        return model

    monkeypatch.setattr(weights, "load_torchvision_state", careless)
    assert imports.check_import("resnet18") != []
