"""AutoAugment and RandAugment image by image: arXiv:1805.09501, section 3; arXiv:1909.13719, figure 2.

The package sends all images that drew the same operation through it together. Here one image is a tensor
[C, H, W] with values in [0, 1], and an operation is a function of the image and an amount. Three operations
stand here as examples: one that changes values, one that moves pixels, one without an amount.

>>> image = torch.tensor([[[0.0, 0.5, 1.0]]])
>>> apply_sub_policy(image, [("TranslateX", 1.0, 1.0), ("Invert", 0.2, 0.0)], [(0.3, False), (0.9, False)])
tensor([[[0.0000, 0.0000, 0.5000]]])
"""

import torch
from torch import Tensor


def brightness(image: Tensor, amount: float) -> Tensor:
    """Multiply by 1 + amount, and cut off what leaves [0, 1]."""
    return ((1 + amount) * image).clamp(0, 1)


def translate_x(image: Tensor, amount: float) -> Tensor:
    """Move by a whole number of pixels to the right, column by column; what becomes empty is black."""
    moved = torch.zeros_like(image)
    width = image.shape[2]
    for x in range(width):
        source = x - int(amount)
        if 0 <= source < width:
            moved[:, :, x] = image[:, :, source]
    return moved


def invert(image: Tensor, amount: float) -> Tensor:
    """Make the negative; the amount has no meaning."""
    return 1 - image


OPERATIONS = {"Brightness": brightness, "TranslateX": translate_x, "Invert": invert}
SIGNED = ("Brightness", "TranslateX")  # their amounts are as often negative


def apply_operation(image: Tensor, name: str, amount: float, negative: bool) -> Tensor:
    """Apply one operation; `negative` turns the amount round, where the operation has a sign."""
    return OPERATIONS[name](image, -amount if negative and name in SIGNED else amount)


def apply_sub_policy(
    image: Tensor, sub_policy: list[tuple[str, float, float]], draws: list[tuple[float, bool]]
) -> Tensor:
    """Apply the actions of one sub-policy in their order, each with its probability (AutoAugment).

    Args:
        image: [C, H, W].
        sub_policy: (operation, probability, amount) of each action.
        draws: for each action a number uniform in [0, 1), and whether the sign is negative.
    """
    for (name, probability, amount), (number, negative) in zip(sub_policy, draws, strict=True):
        if number < probability:
            image = apply_operation(image, name, amount, negative)
    return image


def apply_drawn(image: Tensor, drawn: list[tuple[str, bool]], amounts: dict[str, float]) -> Tensor:
    """Apply the operations that were drawn, always, each at the one magnitude there is (RandAugment).

    Args:
        image: [C, H, W].
        drawn: (operation, whether the sign is negative), N of them.
        amounts: of each operation, at magnitude M.
    """
    for name, negative in drawn:
        image = apply_operation(image, name, amounts[name], negative)
    return image
