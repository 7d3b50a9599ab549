"""Check arguments; every package may import this file.

Every error has one form: "expected X, got Y; how to fix it".

>>> require_positive("num_classes", 0)
Traceback (most recent call last):
ValueError: expected num_classes to be a whole number >= 1, got 0; give an int such as 1
>>> require_in("momentum", 1.5, 0, 1, ends="[)")
Traceback (most recent call last):
ValueError: expected momentum in [0, 1), got 1.5; give a number in this range
"""

import difflib
import math
from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor

Variant = TypeVar("Variant")
MOST_NAMED = 40  # rows of a table that an error lists


def require(holds: bool, expected: str, got: object, fix: str) -> None:
    """Raise ValueError in the package's one form unless a condition holds.

    The three texts are made before the call, also when the condition holds. In a forward pass write `if` and
    `raise` instead: texts made from shapes would slow it down and would be traced by torch.compile.

    Args:
        holds: the condition.
        expected: what was expected, with the argument's name: "padding >= 0".
        got: what was given, a value or words; pass `repr(value)` for a string.
        fix: how to fix it: "the usual one is 4".

    Raises:
        ValueError: if `holds` is false.
    """
    if not holds:
        raise ValueError(f"expected {expected}, got {got}; {fix}")


def require_positive(name: str, value: int, fix: str = "give an int such as 1") -> None:
    """Raise ValueError unless `value` is an int of at least 1 (a bool is not)."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"expected {name} to be a whole number >= 1, got {value!r}; {fix}")


def require_probability(name: str, value: float, fix: str = "0 switches it off") -> None:
    """Raise ValueError unless `value` is a probability of dropping something: 0 <= value < 1."""
    require_in(name, value, 0, 1, "[)", fix)


def require_at_least(name: str, value: float, low: float, fix: str = "") -> None:
    """Raise ValueError unless `value` is a finite number >= `low`."""
    if not _is_number(value) or not low <= value < math.inf:
        fix = fix or "give a finite number that is not below it"
        raise ValueError(f"expected {name} >= {low}, got {value!r}; {fix}")


def require_above(name: str, value: float, low: float = 0, fix: str = "") -> None:
    """Raise ValueError unless `value` is a finite number > `low`."""
    if not _is_number(value) or not low < value < math.inf:
        fix = fix or ("give a positive, finite number" if low == 0 else "give a finite number above it")
        raise ValueError(f"expected {name} > {low}, got {value!r}; {fix}")


def require_in(
    name: str,
    value: float,
    low: float,
    high: float,
    ends: str = "[]",
    fix: str = "give a number in this range",
) -> None:
    """Raise ValueError unless `value` is a number between `low` and `high`.

    Args:
        name: the argument's name, for the error.
        value: an int or float; a bool and NaN are refused.
        low: the lower end.
        high: the upper end.
        ends: which ends belong to the range: "[]" both, "[)" the lower, "(]" the upper, "()" none.
        fix: how to fix it.

    Raises:
        ValueError: if `value` is outside, or `ends` is none of the four.
    """
    if ends not in ("[]", "[)", "(]", "()"):
        raise ValueError(f"expected ends to be '[]', '[)', '(]' or '()', got {ends!r}; as in mathematics")
    holds = _is_number(value) and low <= value <= high
    if not holds or (ends[0] == "(" and value == low) or (ends[1] == ")" and value == high):
        raise ValueError(f"expected {name} in {ends[0]}{low}, {high}{ends[1]}, got {value!r}; {fix}")


def require_one_of(name: str, value: object, allowed: tuple, fix: str = "choose one of these") -> None:
    """Raise ValueError unless `value` is one of `allowed`."""
    if value not in allowed:
        choices = " or ".join(filter(None, (", ".join(map(repr, allowed[:-1])), repr(allowed[-1]))))
        raise ValueError(f"expected {name} to be {choices}, got {value!r}; {fix}")


def require_shape(name: str, tensor: Tensor, shape: tuple[int | str, ...], fix: str) -> None:
    """Raise ValueError unless `tensor` has `shape`.

    Args:
        name: the argument's name, for the error.
        tensor: what was given.
        shape: for each axis its length, or a letter if any length is right: ("B", 3, "H", "W"). With "..."
            first, any number of axes may come before the rest.
        fix: how to fix it.

    Raises:
        ValueError: if the number of axes or one of the lengths differs.
    """
    axes = shape[1:] if shape[0] == "..." else shape
    holds = tensor.ndim >= len(axes) if shape[0] == "..." else tensor.ndim == len(axes)
    lengths = tensor.shape[tensor.ndim - len(axes) :] if holds else ()
    if not holds or any(
        isinstance(axis, int) and axis != length for axis, length in zip(axes, lengths, strict=True)
    ):
        expected = ", ".join(map(str, shape))
        raise ValueError(f"expected {name} of shape [{expected}], got {list(tensor.shape)}; {fix}")


def require_images(images: Tensor, channels: int | tuple[int, ...] | None = None, fix: str = "") -> None:
    """Raise ValueError unless `images` is a floating-point tensor [B, C, H, W] that is not empty.

    Args:
        images: what was given.
        channels: the number of channels that C must be, or several that it may be; None for any.
        fix: how to fix it; by default what helps most often.

    Raises:
        ValueError: for another shape, another number of channels, another type, or an axis of length 0.
    """
    allowed = (channels,) if isinstance(channels, int) else channels
    if (
        images.ndim != 4
        or not images.is_floating_point()
        or 0 in images.shape
        or (allowed and images.shape[1] not in allowed)
    ):
        wanted = " or ".join(map(str, allowed)) if allowed else "C"
        fix = fix or "divide bytes by 255, add a batch axis with images[None], mind the number of channels"
        raise ValueError(
            f"expected images as float [B, {wanted}, H, W], got {images.dtype} {list(images.shape)}; {fix}"
        )


def require_sides(images: Tensor, least: int) -> None:
    """Raise ValueError unless images [B, C, H, W] are at least `least` pixels high and wide."""
    if min(images.shape[2:]) < least:
        raise ValueError(
            f"expected images at least {least} pixels high and wide, got {list(images.shape)}; resize them"
        )


def require_resolution(resolution: int | tuple[int, int]) -> tuple[int, int]:
    """Return the (H, W) of a resolution given as one number or as a pair.

    Raises:
        ValueError: for a side below 1.
    """
    sides = resolution if isinstance(resolution, tuple) else (resolution, resolution)
    for side in sides:
        require_positive("resolution", side)
    return sides


def require_size(images: Tensor, size: tuple[int, int], fix: str = "resize them") -> None:
    """Raise ValueError unless images [B, C, H, W] have H and W of `size`."""
    if tuple(images.shape[2:]) != tuple(size):
        raise ValueError(f"expected images of {size[0]} x {size[1]} pixels, got {list(images.shape)}; {fix}")


def find_row(name: str, variants: Mapping[str, Variant]) -> Variant:
    """Return the row of a table of variants.

    Args:
        name: the row's name.
        variants: the table.

    Raises:
        ValueError: for an unknown name; the error suggests the nearest ones.
    """
    if isinstance(name, str) and name in variants:
        return variants[name]
    # Suggest first the names that begin with what was typed: resnet20 -> resnet20_cifar, not resnet50.
    longer = [known for known in variants if name and known.startswith(str(name))]
    near = [*longer, *difflib.get_close_matches(str(name), variants, n=3, cutoff=0.5)]
    near = list(dict.fromkeys(near))[:3]
    hint = f"did you mean {', '.join(near)}? There are" if near else "there are"
    if len(variants) <= MOST_NAMED:
        there = ", ".join(variants)
    else:
        there = f"{len(variants)} names; `dlbook models` lists them"
    raise ValueError(f"expected the name of a variant, got {name!r}; {hint} {there}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
