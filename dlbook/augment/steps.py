"""What all augmentations share: one draw per image, and four ways to put steps together.

A *step* is a function (images, generator) -> images, such as `augment.weak`. Images are floating-point
tensors [B, C, H, W] with values in [0, 1]; every image of a batch gets random parameters of its own, and the
generator lives on the images' device.

>>> from dlbook.augment.photometric import brightness, invert
>>> inverted = sometimes(lambda images, generator: invert(images), probability=0.2)
>>> step = compose(varied(brightness, 0.6, 1.4), inverted)
>>> step(torch.rand(4, 3, 8, 8), Generator().manual_seed(0)).shape
torch.Size([4, 3, 8, 8])
"""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from dlbook.checks import require_in

__all__ = [
    "Step",
    "coin",
    "compose",
    "dispatch",
    "per_image",
    "sometimes",
    "uniform",
    "varied",
]

Step = Callable[[Tensor, Generator | None], Tensor]


def uniform(images: Tensor, low: float, high: float, generator: Generator | None) -> Tensor:
    """Draw one number per image from [low, high): `[B]`, on the images' device and in their type."""
    draws = torch.rand(len(images), generator=generator, device=images.device, dtype=images.dtype)
    return low + (high - low) * draws


def coin(images: Tensor, probability: float, generator: Generator | None) -> Tensor:
    """Draw True with the given probability for each image: bool `[B]`.

    Raises:
        ValueError: the probability lies outside [0, 1].
    """
    require_in("probability", probability, 0, 1, fix="it is a share, not a percentage")
    return torch.rand(len(images), generator=generator, device=images.device) < probability


def per_image(value: float | Tensor, images: Tensor) -> Tensor:
    """Shape a number, or one number an image `[B]`, as `[1 or B, 1, 1, 1]`, to multiply images with.

    Raises:
        ValueError: a tensor of another shape.
    """
    value = torch.as_tensor(value, dtype=images.dtype, device=images.device)
    if value.ndim and value.shape != images.shape[:1]:
        raise ValueError(
            f"expected one number, or one for each of the {len(images)} images, got shape "
            f"{tuple(value.shape)}; give [B]"
        )
    return value.reshape(-1, 1, 1, 1)


def compose(*steps: Step) -> Step:
    """Make one step of several, one after the other, all fed by the same generator."""

    def chain(images: Tensor, generator: Generator | None = None) -> Tensor:
        for step in steps:
            images = step(images, generator)
        return images

    return chain


def sometimes(step: Step, probability: float) -> Step:
    """Make a step that each image goes through with this probability; it must keep the images' shape.

    Raises:
        ValueError: the probability lies outside [0, 1].
    """
    require_in("probability", probability, 0, 1, fix="it is a share, not a percentage")

    def maybe(images: Tensor, generator: Generator | None = None) -> Tensor:
        members = coin(images, probability, generator).nonzero()[:, 0]
        return (
            images.index_copy(0, members, step(images[members], generator))
            if len(members)
            else images.clone()
        )

    return maybe


def varied(operation: Callable[[Tensor, Tensor], Tensor], low: float, high: float) -> Step:
    """Make a step of an operation (images, amount [B]): each image's amount is uniform in [low, high)."""
    return lambda images, generator=None: operation(images, uniform(images, low, high, generator))


def dispatch(
    images: Tensor, choice: Tensor, operations: Sequence[Callable[[Tensor, Tensor], Tensor] | None]
) -> Tensor:
    """Send image i through `operations[choice[i]]`; None leaves it as it is.

    Args:
        images: `[B, C, H, W]`.
        choice: int64 `[B]`, indices into `operations`.
        operations: functions of (some of the images, their places in the batch), called once each for all
            that chose it. The places, int64, are there to pick the parameters of these images.
    """
    counts = torch.bincount(choice, minlength=len(operations)).tolist()  # the one wait for the device
    changed = images.clone()
    for operation, members in zip(operations, choice.argsort(stable=True).split(counts), strict=True):
        if operation is not None and len(members):
            changed[members] = operation(images[members], members)
    return changed
