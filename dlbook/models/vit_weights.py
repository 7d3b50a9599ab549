"""timm's and torchvision's weights for vision transformers. timm's names of the tensors are ours."""

import re
from collections.abc import Mapping

from torch import Tensor

from dlbook.models.vit import VisionTransformer
from dlbook.nn.position import resized_state
from dlbook.nn.state import load_state

# torchvision's name -> ours, in this order; old files call the MLP's layers linear_1 and linear_2
NAMES = {
    r"^class_token": "cls_token",
    r"^conv_proj": "patch_embed.proj",
    r"^encoder\.pos_embedding": "pos_embed",
    r"^encoder\.ln": "norm",
    r"^encoder\.layers\.encoder_layer_": "blocks.",
    r"\.ln_": ".norm",
    r"\.self_attention\.in_proj_": ".attn.qkv.",
    r"\.self_attention\.out_proj": ".attn.proj",
    r"\.mlp\.(0|linear_1)\.": ".mlp.fc1.",
    r"\.mlp\.(3|linear_2)\.": ".mlp.fc2.",
    r"^heads\.": "",
}


def load_timm_state(model: VisionTransformer, state: Mapping[str, Tensor]) -> VisionTransformer:
    """Copy a state dict of timm's vit_* with class token and linear head, at any square resolution.

    Positions of another grid are interpolated to the model's. ValueError names the first tensor that does not
    fit.
    """
    return load_state(model, resized_state(state, model.grid, model.prefix_tokens))


def load_torchvision_state(model: VisionTransformer, state: Mapping[str, Tensor]) -> VisionTransformer:
    """Copy a state dict of torchvision's vit_b_16 ... vit_h_14, else as `load_timm_state`."""
    return load_timm_state(model, {torchvision_name(name): tensor for name, tensor in state.items()})


def torchvision_name(name: str) -> str:
    """Translate the name of one of torchvision's tensors."""
    for theirs, ours in NAMES.items():
        name = re.sub(theirs, ours, name)
    return name
