"""torchvision's weights in GoogLeNet: every tensor has its place, and a misfit is named."""

import sys

import pytest
import torch
import torchvision

from dlbook.models import create
from dlbook.models.googlenet_weights import load_torchvision_state, rename_torchvision

peer = sys.modules[torchvision.models.GoogLeNet.__module__]  # torchvision.models.googlenet is a function


@pytest.mark.parametrize("heads", [True, False])
def test_rows_take_torchvisions_weights(heads):
    with torch.device("meta"):
        state = peer.GoogLeNet(aux_logits=heads, init_weights=False).state_dict()
    own = create(
        "googlenet_torchvision" if heads else "googlenet_torchvision_no_heads", device="meta"
    ).state_dict()
    assert {key: tensor.shape for key, tensor in own.items()} == {
        rename_torchvision(key): tensor.shape for key, tensor in state.items()
    }


def test_a_misfit_is_named():
    model = create("googlenet", device="meta")
    with torch.device("meta"):
        state = peer.GoogLeNet(init_weights=False).state_dict()
    with pytest.raises(ValueError, match="stem.0.conv.bias"):
        load_torchvision_state(model, state)
    with pytest.raises(ValueError, match="'heads.4a.conv.conv.weight', which has no place"):
        load_torchvision_state(create("googlenet_torchvision_no_heads", device="meta"), state)
