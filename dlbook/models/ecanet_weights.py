"""Weights of timm's ResNets with efficient channel attention in this book's: other names of the tensors."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.ecanet import ECAResNet
from dlbook.nn.state import load_state


def from_timm(name: str) -> str:
    """Return the name of a tensor of timm's ResNet with ``attn_layer="eca"`` in this file."""
    return name.replace(".se.", ".eca.")


def load_timm_state(model: ECAResNet, state: Mapping[str, Tensor]) -> ECAResNet:
    """Copy a state dict of timm's resnet18 ... resnet152 made with ``block_args={"attn_layer": "eca"}``.

    All or nothing; ValueError names the first tensor that does not fit.
    """
    return load_state(model, state, from_timm)
