"""torchvision's weights for VGG; its names of the tensors are ours."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.vgg import VGG
from dlbook.nn.state import load_state


def load_torchvision_state(model: VGG, state: Mapping[str, Tensor]) -> VGG:
    """Copy a state dict of torchvision's vgg11 ... vgg19_bn; ValueError names the first tensor that does not
    fit.
    """
    return load_state(model, state)
