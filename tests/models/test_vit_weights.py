"""timm's and torchvision's weights in vision transformers: every tensor has its place, and a misfit
is named.
"""

import pytest
import timm
import torch
import torchvision
from torch import nn

from dlbook.models import create
from dlbook.models.vit import VARIANTS, VisionTransformer, vit
from dlbook.models.vit_weights import load_timm_state, load_torchvision_state, torchvision_name
from dlbook.nn.position import interpolate_positions
from tests.oracles.peers import PEERS
from tests.parity import close, randomise


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_takes_its_peer_s_weights(name):
    library, peer = PEERS[name].split("/")
    with torch.device("meta"):
        theirs = timm.create_model(peer) if library == "timm" else getattr(torchvision.models, peer)()
    rename = str if library == "timm" else torchvision_name
    shapes = {rename(key): tensor.shape for key, tensor in theirs.state_dict().items()}
    assert {key: tensor.shape for key, tensor in create(name, device="meta").state_dict().items()} == shapes


def timm_peer(resolution=(32, 64), **options) -> nn.Module:
    return randomise(timm.create_model("vit_tiny_patch16_224", num_classes=7, img_size=resolution, **options))


def ours(resolution=(32, 64), **options) -> VisionTransformer:
    return vit("vit_ti_16", num_classes=7, resolution=resolution, **options).double()


def test_another_resolution_at_load_time():
    reference = timm_peer(64)
    model = load_timm_state(ours((48, 80)), reference.state_dict())
    expected = interpolate_positions(reference.state_dict()["pos_embed"], (4, 4), (3, 5))
    assert torch.equal(model.state_dict()["pos_embed"], expected)
    images = torch.randn(2, 3, 48, 80, dtype=torch.float64)
    assert close(model(images), load_timm_state(ours(64), reference.state_dict())(images))


@pytest.mark.parametrize(
    "theirs, name",
    [
        ("encoder.layers.encoder_layer_11.mlp.linear_1.bias", "blocks.11.mlp.fc1.bias"),
        ("encoder.ln.weight", "norm.weight"),
        ("encoder.layers.encoder_layer_0.mlp.linear_2.weight", "blocks.0.mlp.fc2.weight"),
        ("heads.head.bias", "head.bias"),
    ],
)
def test_names_of_old_files(theirs, name):
    assert torchvision_name(theirs) == name


def test_a_misfit_is_named():
    model = create("vit_ti_16", device="meta")
    state = model.state_dict()
    with pytest.raises(ValueError, match=r"'head.weight' of shape \[10, 192\], got \[1000, 192\]"):
        load_timm_state(create("vit_ti_16", num_classes=10, device="meta"), state)
    with pytest.raises(ValueError, match="'cls_token'.* is missing"):
        load_torchvision_state(model, {})
    with pytest.raises(ValueError, match=r"'pos_embed' of shape \[1, 197, 192\], got \[1, 198, 192\]"):
        load_timm_state(model, state | {"pos_embed": torch.zeros(1, 198, 192)})
    with pytest.raises(ValueError, match="'dist_token'.* no place"):
        load_timm_state(model, state | {"dist_token": torch.zeros(1, 1, 192)})
