"""A network for shifted and scaled values sees (images - mean) / std."""

import pytest
import torch

from dlbook.models import create
from dlbook.models.backbone import Backbone
from dlbook.recipes.run import normalised as module
from dlbook.recipes.run.normalised import Normalised
from tests import seeded


def test_the_network_sees_the_shifted_and_scaled_values():
    images = torch.rand(2, 3, 4, 4)
    seen = Normalised(torch.nn.Identity(), 127 / 255, 128 / 255)(images)
    torch.testing.assert_close(seen, (images * 255 - 127) / 128)


def test_each_channel_has_its_own_and_the_state_dict_has_none_of_them():
    images = torch.rand(2, 3, 4, 4)
    model = Normalised(torch.nn.Conv2d(3, 1, 1), (0.1, 0.2, 0.3), [1.0, 2.0, 4.0])
    expected = torch.stack([images[:, 0] - 0.1, (images[:, 1] - 0.2) / 2, (images[:, 2] - 0.3) / 4], dim=1)
    torch.testing.assert_close(model(images), model.model(expected))
    assert list(model.state_dict()) == ["model.weight", "model.bias"]
    assert (model.mean, model.std) == ((0.1, 0.2, 0.3), (1.0, 2.0, 4.0))


def check_contract(kind):
    """It says of itself what a backbone says, and its last layer reads what it represents."""
    torch.manual_seed(0)
    model = kind(create("resnet20_cifar", num_classes=4), 0.5, 0.25).double().eval()
    images = torch.rand(2, 3, 32, 32, dtype=torch.float64)
    assert isinstance(model, Backbone) and list(model.stages) == list(model.model.stages)
    features = model.represent(images)
    assert features.shape == (2, model.num_features)
    torch.testing.assert_close(model.get_submodule(model.last_layer)(features), model(images))


def test_it_keeps_the_contract_of_a_backbone():
    check_contract(Normalised)


FAULTS = {  # fault -> old, new
    "represents what it was given": (
        "self.model.represent(self._normalise(images))",
        "self.model.represent(images)",
    ),
    "the name inside": ('f"model.{self.model.last_layer}"', "self.model.last_layer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    with pytest.raises((AssertionError, AttributeError)):
        check_contract(seeded.edited(module, *FAULTS[fault])["Normalised"])
