"""Weights of torchvision's and timm's RegNets in this book's: other names of the tensors."""

import re
from collections.abc import Mapping

from torch import Tensor

from dlbook.models.regnet import AnyNet
from dlbook.nn.state import load_state

TORCHVISION = {  # their part of a name: ours
    "f.a.0.": "conv1.",
    "f.a.1.": "bn1.",
    "f.b.0.": "conv2.",
    "f.b.1.": "bn2.",
    "f.c.0.": "conv3.",
    "f.c.1.": "bn3.",
    "f.se.fc1": "se.reduce",
    "f.se.fc2": "se.expand",
}
TIMM = {
    "stem.conv": "stem.0",
    "stem.bn": "stem.1",
    "downsample.conv": "proj.0",
    "downsample.bn": "proj.1",
    "head.": "",
    "conv1.conv.": "conv1.",
    "conv1.bn.": "bn1.",
    "conv2.conv.": "conv2.",
    "conv2.bn.": "bn2.",
    "conv3.conv.": "conv3.",
    "conv3.bn.": "bn3.",
    "se.fc1": "se.reduce",
    "se.fc2": "se.expand",
}


def exchange(name: str, table: Mapping[str, str]) -> str:
    """Return the name with each part that the table has in another library's spelling replaced by ours."""
    for theirs, ours in table.items():
        name = name.replace(theirs, ours)
    return name


def from_torchvision(name: str) -> str:
    """Return the name of one of torchvision's tensors in ``regnet.py``."""
    name = re.sub(r"^trunk_output\.block(\d+)\.block\d+-(\d+)", r"layer\1.\2", name)
    return exchange(name, TORCHVISION)


def from_timm(name: str) -> str:
    """Return the name of one of timm's tensors in ``regnet.py``."""
    name = re.sub(r"^s(\d+)\.b(\d+)", lambda found: f"layer{found[1]}.{int(found[2]) - 1}", name)
    return exchange(name, TIMM)


def load_torchvision_state(model: AnyNet, state: Mapping[str, Tensor]) -> AnyNet:
    """Copy a state dict of torchvision's regnet_x_400mf ... regnet_y_32gf; ValueError names the first tensor
    that does not fit.
    """
    return load_state(model, state, from_torchvision)


def load_timm_state(model: AnyNet, state: Mapping[str, Tensor]) -> AnyNet:
    """Copy a state dict of timm's regnetx_002 ... regnety_320; ValueError names the first tensor that does
    not fit.
    """
    return load_state(model, state, from_timm)
