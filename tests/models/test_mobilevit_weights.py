"""timm's weights in MobileViT: every tensor has its place, and a misfit is named."""

import pytest
import timm
import torch

from dlbook.models import create
from dlbook.models.mobilevit import (
    VARIANTS,
)
from dlbook.models.mobilevit_weights import load_timm_state, timm_name
from tests.oracles.peers import PEERS


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_takes_its_peer_s_weights(name):
    with torch.device("meta"):
        theirs = timm.create_model(PEERS[name].removeprefix("timm/")).state_dict()
    own = create(name, device="meta").state_dict()
    assert {key: tensor.shape for key, tensor in own.items()} == {
        timm_name(key): tensor.shape for key, tensor in theirs.items()
    }


def test_a_misfit_is_named():
    model = create("mobilevit_xs", device="meta")
    with torch.device("meta"):
        state = timm.create_model("mobilevit_s").state_dict()
    with pytest.raises(
        ValueError,
        match=r"'stages.1.0.project.conv.weight' of shape \[48, 128, 1, 1\], got \[64,",
    ):
        load_timm_state(model, state)
    with pytest.raises(ValueError, match="'stem.conv.weight'.* is missing"):
        load_timm_state(model, {})
