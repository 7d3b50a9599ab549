"""torchvision's weights for DenseNet: the names of its published files, translated into ours."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.densenet import DenseNet
from dlbook.nn.state import load_state


def rename_torchvision(name: str) -> str:
    """Translate a name of torchvision's published files: ``denselayer1.norm.1.weight`` there is
    ``norm1.weight``; all other names are ours.
    """
    parts = name.split(".")
    if len(parts) == 6 and parts[3] in ("norm", "conv") and parts[4] in "12":
        return ".".join([*parts[:3], parts[3] + parts[4], parts[5]])
    return name


def load_torchvision_state(model: DenseNet, state: Mapping[str, Tensor]) -> DenseNet:
    """Copy a state dict of torchvision's densenet121 ... 201; ValueError names the first tensor that does not
    fit.
    """
    return load_state(model, state, rename_torchvision)
