"""Weights of torchvision's wide ResNets in this book's: the tensors have the same names."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.wide_resnet import WideBottleneckResNet
from dlbook.nn.state import load_state


def load_torchvision_state(model: WideBottleneckResNet, state: Mapping[str, Tensor]) -> WideBottleneckResNet:
    """Copy a state dict of torchvision's wide_resnet50_2 or 101_2; all or nothing; ValueError names the first
    misfit.
    """
    return load_state(model, state)
