"""timm's weights in MobileNet: every tensor has its place, and a misfit is named."""

import pytest
import timm
import torch

from dlbook.models import create
from dlbook.models.mobilenet_v1_weights import load_timm_state, rename_timm


def test_takes_timms_weights():
    with torch.device("meta"):
        state = timm.create_model("mobilenetv1_100").state_dict()
    own = create("mobilenet_v1_relu6", device="meta").state_dict()
    assert {key: tensor.shape for key, tensor in own.items()} == {
        rename_timm(key): tensor.shape for key, tensor in state.items()
    }


def test_a_misfit_is_named():
    model = create("mobilenet_v1_relu6", device="meta")
    with torch.device("meta"):
        state = timm.create_model("mobilenetv1_100", num_classes=7).state_dict()
    with pytest.raises(ValueError, match="'classifier.weight' of shape .1000, 1024."):
        load_timm_state(model, state)
    with pytest.raises(ValueError, match="build mobilenet_v1_relu6"):
        load_timm_state(create("mobilenet_v1", num_classes=7, device="meta"), state)
