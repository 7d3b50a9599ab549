"""Copy weights of another library into a model: all of them, or none with the first that does not fit named.

>>> from torch import nn
>>> load_state(nn.Linear(2, 3), {"weight": nn.Linear(2, 4).weight})  # doctest: +ELLIPSIS
Traceback (most recent call last):
ValueError: expected the tensor 'weight' of shape [3, 2], got [4, 2] in the state dict; choose...
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)


def load_state(model: Model, state: Mapping[str, Tensor], rename: Callable[[str], str] = str) -> Model:
    """Copy a state dict into `model`, in place, and return the model; nothing is copied unless everything
    fits.

    Args:
        rename: from a name in `state` to the model's own name. ``num_batches_tracked`` may be missing: old
            files lack that counter, and it does not enter the computation.

    Raises:
        ValueError: if a tensor is missing, of another shape or left over; it names the first.
    """
    given = {rename(name): tensor for name, tensor in state.items()}
    own = model.state_dict()
    for name, tensor in own.items():
        if name not in given:
            if name.endswith("num_batches_tracked"):
                continue
            raise ValueError(
                f"expected the tensor {name!r} of shape {list(tensor.shape)}, got a state dict where it "
                "is missing; is it of another model?"
            )
        shape = getattr(given[name], "shape", None)
        if shape != tensor.shape:
            found = type(given[name]).__name__ if shape is None else list(shape)
            raise ValueError(
                f"expected the tensor {name!r} of shape {list(tensor.shape)}, got {found} in the state "
                "dict; choose the variant, num_classes and in_channels that the weights were made for"
            )
    for name in given:
        if name not in own:
            raise ValueError(
                f"expected tensors that the model has, got {name!r}, which has no place in it; is the "
                "state dict of another model?"
            )
    with torch.no_grad():
        for name in own:
            if name in given:
                own[name].copy_(given[name])
    return model


def by_layer(layers: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function that renames tensors by their layers, for `load_state`.

    Args:
        layers: from the name of a layer in the state to ours; a layer that is not in it keeps its name.

    >>> by_layer({"fc": "classifier"})("fc.weight")
    'classifier.weight'
    """

    def rename(name: str) -> str:
        layer, _, tensor = name.rpartition(".")
        return f"{layers.get(layer, layer)}.{tensor}"

    return rename
