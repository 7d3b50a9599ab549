"""torchvision's weights for AlexNet; its names of the tensors are ours."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.alexnet import AlexNet
from dlbook.nn.state import load_state


def load_torchvision_state(model: AlexNet, state: Mapping[str, Tensor]) -> AlexNet:
    """Copy torchvision's alexnet into row ``alexnet_owt``; ValueError names the first tensor that does not
    fit.
    """
    return load_state(model, state)
