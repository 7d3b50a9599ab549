"""The operations of AutoAugment and RandAugment, their ranges, and one of them on a batch.

Each takes its own amount for each image. The ranges are torchvision's; `policies` says how they depart from
the papers'.

>>> magnitudes("Rotate", bins=4, height=32, width=32).tolist()
[0.0, 10.0, 20.0, 30.0]
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dlbook.augment import photometric
from dlbook.augment.geometric import affine
from dlbook.augment.values import require_values
from dlbook.checks import require

__all__ = ["NAMES", "OPERATIONS", "RANDAUGMENT_NAMES", "Operation", "apply", "magnitudes"]


@dataclass(frozen=True)
class Operation:
    """What an operation does with an amount, and what amounts there are.

    Attributes:
        change: (images, amount `[B]`, value outside the image) -> images.
        start, end: the amounts of the smallest and the largest magnitude; None where there is no amount.
        relative: "width" or "height" where the amounts are shares of it.
        whole: how amounts become whole numbers: "down", "round" or not at all.
        signed: whether the amount is as often negative.
    """

    change: Callable[[Tensor, Tensor, float], Tensor]
    start: float = 0.0
    end: float | None = None
    relative: str | None = None
    whole: str | None = None
    signed: bool = False


def _moved(name: str) -> Callable[[Tensor, Tensor, float], Tensor]:
    return lambda images, amount, fill: affine(images, **{name: amount}, mode="nearest", fill=fill)


def _slanted(name: str) -> Callable[[Tensor, Tensor, float], Tensor]:
    """The amount is the tangent, and the corner stays where it is, as in PIL."""
    return lambda images, amount, fill: affine(
        images, **{name: torch.rad2deg(torch.atan(amount))}, centre="corner", mode="nearest", fill=fill
    )


def _blended(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor, float], Tensor]:
    return lambda images, amount, fill: function(images, 1 + amount)


def _plain(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor, float], Tensor]:
    return lambda images, amount, fill: function(images)


FARTHEST = 150 / 331  # of the side: 150 pixels of NASNet's 331
OPERATIONS = {
    "Identity": Operation(_plain(torch.clone)),
    "ShearX": Operation(_slanted("shear_x"), 0.0, 0.3, signed=True),
    "ShearY": Operation(_slanted("shear_y"), 0.0, 0.3, signed=True),
    "TranslateX": Operation(_moved("right"), 0.0, FARTHEST, relative="width", whole="down", signed=True),
    "TranslateY": Operation(_moved("down"), 0.0, FARTHEST, relative="height", whole="down", signed=True),
    "Rotate": Operation(
        lambda images, amount, fill: affine(images, -amount, mode="nearest", fill=fill),
        0.0,
        30.0,
        signed=True,
    ),
    "Brightness": Operation(_blended(photometric.brightness), 0.0, 0.9, signed=True),
    "Color": Operation(_blended(photometric.saturation), 0.0, 0.9, signed=True),
    "Contrast": Operation(_blended(photometric.contrast), 0.0, 0.9, signed=True),
    "Sharpness": Operation(_blended(photometric.sharpness), 0.0, 0.9, signed=True),
    "Posterize": Operation(
        lambda images, amount, fill: photometric.posterize(images, amount), 8.0, 4.0, whole="round"
    ),
    "Solarize": Operation(lambda images, amount, fill: photometric.solarize(images, amount), 1.0, 0.0),
    "AutoContrast": Operation(_plain(photometric.autocontrast)),
    "Equalize": Operation(_plain(photometric.equalize)),
    "Invert": Operation(_plain(photometric.invert)),  # of AutoAugment only
}
NAMES = tuple(OPERATIONS)
RANDAUGMENT_NAMES = tuple(name for name in NAMES if name != "Invert")


def magnitudes(name: str, bins: int, height: int, width: int) -> Tensor:
    """Return the amounts of an operation from its smallest to its largest magnitude, float32 `[bins]`.

    They are zeros where it has no amount.

    Raises:
        ValueError: an unknown operation, or fewer than two bins.
    """
    operation = _named(name)
    require(bins >= 2, "at least 2 bins", bins, "AutoAugment has 10, RandAugment 31")
    if operation.end is None:
        return torch.zeros(bins)
    side = {None: 1, "height": height, "width": width}[operation.relative]
    amounts = torch.linspace(operation.start, operation.end * side, bins)
    return {None: amounts, "down": amounts.floor(), "round": amounts.round()}[operation.whole]


def _named(name: str) -> Operation:
    if name not in OPERATIONS:
        raise ValueError(
            f"expected an operation among {', '.join(NAMES)}, got {name!r}; write it as in the list, "
            "with its capital letters"
        )
    return OPERATIONS[name]


def apply(name: str, images: Tensor, amount: Tensor, fill: float = 0.0) -> Tensor:
    """Apply one operation to all images, each by its amount with its sign.

    Args:
        name: a key of `OPERATIONS`.
        images: `[B, C, H, W]`, C 1 or 3.
        amount: `[B]`, see `magnitudes`.
        fill: value of what a map leaves empty.

    Raises:
        ValueError: other images, or an unknown operation.
    """
    require_values(images, (1, 3))
    return _named(name).change(images, amount, fill)
