"""torchvision's weights in VGG: every tensor has its place, and a misfit is named."""

import pytest
import torch
import torchvision

from dlbook.models import create
from dlbook.models.vgg import vgg
from dlbook.models.vgg_weights import load_torchvision_state

TORCHVISION = ("vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn")


def test_every_torchvision_row_takes_its_weights():
    for name in TORCHVISION:
        with torch.device("meta"):
            state = getattr(torchvision.models, name)().state_dict()
        own = create(name, device="meta").state_dict()
        assert {key: tensor.shape for key, tensor in own.items()} == {
            key: tensor.shape for key, tensor in state.items()
        }


def test_a_misfit_is_named():
    with pytest.raises(ValueError, match="features.0.weight"):
        load_torchvision_state(vgg("vgg11", num_classes=2), {})
