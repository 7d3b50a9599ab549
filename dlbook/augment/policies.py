"""AutoAugment and RandAugment: operations drawn for each image, from a searched table, or uniformly.

AutoAugment: Cubuk et al. 2018, arXiv:1805.09501, section 3 and tables 7 to 9. RandAugment: Cubuk et al. 2019,
arXiv:1909.13719, figure 2. Both for one image at a time, to be read first: `dlbook/naive/policies.py`.

::

    AutoAugment, for each image:                         RandAugment, for each image:
        pick one of 25 sub-policies                          N times:
        for each of its two (operation, p, magnitude):           pick one of 14 operations
            with probability p apply the operation               apply it with magnitude M, always
    geometric and blending operations get a random sign

A magnitude is a place in the operation's range (see `policy_operations`): 10 places for AutoAugment, 31 for
RandAugment.
The images that drew the same operation are gathered and go through it together, each with its own magnitude
and sign.

Departures from the papers

1. The ranges are torchvision's. AutoAugment's table 6 has factors from 0.1 to 1.9 for the blending
   operations; here magnitude i of 0 to 9 is a factor of 1 + 0.1 i or 1 - 0.1 i, so that 0 changes nothing.
   Magnitude 0 of `Solarize` still inverts pure white.
2. What a map leaves empty is black, torchvision's default; the authors' ImageNet code has grey: `fill=0.5`.
3. Images are not rounded to bytes between the operations.

>>> images, generator = torch.rand(8, 3, 32, 32), torch.Generator().manual_seed(1)
>>> rand_augment(images, generator).shape
torch.Size([8, 3, 32, 32])
>>> auto_augment(images, generator, CIFAR10).shape
torch.Size([8, 3, 32, 32])
"""

import torch
from torch import Generator, Tensor

from dlbook.augment.policy_operations import NAMES, OPERATIONS, RANDAUGMENT_NAMES, magnitudes
from dlbook.augment.policy_tables import CIFAR10, IMAGENET, SVHN, Policy
from dlbook.augment.steps import coin, dispatch
from dlbook.augment.values import require_values

__all__ = ["CIFAR10", "IMAGENET", "SVHN", "auto_augment", "rand_augment"]


def _apply_each(images: Tensor, choice: Tensor, amount: Tensor, fill: float) -> Tensor:
    """Apply the operation `NAMES[choice[i]]` with `amount[i]` to image i."""
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
    """Apply N operations to each image, drawn uniformly, all at magnitude M.

    Args:
        images: `[B, C, H, W]` in [0, 1], C 1 or 3.
        num_ops: N, operations for each image, >= 0.
        magnitude: M, from 0 to bins - 1; torchvision's default is 9 of 31.
        fill: value of what a map leaves empty.

    Raises:
        ValueError: other images, or an argument out of range.
    """
    require_values(images, (1, 3))
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
    """Apply a sub-policy to each image, drawn from a published policy or from one of your own.

    Args:
        images: `[B, C, H, W]` in [0, 1], C 1 or 3.
        policy: sub-policies of the same number of actions each: CIFAR10, IMAGENET, SVHN, or what
            `policy_search` found.
        fill: value of what a map leaves empty.

    Raises:
        ValueError: other images, or a policy without sub-policies, with an unknown operation or with a number
            out of range.
    """
    require_values(images, (1, 3))
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
