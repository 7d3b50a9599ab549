"""What every model asks of its arguments, with an error that says what was expected, what got, and how to
fix it.

>>> require_positive("num_classes", 0)
Traceback (most recent call last):
ValueError: num_classes must be a whole number of at least 1, got 0
"""

import difflib
from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor

Row = TypeVar("Row")
MOST_NAMED = 40  # rows of a table that an error lists


def require_positive(name: str, value: int) -> None:
    """Raise ValueError unless `value` is an int of at least 1 (a bool is not)."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")


def require_probability(name: str, value: float) -> None:
    """Raise ValueError unless 0 <= value < 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise ValueError(f"{name} must be a probability in [0, 1), got {value!r}")


def require_one_of(name: str, value: object, allowed: tuple) -> None:
    """Raise ValueError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}")


def require_images(images: Tensor, in_channels: int) -> None:
    """Raise ValueError unless `images` is a floating-point tensor [B, in_channels, H, W] that is not empty."""
    if (
        images.ndim != 4
        or images.shape[1] != in_channels
        or not images.is_floating_point()
        or 0 in images.shape
    ):
        raise ValueError(
            f"images must be float [B, {in_channels}, H, W], got {images.dtype} {list(images.shape)}; "
            "scale uint8 images to floats, add a batch axis, or build the model with another in_channels"
        )


def find_row(name: str, variants: Mapping[str, Row]) -> Row:
    """The row of a table of variants; raises ValueError that suggests the nearest names for an unknown one."""
    if isinstance(name, str) and name in variants:
        return variants[name]
    longer = [
        known for known in variants if name and known.startswith(str(name))
    ]  # resnet20 is resnet20_cifar before it is resnet50
    near = list(dict.fromkeys([*longer, *difflib.get_close_matches(str(name), variants, n=3, cutoff=0.5)]))[
        :3
    ]
    hint = f"did you mean {', '.join(near)}? " if near else ""
    there = (
        ", ".join(variants)
        if len(variants) <= MOST_NAMED
        else f"{len(variants)} names; `dlbook models` lists them"
    )
    raise ValueError(f"unknown variant {name!r}; {hint}There are {there}")
