"""torchvision's and timm's weights in ConvNeXt: every tensor has its place, and a misfit is named."""

import pytest
import timm
import torch
import torchvision

from dlbook.models import create
from dlbook.models.convnext import VARIANTS, convnext
from dlbook.models.convnext_weights import load_timm_state, load_torchvision_state

TORCHVISION = {
    "convnext_t": "convnext_tiny",
    "convnext_s": "convnext_small",
    "convnext_b": "convnext_base",
    "convnext_l": "convnext_large",
}


TIMM = TORCHVISION | {"convnext_xl": "convnext_xlarge"}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_takes_the_libraries_weights(name):
    with torch.device("meta"):
        load_timm_state(convnext(name), timm.create_model(TIMM[name]).state_dict())
        if name in TORCHVISION:
            load_torchvision_state(
                convnext(name), getattr(torchvision.models, TORCHVISION[name])().state_dict()
            )


def test_a_misfit_is_named():
    model = create("convnext_t", device="meta")
    with torch.device("meta"):
        small = torchvision.models.convnext_small().state_dict()
    with pytest.raises(ValueError, match=r"'stages.2.9.gamma', which has no place"):
        load_torchvision_state(model, small)
    with pytest.raises(
        ValueError,
        match=r"'stem.0.weight' of shape \[128, 3, 4, 4\], got \[96, 3, 4, 4\]",
    ):
        load_torchvision_state(create("convnext_b", device="meta"), small)
    with pytest.raises(ValueError, match="'stem.0.weight'.*missing"):
        load_timm_state(model, {})
