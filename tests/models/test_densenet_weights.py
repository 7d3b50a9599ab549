"""torchvision's weights in DenseNet: every tensor has its place, and a misfit is named."""

import pytest
import torch
import torchvision

from dlbook.models import create
from dlbook.models.densenet_weights import load_torchvision_state, rename_torchvision

TORCHVISION = ("densenet121", "densenet169", "densenet201", "densenet161")


def test_every_torchvision_row_takes_its_weights():
    for name in TORCHVISION:
        with torch.device("meta"):
            state = getattr(torchvision.models, name)().state_dict()
        own = create(name, device="meta").state_dict()
        assert {key: tensor.shape for key, tensor in own.items()} == {
            key: tensor.shape for key, tensor in state.items()
        }


def test_names_of_torchvisions_published_files():
    assert (
        rename_torchvision("features.denseblock1.denselayer2.conv.2.weight")
        == "features.denseblock1.denselayer2.conv2.weight"
    )
    assert (
        rename_torchvision("features.denseblock1.denselayer2.conv2.weight")
        == "features.denseblock1.denselayer2.conv2.weight"
    )
    assert rename_torchvision("features.transition1.norm.weight") == "features.transition1.norm.weight"


def test_a_misfit_is_named():
    model = create("densenet121", device="meta")
    with torch.device("meta"):
        state = torchvision.models.densenet169().state_dict()
    with pytest.raises(ValueError, match="features.transition3.norm.weight"):
        load_torchvision_state(model, state)
