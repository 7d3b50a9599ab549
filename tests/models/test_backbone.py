"""Every row of the zoo keeps the contract of ``dlbook/models/backbone.py``.

Shapes and widths are asked of every row on the meta device, where nothing is computed; the numbers of the
smallest row of each family.
"""

import copy

import pytest
import torch
from torch import nn

from dlbook.measure.feature_maps import feature_maps
from dlbook.models import FAMILIES, create, variants
from dlbook.models.backbone import Backbone
from tests.models.test_zoo_sweep import smallest
from tests.zoo import sweep

NO_FUNCTION_OF_FEATURES = {"nin_cifar"}  # rule 3 of the contract: a ReLU and a mean after the last layer
SMALL = [*map(smallest, FAMILIES), "deit_ti_distilled", "googlenet"]  # with the rows of several heads


def check_backbone(model: nn.Module, images: torch.Tensor) -> list[str]:
    """What of the contract a network in evaluation mode does not keep, for images on its device."""
    wanted = ("last_layer", "num_features", "stages", "represent")
    if lacking := [name for name in wanted if not hasattr(model, name)]:
        return [f"has no {name}" for name in lacking]
    found = [] if isinstance(model, Backbone) else ["is no Backbone"]
    last = model.get_submodule(model.last_layer)
    if not all(isinstance(stage, nn.Module) for stage in model.stages):
        found.append("a stage is no module")
    read: list[torch.Tensor] = []
    hook = last.register_forward_pre_hook(lambda layer, inputs: read.append(inputs[0]))
    with torch.no_grad():
        model(images)
        hook.remove()
        features = model.represent(images)
    seen = read[0].mean(dim=(2, 3)) if read[0].ndim == 4 else read[0]  # rule 3
    if tuple(features.shape) != (len(images), model.num_features):
        found.append(f"represent gives {tuple(features.shape)}, num_features is {model.num_features}")
    elif features.shape != seen.shape:
        found.append(f"the last layer reads {tuple(seen.shape)}, represent gives {tuple(features.shape)}")
    elif features.device.type != "meta" and not torch.equal(features, seen):
        found.append("represent is not what the last layer reads")
    return found


def check_last_layer(model: nn.Module, images: torch.Tensor) -> list[str]:
    """Whether forward is the last layer of represent, bit for bit, and nothing after it, in evaluation."""
    last, parts = model.get_submodule(model.last_layer), model.last_layer.split(".")
    with torch.no_grad():
        features, logits = model.represent(images), model(images)
        found = [] if torch.equal(last(features), logits) else ["forward is not the last layer of represent"]
        bare = copy.deepcopy(model)
        setattr(bare.get_submodule(".".join(parts[:-1])), parts[-1], nn.Identity())
        if not torch.equal(bare(images), features):
            found.append("without its last layer the network does not give its features")
    return found


@pytest.mark.parametrize("name", variants())
def test_every_row_on_meta(name):
    assert check_backbone(sweep.on_meta(name), sweep.images(name, device="meta")) == []


@pytest.mark.parametrize("name", SMALL)
def test_numbers_of_a_small_row(name):
    model, images = sweep.settled(name), sweep.images(name)
    assert check_backbone(model, images) == []
    if name not in NO_FUNCTION_OF_FEATURES:
        assert check_last_layer(model, images) == []


@pytest.mark.parametrize("name", ["resnet20_cifar", "perceptron"])
def test_create_builds_on_the_device_that_is_named(name):
    assert {p.device.type for p in create(name, device="meta").parameters()} == {"meta"}
    assert {p.device.type for p in create(name, device="cpu").parameters()} == {"cpu"}
    with torch.device("meta"):
        assert {p.device.type for p in create(name).parameters()} == {"meta"}


@pytest.mark.parametrize("name", SMALL)
def test_every_stage_runs_once_and_gives_a_map(name):
    model = sweep.on_meta(name)
    if not len(model.stages):
        assert variants()[name] in ("perceptron", "mlp")
        return
    maps = feature_maps(model, sweep.images(name, device="meta"))
    axes = 3 if variants()[name] in ("vit", "deit") else 4  # tokens, or maps
    assert [x.ndim for x in maps] == [axes] * (len(model.stages) + 1)


class Net(nn.Module):
    """A small backbone; `fault` is what is wrong with it."""

    last_layer = "head"

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.stages = (nn.Conv2d(3, 4, 3),)
        self.conv, self.norm, self.head = self.stages[0], nn.LayerNorm(4), nn.Linear(4, 10)
        self.num_features = 8 if fault == "width" else 4
        if fault == "module":
            self.stages = ("conv",)

    def represent(self, images):
        x = self.conv(images).mean((2, 3))
        return x if self.fault == "norm" else self.norm(x)

    def forward(self, images):
        logits = self.head(self.norm(self.conv(images).mean((2, 3))))
        return logits.relu() if self.fault == "after" else logits


FAULTS = {
    "width": "num_features is 8",
    "module": "a stage is no module",
    "norm": "represent is not what the last layer reads",
    "after": "forward is not the last layer of represent",
}


@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_the_checks_catch(fault):
    torch.manual_seed(0)
    model, images = Net(fault).eval(), torch.randn(2, 3, 8, 8)
    told = check_backbone(model, images) or check_last_layer(model, images)
    assert (FAULTS[fault] in " ".join(told)) if fault else told == []


def test_a_network_without_the_names_is_caught():
    told = check_backbone(nn.Linear(2, 3), torch.zeros(1, 2))
    assert told == ["has no last_layer", "has no num_features", "has no stages", "has no represent"]
