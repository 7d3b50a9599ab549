"""AutoAugment and RandAugment: operations drawn for each image, from a table that was searched for, or
uniformly.

AutoAugment: Cubuk et al. 2018, arXiv:1805.09501, section 3 and tables 7 to 9. RandAugment: Cubuk et al. 2019,
    arXiv:1909.13719, figure 2.

::

    AutoAugment, for each image:                         RandAugment, for each image:
        pick one of 25 sub-policies                          N times:
        for each of its two (operation, p, magnitude):           pick one of 14 operations
            with probability p apply the operation               apply it with magnitude M, always
    geometric and blending operations get a random sign

A magnitude is a place in the operation's range (`OPERATIONS`): 10 places for AutoAugment, 31 for RandAugment.
The images that drew the same operation are gathered and go through it together, each with its own magnitude
and sign.

Departures from the papers

1. The ranges are torchvision's. AutoAugment's table 6 has factors from 0.1 to 1.9 for the blending
   operations; here magnitude i of 0 to 9 is a factor of 1 + 0.1 i or 1 - 0.1 i, so that 0 changes nothing.
   Magnitude 0 of `Solarize` still inverts pure white.
2. What a map leaves empty is black, torchvision's default; the authors' ImageNet code has grey: `fill=0.5`.
3. Images are not rounded to bytes between the operations.

>>> images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
>>> rand_augment(images, torch.Generator().manual_seed(1)).shape, auto_augment(images, torch.Generator().manual_seed(1), CIFAR10).shape
(torch.Size([8, 3, 32, 32]), torch.Size([8, 3, 32, 32]))
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from dlbook.augment import photometric
from dlbook.augment.draws import coin, dispatch, require_images
from dlbook.augment.geometric import affine
from dlbook.augment.policy_tables import CIFAR10, IMAGENET, SVHN, Policy

__all__ = ["CIFAR10", "IMAGENET", "OPERATIONS", "SVHN", "apply", "auto_augment", "magnitudes", "rand_augment"]


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
    """The amounts of an operation from its smallest to its largest magnitude, float32 `[bins]`; zeros where
    it has none.

    Raises:
        ValueError: an unknown operation, or fewer than two bins.
    """
    operation = _named(name)
    if bins < 2:
        raise ValueError(f"expected at least 2 bins, got {bins}; AutoAugment has 10, RandAugment 31")
    if operation.end is None:
        return torch.zeros(bins)
    side = {None: 1, "height": height, "width": width}[operation.relative]
    amounts = torch.linspace(operation.start, operation.end * side, bins)
    return {None: amounts, "down": amounts.floor(), "round": amounts.round()}[operation.whole]


def _named(name: str) -> Operation:
    if name not in OPERATIONS:
        raise ValueError(f"expected an operation among {', '.join(NAMES)}, got {name!r}; mind the capitals")
    return OPERATIONS[name]


def apply(name: str, images: Tensor, amount: Tensor, fill: float = 0.0) -> Tensor:
    """One operation on all images `[B, C, H, W]`, C 1 or 3, each by its amount `[B]` (see `magnitudes`), with
    its sign.

    Raises:
        ValueError: other images, or an unknown operation.
    """
    require_images(images, (1, 3))
    return _named(name).change(images, amount, fill)


def _apply_each(images: Tensor, choice: Tensor, amount: Tensor, fill: float) -> Tensor:
    """Operation `NAMES[choice[i]]` with `amount[i]` on image i."""
    changes = [lambda some, at, name=name: OPERATIONS[name].change(some, amount[at], fill) for name in NAMES]
    return dispatch(images, choice, [None, *changes[1:]])


def rand_augment(
    images: Tensor,
    generator: Generator | None = None,
    num_ops: int = 2,
    magnitude: int = 9,
    bins: int = 31,
    fill: float = 0.0,
) -> Tensor:
    """RandAugment.

    Args:
        images: `[B, C, H, W]` in [0, 1], C 1 or 3.
        num_ops: N, operations for each image, >= 0.
        magnitude: M, from 0 to bins - 1; torchvision's default is 9 of 31.
        fill: value of what a map leaves empty.

    Raises:
        ValueError: other images, or an argument out of range.
    """
    require_images(images, (1, 3))
    if num_ops < 0 or not 0 <= magnitude < bins:
        raise ValueError(
            f"expected num_ops >= 0 and 0 <= magnitude < {bins}, got {num_ops} and {magnitude}; the "
            "usual ones are 2 and 9"
        )
    table = torch.stack([magnitudes(name, bins, *images.shape[2:])[magnitude] for name in NAMES]).to(images)
    signed = _signed(images)
    for _ in range(num_ops):
        choice = torch.randint(
            len(RANDAUGMENT_NAMES), (len(images),), generator=generator, device=images.device
        )
        negative = coin(images, 0.5, generator) & signed[choice]
        images = _apply_each(images, choice, torch.where(negative, -table[choice], table[choice]), fill)
    return images if num_ops else images.clone()


def _signed(images: Tensor) -> Tensor:
    return torch.tensor([OPERATIONS[name].signed for name in NAMES], device=images.device)


def auto_augment(
    images: Tensor, generator: Generator | None = None, policy: Policy = IMAGENET, fill: float = 0.0
) -> Tensor:
    """AutoAugment with a published policy or one of your own.

    Args:
        images: `[B, C, H, W]` in [0, 1], C 1 or 3.
        policy: sub-policies of the same number of actions each: CIFAR10, IMAGENET, SVHN, or what
            `policy_search` found.
        fill: value of what a map leaves empty.

    Raises:
        ValueError: other images, or a policy without sub-policies, with an unknown operation or with a number
            out of range.
    """
    require_images(images, (1, 3))
    choices, shares, amounts = (table.to(images.device) for table in _tables(policy, *images.shape[2:]))
    signed = _signed(images)
    drawn = torch.randint(len(policy), (len(images),), generator=generator, device=images.device)
    for place in range(choices.shape[1]):
        applied = torch.rand(len(images), generator=generator, device=images.device) < shares[drawn, place]
        choice = torch.where(applied, choices[drawn, place], 0)  # 0: identity
        amount = amounts[drawn, place].to(images.dtype)
        negative = coin(images, 0.5, generator) & signed[choice]
        images = _apply_each(images, choice, torch.where(negative, -amount, amount), fill)
    return images


def _tables(policy: Policy, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Index of the operation, probability and amount of each action, each `[sub-policies, actions]`."""
    if not policy or not policy[0] or len({len(sub_policy) for sub_policy in policy}) != 1:
        raise ValueError(
            f"expected sub-policies of equally many actions, got {[len(s) for s in policy]}; "
            "('Identity', 0.0, None) fills up"
        )
    rows = []
    for name, probability, level in (action for sub_policy in policy for action in sub_policy):
        ranges = magnitudes(name, 10, height, width)
        if not 0 <= probability <= 1 or (level if level is not None else 0) not in range(10):
            raise ValueError(
                f"expected a probability in [0, 1] and a magnitude from 0 to 9, got {name}, "
                f"{probability}, {level}; None is for no magnitude"
            )
        if level is None and OPERATIONS[name].end is not None:
            raise ValueError(
                f"expected a magnitude from 0 to 9 of {name}, got None; only operations without "
                "amount have none"
            )
        rows.append((NAMES.index(name), probability, float(ranges[level or 0])))
    shape = (len(policy), len(policy[0]))
    indices, probabilities, amounts = zip(*rows, strict=True)
    return (
        torch.tensor(indices).reshape(shape),
        torch.tensor(probabilities).reshape(shape),
        torch.tensor(amounts).reshape(shape),
    )
