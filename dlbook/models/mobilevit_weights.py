"""timm's weights for MobileViT: its names of the layers, translated into ours."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.mobilevit import MobileViT
from dlbook.nn.state import load_state

# timm's name of a submodule -> ours
NAMES = {
    "conv1_1x1": "expand",
    "conv2_kxk": "depthwise",
    "conv3_1x1": "project",
    "conv_kxk": "local",
    "conv_1x1": "widen",
    "conv_proj": "narrow",
    "conv_fusion": "fuse",
    "final_conv": "last",
    "fc": "",
}


def timm_name(name: str) -> str:
    """Translate the name of one of timm's tensors."""
    return ".".join(filter(None, (NAMES.get(part, part) for part in name.split("."))))


def load_timm_state(model: MobileViT, state: Mapping[str, Tensor]) -> MobileViT:
    """Copy a state dict of timm's mobilevit_xxs, _xs or _s; ValueError names the first tensor that does not
    fit.
    """
    return load_state(model, state, timm_name)
