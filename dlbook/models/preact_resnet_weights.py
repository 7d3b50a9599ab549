"""Weights of timm's pre-activated ResNets in this book's: other names of the tensors."""

import re
from collections.abc import Mapping

from torch import Tensor

from dlbook.models.preact_resnet import BottleneckUnit, PreActResNet, TimmBottleneckUnit
from dlbook.nn.state import load_state


def from_timm(name: str) -> str:
    """Return the name of one of timm's tensors in ``preact_resnet.py``."""
    name = re.sub(r"^stages\.(\d+)\.blocks", lambda found: f"layer{int(found[1]) + 1}", name)
    name = name.replace("stem.conv.", "conv1.").replace("downsample.conv.", "downsample.")
    return name.replace("head.fc.", "fc.")


def load_timm_state(model: PreActResNet, state: Mapping[str, Tensor]) -> PreActResNet:
    """Copy a state dict of timm's resnetv2_18 ... resnetv2_152; all or nothing; ValueError names the first
    misfit.

    The paper's bottleneck rows are refused: their stride stands elsewhere. timm's classifier is a 1x1
    convolution.
    """
    unit = model.config.unit
    strides_differ = issubclass(unit, BottleneckUnit) and not issubclass(unit, TimmBottleneckUnit)
    if model.config.stem != "timm" or strides_differ:
        raise ValueError(
            "expected a row resnetv2_18 ... resnetv2_152, which pools before the first BN and strides "
            f"on the 3x3 convolution as timm's does, got the stem {model.config.stem!r} and "
            f"{unit.__name__}; build such a row"
        )
    return load_state(
        model, {name: t.flatten(1) if name == "head.fc.weight" else t for name, t in state.items()}, from_timm
    )
