"""Weights that others trained, from a file of torchvision or timm into a row of the zoo.

>>> read_state("none.pth")
Traceback (most recent call last):
ValueError: none.pth: expected a file with weights, found none; check the path
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlbook.models import create, load_weights
from dlbook.train.checkpoint import MAGIC

__all__ = ["as_ours", "read_state"]

WRAPPERS = ("state_dict", "model", "model_state_dict")  # keys under which a training script keeps the weights
PREFIXES = ("module.", "_orig_mod.")  # of DistributedDataParallel and of torch.compile


def read_state(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from a file, without running any code of it.

    Args:
        path: written by torch.save or by safetensors (.safetensors).

    Returns:
        Name -> tensor, on the CPU, without the prefixes of DistributedDataParallel and torch.compile.

    Raises:
        ValueError: the file is missing, cannot be read so, or holds something else.
        ModuleNotFoundError: a .safetensors file, and the library is missing.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: expected a file with weights, found none; check the path")
    with path.open("rb") as file:
        if file.read(len(MAGIC)) == MAGIC:
            raise ValueError(
                f"{path}: expected a state dict, got a checkpoint of dlbook; give its run's folder"
            )
    try:
        content = _read(path)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # of any kind; torch's advises to run the code in the file
        raise ValueError(
            f"{path}: expected a state dict, got a file that cannot be read without running code of it "
            f"({type(error).__name__}); save it by torch.save(model.state_dict(), PATH)"
        ) from error
    state = _unwrapped(content)
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        got = f"a {type(content).__name__}" + (" without tensors" if isinstance(content, Mapping) else "")
        raise ValueError(
            f"{path}: expected a state dict, name -> tensor, got {got}; save it by "
            "torch.save(model.state_dict(), PATH)"
        )
    return _without_prefixes(state)


def as_ours(state: Mapping[str, Tensor], name: str, in_channels: int) -> dict[str, Tensor]:
    """Translate a state dict of torchvision or timm into that of a row, with as many classes as it has.

    Args:
        state: theirs.
        name: the row.
        in_channels: C of the images.

    Returns:
        The row's own names -> tensors.

    Raises:
        ValueError: it is of another network; the first misfit is named.
    """
    misfits = []
    for num_classes in _numbers_of_classes(state, name):
        empty = create(name, device="meta", num_classes=num_classes, in_channels=in_channels)
        try:
            load_weights(empty, state)
        except ValueError as misfit:
            misfits.append(misfit)
            continue
        model = empty.to_empty(device="cpu")
        for buffer in model.buffers():  # old files lack the counters of batch normalisation
            buffer.zero_()
        return load_weights(model, state).state_dict()
    raise misfits[0]


def _numbers_of_classes(state: Mapping[str, Tensor], name: str) -> list[int]:
    """K of the layers that could be the last one, the likeliest first.

    Theirs reads as many features as ours, or half of them where ours joins two heads. It is linear, or a 1x1
    convolution with a bias: one without is a shortcut between the stages of a ResNet. Blocks come many times,
    the last layer once.
    """
    width = create(name, device="meta").num_features
    found: Counter[tuple[int, bool, int]] = Counter()
    for key, value in state.items():
        is_layer = value.ndim == 2 or (value.ndim == 4 and f"{key.removesuffix('weight')}bias" in state)
        if is_layer and value.shape[1:].numel() == value.shape[1] in (width, width // 2):
            found[value.ndim, value.shape[1] != width, len(value)] += 1
    layers = [*found]
    layers.reverse()  # of two that come equally often, the one that stands later
    likeliest = sorted(layers, key=lambda layer: (*layer[:2], found[layer]))
    return list(dict.fromkeys(number for *_, number in likeliest)) or [1000]


def _read(path: Path) -> Any:
    if path.suffix == ".safetensors":
        try:
            from safetensors.torch import load_file
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"{path}: expected the package safetensors, got none installed; to fix it, run `pip install "
                "safetensors`"
            ) from error
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _unwrapped(content: Any) -> dict[str, Tensor]:
    """The state dict itself, where a training script kept it beside other things."""
    while isinstance(content, Mapping) and (inside := [key for key in WRAPPERS if _holds(content, key)]):
        content = content[inside[0]]
    return dict(content) if isinstance(content, Mapping) else {}


def _without_prefixes(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _holds(content: Mapping[str, Any], key: str) -> bool:
    return isinstance(content.get(key), Mapping)
