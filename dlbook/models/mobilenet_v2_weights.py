"""torchvision's and timm's weights for MobileNetV2: their names of the layers, translated into ours."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.mobilenet_v2 import ConvNorm, MobileNetV2
from dlbook.nn.state import by_layer, load_state

OURS = tuple(f"{layer}.{part}" for layer in ("expand", "depthwise", "project") for part in ("conv", "norm"))


def torchvision_places(model: MobileNetV2) -> dict[str, str]:
    """Return layer of torchvision's net -> layer of ours: ``features.2.conv.0.0`` is
    ``blocks.1.expand.conv``.
    """
    last = len(model.blocks) + 1
    places = {"features.0.0": "stem.conv", "features.0.1": "stem.norm", "classifier.1": "classifier"}
    places |= {f"features.{last}.0": "head.conv", f"features.{last}.1": "head.norm"}
    for index, block in enumerate(model.blocks):
        expands = isinstance(block.expand, ConvNorm)
        theirs = ("0.0", "0.1", "1.0", "1.1", "2", "3") if expands else ("0.0", "0.1", "1", "2")
        places |= {
            f"features.{index + 1}.conv.{name}": f"blocks.{index}.{own}"
            for name, own in zip(theirs, OURS[-len(theirs) :], strict=True)
        }
    return places


def timm_places(model: MobileNetV2) -> dict[str, str]:
    """Return layer of timm's net -> layer of ours: ``blocks.1.0.conv_pw`` is ``blocks.1.expand.conv``."""
    places = {"conv_stem": "stem.conv", "bn1": "stem.norm", "conv_head": "head.conv", "bn2": "head.norm"}
    positions = [
        (stage, block) for stage, (_, _, depth, _) in enumerate(model.config.stages) for block in range(depth)
    ]
    for index, (stage, position) in enumerate(positions):
        expands = isinstance(model.blocks[index].expand, ConvNorm)
        theirs = (
            ("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3")
            if expands
            else ("conv_dw", "bn1", "conv_pw", "bn2")
        )
        places |= {
            f"blocks.{stage}.{position}.{name}": f"blocks.{index}.{own}"
            for name, own in zip(theirs, OURS[-len(theirs) :], strict=True)
        }
    return places


def load_torchvision_state(model: MobileNetV2, state: Mapping[str, Tensor]) -> MobileNetV2:
    """Copy a state dict of torchvision's mobilenet_v2, of any width; ValueError names the first tensor that
    does not fit.
    """
    return load_state(model, state, by_layer(torchvision_places(model)))


def load_timm_state(model: MobileNetV2, state: Mapping[str, Tensor]) -> MobileNetV2:
    """Copy a state dict of timm's mobilenetv2_035 ... 140; ValueError names the first tensor that does not
    fit.
    """
    return load_state(model, state, by_layer(timm_places(model)))
