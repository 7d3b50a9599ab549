"""What the tests of the loaders share: where each tensor of another library has landed, and a loader with two
layers exchanged, which has to be noticed.
"""

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from dlbook.nn.state import load_state


def misplaced(model: nn.Module, state: Mapping[str, Tensor], place: Callable[[str], str] = str) -> list[str]:
    """Name the tensors of `state` that the model does not hold under ``place(name)``, flat or not."""
    own = model.state_dict()
    found = [
        name
        for name, tensor in state.items()
        if not torch.equal(own[place(name)].flatten(), tensor.flatten())
    ]
    return found + [f"{name} got nothing" for name in own.keys() - {place(name) for name in state}]


def exchanging(one: str, other: str) -> Callable:
    """Make a `load_state` that puts the tensors of two layers of equal shapes in each other's places."""

    def load(model: nn.Module, state: Mapping[str, Tensor], rename: Callable[[str], str] = str) -> nn.Module:
        def wrong(name: str) -> str:
            turn = {one: other, other: one}
            return re.sub("|".join(map(re.escape, turn)), lambda found: turn[found[0]], rename(name))

        return load_state(model, state, wrong)

    return load
