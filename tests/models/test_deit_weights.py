"""timm's weights in DeiT: every tensor has its place, and a misfit is named."""

import pytest
import timm
import torch

from dlbook.models import create
from dlbook.models.deit import VARIANTS
from dlbook.models.deit_weights import HEADS, load_timm_state
from tests.oracles.peers import PEERS


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_takes_its_peer_s_weights(name):
    with torch.device("meta"):
        theirs = timm.create_model(PEERS[name].removeprefix("timm/")).state_dict()
    rename = HEADS if VARIANTS[name].distilled else {}
    assert {key: tensor.shape for key, tensor in create(name, device="meta").state_dict().items()} == {
        rename.get(key, key): tensor.shape for key, tensor in theirs.items()
    }


def test_a_misfit_is_named():
    model = create("deit_ti_distilled", device="meta")
    with pytest.raises(ValueError, match="'dist_token'.* is missing"):
        load_timm_state(model, create("deit_ti", device="meta").state_dict())
    plain = create("deit_ti", device="meta")
    with pytest.raises(ValueError, match="'dist_token'.* no place"):
        load_timm_state(plain, plain.state_dict() | {"dist_token": torch.zeros(1, 1, 192)})
