"""torchvision's weights in MobileNetV3: every tensor has its place, and a misfit is named."""

import pytest
import torch
import torchvision

from dlbook.models import create
from dlbook.models.mobilenet_v3_weights import load_torchvision_state, torchvision_places
from dlbook.nn.state import by_layer

FULL = ("mobilenet_v3_large", "mobilenet_v3_small")


def test_rows_take_torchvisions_weights():
    for name in FULL:
        model = create(name, device="meta")
        with torch.device("meta"):
            state = getattr(torchvision.models, name)().state_dict()
        rename = by_layer(torchvision_places(model))
        assert {key: tensor.shape for key, tensor in model.state_dict().items()} == {
            rename(key): tensor.shape for key, tensor in state.items()
        }


def test_a_misfit_is_named():
    model = create("mobilenet_v3_small", device="meta")
    with torch.device("meta"):
        state = torchvision.models.mobilenet_v3_large().state_dict()
    with pytest.raises(ValueError, match="tensor 'blocks.0.squeeze_excite.reduce.weight'"):
        load_torchvision_state(model, state)
