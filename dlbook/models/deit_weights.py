"""timm's weights for DeiT: its names are ours but for the two heads of a distilled row."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.deit import DeiT
from dlbook.nn.position import resized_state
from dlbook.nn.state import load_state

# timm's name -> ours, in a distilled row
HEADS = {
    "head.weight": "head.label.weight",
    "head.bias": "head.label.bias",
    "head_dist.weight": "head.teacher.weight",
    "head_dist.bias": "head.teacher.bias",
}


def load_timm_state(model: DeiT, state: Mapping[str, Tensor]) -> DeiT:
    """Copy a state dict of timm's deit_*_patch16_*; positions of another square grid are interpolated to the
    model's.

    ValueError names the first tensor that does not fit.
    """
    heads = HEADS if model.config.distilled else {}
    return load_state(
        model, resized_state(state, model.grid, model.prefix_tokens), lambda name: heads.get(name, name)
    )
