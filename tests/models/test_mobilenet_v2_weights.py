"""torchvision's and timm's weights in MobileNetV2: every tensor has its place, and a misfit is named."""

import pytest
import timm
import torch
import torchvision

from dlbook.models import create
from dlbook.models.mobilenet_v2 import VARIANTS
from dlbook.models.mobilenet_v2_weights import (
    load_timm_state,
    load_torchvision_state,
    timm_places,
    torchvision_places,
)
from dlbook.nn.state import by_layer

TIMM = {
    name: f"mobilenetv2_{name.removeprefix('mobilenet_v2').removeprefix('_') or '100'}" for name in VARIANTS
}


def shapes(state, rename=str):
    return {rename(key): tensor.shape for key, tensor in state.items()}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_takes_torchvisions_and_timms_weights(name):
    model = create(name, device="meta")
    with torch.device("meta"):
        theirs, timms = (
            torchvision.models.mobilenet_v2(width_mult=VARIANTS[name].width),
            timm.create_model(TIMM[name]),
        )
    assert shapes(model.state_dict()) == shapes(theirs.state_dict(), by_layer(torchvision_places(model)))
    assert shapes(model.state_dict()) == shapes(timms.state_dict(), by_layer(timm_places(model)))


def test_a_misfit_is_named():
    model = create("mobilenet_v2", device="meta")
    with torch.device("meta"):
        state = torchvision.models.mobilenet_v2(width_mult=0.5).state_dict()
    with pytest.raises(ValueError, match="'stem.conv.weight' of shape .32, 3, 3, 3., got .16, 3, 3, 3."):
        load_torchvision_state(model, state)
    with pytest.raises(ValueError, match="'blocks.0.depthwise.conv.weight' of shape"):
        load_timm_state(
            model, {key: tensor for key, tensor in model.state_dict().items() if key.startswith("stem")}
        )
