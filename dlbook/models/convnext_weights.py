"""torchvision's and timm's weights for ConvNeXt: their names of the tensors, translated into ours."""

import re
from collections.abc import Mapping

from torch import Tensor

from dlbook.models.convnext import ConvNeXt
from dlbook.nn.state import load_state


def load_torchvision_state(model: ConvNeXt, state: Mapping[str, Tensor]) -> ConvNeXt:
    """Copy a state dict of torchvision's convnext_tiny ... convnext_large; ValueError names the first tensor
    that does not fit.
    """
    table = {
        "block.0": "depthwise",
        "block.2": "norm",
        "block.3": "expand",
        "block.5": "project",
        "layer_scale": "gamma",
    }
    table |= {"classifier.0": "norm", "classifier.2": "fc"}

    def rename(name: str) -> str:
        for theirs, ours in table.items():
            name = name.replace(theirs, ours)
        name = name.replace(
            "features.0.", "stem."
        )  # then by turns blocks (odd) and a downsampling layer (even)
        name = re.sub(r"^features\.(\d*[13579])\.", lambda found: f"stages.{int(found[1]) // 2}.", name)
        return re.sub(r"^features\.(\d+)\.", lambda found: f"downsample.{int(found[1]) // 2}.", name)

    flat = {
        name: tensor.flatten() if name.endswith("layer_scale") else tensor for name, tensor in state.items()
    }  # [C, 1, 1] -> [C]
    return load_state(model, flat, rename)


def load_timm_state(model: ConvNeXt, state: Mapping[str, Tensor]) -> ConvNeXt:
    """Copy a state dict of timm's convnext_tiny ... convnext_xlarge; ValueError names the first tensor that
    does not fit.
    """
    table = {"conv_dw": "depthwise", "mlp.fc1": "expand", "mlp.fc2": "project", "blocks.": "", "head.": ""}

    def rename(name: str) -> str:
        for theirs, ours in table.items():
            name = name.replace(theirs, ours)
        return re.sub(r"^stages\.(\d+)\.downsample", r"downsample.\1", name)

    return load_state(model, state, rename)
