"""timm's weights for MobileNet: its names of the tensors, translated into ours."""

from collections.abc import Mapping

from torch import Tensor, nn

from dlbook.models.mobilenet_v1 import MobileNetV1
from dlbook.nn.state import load_state

# timm's stages hold 1, 2, 2, 6 and 2 blocks; ours are in one row
TIMM_DEPTHS = (1, 2, 2, 6, 2)
TIMM_LAYERS = {
    "conv_dw": "depthwise.conv",
    "bn1": "depthwise.norm",
    "conv_pw": "pointwise.conv",
    "bn2": "pointwise.norm",
}


def rename_timm(name: str) -> str:
    """Translate a name in timm's state dict: ``blocks.1.0.conv_dw.weight`` is
    ``blocks.1.depthwise.conv.weight``.
    """
    if not name.startswith("blocks."):
        return name.replace("conv_stem.", "stem.conv.").replace("bn1.", "stem.norm.")
    _, stage, block, layer, *rest = name.split(".")
    return ".".join(
        ["blocks", str(sum(TIMM_DEPTHS[: int(stage)]) + int(block)), TIMM_LAYERS.get(layer, layer), *rest]
    )


def load_timm_state(model: MobileNetV1, state: Mapping[str, Tensor]) -> MobileNetV1:
    """Copy a state dict of timm's mobilenetv1_100 into row ``mobilenet_v1_relu6``; ValueError names the first
    misfit.

    A net with ReLU is refused: every tensor would fit, but the weights were trained with ReLU6.
    """
    if model.config.activation is not nn.ReLU6:
        raise ValueError(
            "expected a model that cuts its activations at 6, as timm's does, got one with "
            f"{model.config.activation.__name__}; build mobilenet_v1_relu6"
        )
    return load_state(model, state, rename_timm)
