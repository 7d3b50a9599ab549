"""Weights of timm's SE-ResNets in this book's: other names of the tensors."""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.senet import SEResNet
from dlbook.nn.state import load_state


def from_timm(name: str) -> str:
    """Return the name of a tensor of timm's seresnet or legacy_seresnet in this file."""
    name = name.removeprefix("layer0.").replace("last_linear.", "fc.").replace(".se_module.", ".se.")
    return name.replace(".se.fc1.", ".se.reduce.").replace(".se.fc2.", ".se.expand.")


def load_timm_state(model: SEResNet, state: Mapping[str, Tensor]) -> SEResNet:
    """Copy a state dict of timm's seresnet50, 101, 152 (rows ``_v1_5``) or legacy_seresnet50, 101, 152 (rows
    ``_caffe``).

    All or nothing.

    Raises:
        ValueError: if a tensor does not fit (it names the first), and for a row whose strides or pooling the
            weights were not trained with, although every tensor would fit: only timm's legacy state has names
            that begin with ``layer0``.
    """
    legacy = any(name.startswith("layer0.") for name in state)
    peer, row, needed = (
        ("legacy_seresnet", "_caffe", ("1x1", "ceil")) if legacy else ("seresnet", "_v1_5", ("3x3", "padded"))
    )
    if (model.config.stride_on, model.config.pool) != needed:
        raise ValueError(
            f"expected a row with strides on the {needed[0]} convolution and {needed[1]} pooling, as "
            f"timm's {peer} has them, got {model.config.stride_on} and {model.config.pool}; build a row {row}"
        )
    return load_state(model, state, from_timm)
