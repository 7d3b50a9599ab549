"""Weights of timm's ResNeSts in this book's: the tensors have the same names."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.resnest import ResNeSt
from dlbook.nn.state import load_state


def load_timm_state(model: ResNeSt, state: Mapping[str, Tensor]) -> ResNeSt:
    """Copy a state dict of timm's resnest50d, 101e, 200e, 269e, 50d_1s4x24d or 50d_4s2x40d; ValueError names
    a misfit.
    """
    return load_state(model, state)
