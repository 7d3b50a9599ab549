"""What all augmentations share: the check of a batch, one draw per image, and four ways to put steps
together.

A *step* is a function (images, generator) -> images, such as `augment.weak`. Images are floating-point
tensors [B, C, H, W] with values in [0, 1]; every image of a batch gets random parameters of its own, and the
generator lives on the images' device.

>>> from dlbook.augment.photometric import brightness, invert
>>> step = compose(varied(brightness, 0.6, 1.4), sometimes(lambda images, generator: invert(images), probability=0.2))
>>> step(torch.rand(4, 3, 8, 8), Generator().manual_seed(0)).shape
torch.Size([4, 3, 8, 8])
"""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

__all__ = [
    "Step",
    "coin",
    "compose",
    "dispatch",
    "per_image",
    "require_images",
    "require_share",
    "sometimes",
    "uniform",
    "varied",
]

Step = Callable[[Tensor, Generator | None], Tensor]


def require_images(images: Tensor, channels: tuple[int, ...] = ()) -> None:
    """Raise ValueError unless images are floating-point [B, C, H, W], with C among `channels` if any are
    given.
    """
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(
            f"expected floating-point images of shape [B, C, H, W], got {tuple(images.shape)} of "
            f"{images.dtype}; "
            "add the batch axis with images[None], divide bytes by 255"
        )
    if channels and images.shape[1] not in channels:
        known = " or ".join(map(str, channels))
        raise ValueError(
            f"expected {known} channels, got {images.shape[1]}; pick the channels that are colours"
        )


def require_share(value: float, name: str) -> None:
    """Raise ValueError unless 0 <= value <= 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"expected 0 <= {name} <= 1, got {value}; it is a share, not a percentage")


def uniform(images: Tensor, low: float, high: float, generator: Generator | None) -> Tensor:
    """One draw per image from [low, high): `[B]`, on the images' device and in their type."""
    draws = torch.rand(len(images), generator=generator, device=images.device, dtype=images.dtype)
    return low + (high - low) * draws


def coin(images: Tensor, probability: float, generator: Generator | None) -> Tensor:
    """True with the given probability, for each image: `[B]` of bool. Raises ValueError unless it lies in [0,
    1].
    """
    require_share(probability, "probability")
    return torch.rand(len(images), generator=generator, device=images.device) < probability


def per_image(value: float | Tensor, images: Tensor) -> Tensor:
    """A number, or one number an image `[B]`, shaped `[1 or B, 1, 1, 1]` to multiply images with.

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
    """The steps one after the other, all fed by the same generator."""

    def chain(images: Tensor, generator: Generator | None = None) -> Tensor:
        for step in steps:
            images = step(images, generator)
        return images

    return chain


def sometimes(step: Step, probability: float) -> Step:
    """The step for each image with this probability; the step must keep the images' shape. Raises ValueError
    outside [0, 1].
    """
    require_share(probability, "probability")

    def maybe(images: Tensor, generator: Generator | None = None) -> Tensor:
        members = coin(images, probability, generator).nonzero()[:, 0]
        return (
            images.index_copy(0, members, step(images[members], generator))
            if len(members)
            else images.clone()
        )

    return maybe


def varied(operation: Callable[[Tensor, Tensor], Tensor], low: float, high: float) -> Step:
    """A step from an operation of (images, amount [B]): the amount is uniform in [low, high), for each image."""
    return lambda images, generator=None: operation(images, uniform(images, low, high, generator))


def dispatch(
    images: Tensor, choice: Tensor, operations: Sequence[Callable[[Tensor, Tensor], Tensor] | None]
) -> Tensor:
    """Another operation for each image: image i goes through `operations[choice[i]]`; None leaves it as it
    is.

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
