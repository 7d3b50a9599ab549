"""torchvision's weights for MobileNetV3: its names of the layers, translated into ours."""

from collections.abc import Mapping

from torch import Tensor, nn

from dlbook.models.mobilenet_v3 import MobileNetV3
from dlbook.nn.state import by_layer, load_state


def torchvision_places(model: MobileNetV3) -> dict[str, str]:
    """Return layer of torchvision's net -> layer of ours: ``features.4.block.2.fc1`` is
    ``blocks.3.squeeze_excite.reduce``.
    """
    places = {"features.0": "stem", f"features.{len(model.blocks) + 1}": "head"}
    for index, block in enumerate(model.blocks):
        parts = [name for name, part in block.named_children() if not isinstance(part, nn.Identity)]
        places |= {
            f"features.{index + 1}.block.{number}": f"blocks.{index}.{part}"
            for number, part in enumerate(parts)
        }
    parts = {"0": "conv", "1": "norm", "fc1": "reduce", "fc2": "expand"}
    return {
        f"{theirs}.{key}": f"{own}.{part}" for theirs, own in places.items() for key, part in parts.items()
    }


def load_torchvision_state(model: MobileNetV3, state: Mapping[str, Tensor]) -> MobileNetV3:
    """Copy a state dict of torchvision's mobilenet_v3_large or _small; ValueError names the first tensor that
    does not fit.
    """
    return load_state(model, state, by_layer(torchvision_places(model)))
