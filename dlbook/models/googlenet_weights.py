"""torchvision's weights for GoogLeNet: its names of the tensors, translated into ours."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.googlenet import GoogLeNet
from dlbook.nn.state import load_state


def rename_torchvision(name: str) -> str:
    """Translate a name in torchvision's state dict: ``inception3a.`` is ``blocks.3a.``, ``aux1.`` is
    ``heads.4a.``.
    """
    part, _, rest = name.partition(".")
    places = {"conv1": "stem.0", "conv2": "stem.3", "conv3": "stem.4", "aux1": "heads.4a", "aux2": "heads.4d"}
    if part.startswith("inception"):
        return f"blocks.{part.removeprefix('inception')}.{rest}"
    return f"{places.get(part, part)}.{rest}"


def load_torchvision_state(model: GoogLeNet, state: Mapping[str, Tensor]) -> GoogLeNet:
    """Copy torchvision's googlenet into a row ``_torchvision``, with or without heads as the row has them.

    ValueError names the first tensor that does not fit; a row of the paper is refused.
    """
    return load_state(model, state, rename_torchvision)
