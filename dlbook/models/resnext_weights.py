"""Weights of torchvision's and timm's ResNeXts in this book's: the tensors have the same names."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.resnext import ResNeXt
from dlbook.nn.state import load_state


def load_torchvision_state(model: ResNeXt, state: Mapping[str, Tensor]) -> ResNeXt:
    """Copy a state dict of torchvision's resnext50_32x4d ... 101_64x4d; all or nothing; ValueError names the
    first misfit.
    """
    return load_state(model, state)


def load_timm_state(model: ResNeXt, state: Mapping[str, Tensor]) -> ResNeXt:
    """Copy a state dict of timm's resnext rows, whose tensors have the same names."""
    return load_state(model, state)
