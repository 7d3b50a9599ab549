"""`feature_maps` against a network run by hand, stage by stage."""

import pytest
import torch
from torch import nn

from dlbook.measure.feature_maps import feature_maps
from dlbook.models import create


class Net(nn.Module):
    """A stem and two stages."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.stages = nn.ModuleList([nn.Conv2d(4, 8, 3, 2), nn.Conv2d(8, 6, 3)])

    def forward(self, images):
        x = self.stem(images)
        for stage in self.stages:
            x = stage(x)
        return x.mean((2, 3))


def by_hand(model, images):
    """What enters the first stage, and what each stage gives."""
    maps = [model.run_stem(images) if hasattr(model, "run_stem") else model.stem(images)]
    for stage in model.stages:
        maps.append(stage(maps[-1]))
    return maps


@pytest.mark.parametrize("name", ["", "resnet20_cifar", "preact_resnet20_cifar", "wrn16_8", "regnet_x_200mf"])
def test_maps_are_those_by_hand(name):
    torch.manual_seed(0)
    model, images = (create(name) if name else Net()).eval(), torch.randn(2, 3, 32, 40)
    with torch.no_grad():
        found, expected = feature_maps(model, images), by_hand(model, images)
    assert len(found) == len(expected) == len(model.stages) + 1
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_gradients_flow_and_no_hook_is_left():
    model, images = Net(), torch.randn(2, 3, 9, 9, requires_grad=True)
    feature_maps(model, images)[1].sum().backward()
    assert images.grad.abs().sum() > 0 and model.stages[1].weight.grad is None
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_hooks_go_when_the_network_fails():
    model = Net()
    with pytest.raises(RuntimeError):
        feature_maps(model, torch.zeros(1, 5, 9, 9))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_errors_name_the_fault():
    with pytest.raises(ValueError, match="expected a network with stages, got Linear"):
        feature_maps(nn.Linear(2, 3), torch.zeros(1, 2))
    model = Net()
    model.stages.append(model.stages[0])
    model.forward = lambda images: model.stages[0](model.stem(images))
    with pytest.raises(ValueError, match="stages to run once"):
        feature_maps(model, torch.zeros(1, 3, 9, 9))
