"""From the section `augment` of a configuration to a function of a batch.

    shift         a small random affine map, no flip: digits
    flip_crop     mirror half of the images; of up to 64 pixels also padded by an eighth and cropped back
    randaugment   flip_crop, then two operations of RandAugment with `magnitude` of 30
    autoaugment   flip_crop, then AutoAugment with CIFAR-10's policy up to 64 pixels, ImageNet's beyond

Larger images come from folders, where the data set has cropped them at random already. Then come cutout,
random erasing, and mixup or CutMix; where both have an alpha each batch tosses a coin. A mixed batch has
"probs" [B, K] beside its "labels".

>>> from dlbook.recipes.run.sections import Augment
>>> transform = make_transform(Augment(policy="shift", mixup=0.2), num_classes=10)
>>> batch = {"images": torch.rand(4, 1, 28, 28), "labels": torch.arange(4)}
>>> mixed = transform(batch, Generator().manual_seed(0))
>>> sorted(mixed), mixed["probs"].shape
(['images', 'labels', 'probs'], torch.Size([4, 10]))
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from dlbook.augment import cutout, random_erasing
from dlbook.augment import digits as augment
from dlbook.augment.crops import random_crop
from dlbook.augment.geometric import random_flip
from dlbook.augment.policies import CIFAR10, IMAGENET, auto_augment, rand_augment
from dlbook.recipes.run.sections import Augment
from dlbook.regularize import cutmix, mixup
from dlbook.train.batches import Transform

__all__ = ["make_transform"]

Batch = dict[str, Tensor]
SMALL = 64  # pixels


def make_transform(section: Augment, num_classes: int) -> Transform | None:
    """Make the augmentation of training batches.

    Args:
        section: the policy and its strengths.
        num_classes: K >= 1; mixed labels are [B, K].

    Returns:
        (batch, generator) -> batch; None where nothing is to be done.

    Raises:
        ValueError: the policy is unknown.
    """
    if section == Augment():
        return None
    if section.policy not in POLICIES:
        raise ValueError(
            f"augment.policy: expected one of {', '.join(POLICIES)}, got {section.policy!r}; 'none' "
            "leaves the images as they are"
        )

    def transform(batch: Batch, generator: Generator) -> Batch:
        images = POLICIES[section.policy](batch["images"], generator, section)
        if section.cutout:
            side = max(2, round(section.cutout * images.shape[2]))
            images = cutout(images, side, generator=generator)
        if section.erasing:
            images = random_erasing(images, section.erasing, generator=generator)
        return batch | _mixed(images, batch["labels"], num_classes, section, generator)

    return transform


def _flip_crop(images: Tensor, generator: Generator, section: Augment) -> Tensor:
    images = random_flip(images, generator)
    return random_crop(images, generator, padding=max(1, images.shape[2] // 8)) if _small(images) else images


def _rand_augment(images: Tensor, generator: Generator, section: Augment) -> Tensor:
    return rand_augment(_flip_crop(images, generator, section), generator, magnitude=section.magnitude)


def _auto_augment(images: Tensor, generator: Generator, section: Augment) -> Tensor:
    return auto_augment(
        _flip_crop(images, generator, section), generator, CIFAR10 if _small(images) else IMAGENET
    )


def _small(images: Tensor) -> bool:
    return max(images.shape[2:]) <= SMALL


POLICIES = {
    "none": lambda images, generator, section: images,
    "shift": lambda images, generator, section: augment.weak(images, generator),
    "flip_crop": _flip_crop,
    "randaugment": _rand_augment,
    "autoaugment": _auto_augment,
}


def _mixed(images: Tensor, labels: Tensor, num_classes: int, section: Augment, generator: Generator) -> Batch:
    """The images, with "probs" if they were mixed."""
    kinds = [(mix, alpha) for mix, alpha in ((mixup, section.mixup), (cutmix, section.cutmix)) if alpha]
    if not kinds:
        return {"images": images}
    second = len(kinds) == 2 and bool(torch.rand((), generator=generator, device=images.device) < 0.5)
    mix, alpha = kinds[second]
    targets = F.one_hot(labels, num_classes).to(images.dtype)
    images, probs = mix(images, targets, alpha, generator=generator)
    return {"images": images, "probs": probs}
