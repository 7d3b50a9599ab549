"""Batches of FixMatch's protocol: a few labelled images, and many unlabelled ones in weak and strong views.

Sohn et al. 2020, arXiv:2001.07685, sections 2.3 and 4.1. The labelled images are unlabelled images as well.
The section `augment` gives the views:

    policy        weak view                         strong view
    shift         a small affine map (digits)       a large one, stroke width, contrast and Cutout
    randaugment   mirrored, padded and cropped      the same, RandAugment, then Cutout of half the side

>>> sorted(VIEWS)
['randaugment', 'shift']
"""

from functools import partial

from torch import Generator, Tensor

from dlbook.augment import cutout, digits
from dlbook.recipes.classify.augment import POLICIES
from dlbook.recipes.run.config import RunConfig
from dlbook.recipes.run.data import Splits, labelled
from dlbook.recipes.run.sections import Augment
from dlbook.train.pools import Pool, Step, View

__all__ = ["VIEWS", "weak_strong"]

KINDS = {  # views of the unlabelled images: name in the batch -> which of the two steps makes it
    "pseudo_label": {"weak": "weak"},
    "pi_model": {"first": "weak", "second": "weak"},
}


def _mirrored_and_cropped(images: Tensor, generator: Generator, section: Augment) -> Tensor:
    return POLICIES["flip_crop"](images, generator, section)


def _rand_augmented(images: Tensor, generator: Generator, section: Augment) -> Tensor:
    images = POLICIES["randaugment"](images, generator, section)
    return cutout(images, max(2, images.shape[2] // 2), generator=generator)


VIEWS = {  # policy -> the weak and the strong step
    "shift": {
        "weak": lambda images, generator, section: digits.weak(images, generator),
        "strong": lambda images, generator, section: digits.strong(images, generator),
    },
    "randaugment": {"weak": _mirrored_and_cropped, "strong": _rand_augmented},
}


def weak_strong(config: RunConfig, splits: Splits, share: int) -> list[Pool]:
    """Make two pools, of a `SemiBatch`: labelled and unlabelled.

    Args:
        config: names the policy, the data and the sizes of a batch of all processes.
        splits: the images of the run.
        share: processes that share a batch, >= 1.

    Raises:
        ValueError: the policy has no weak and strong view.
    """
    steps = _steps(config.augment)
    kinds = KINDS.get(config.method.name, {"weak": "weak", "strong": "strong"})
    few = labelled(splits.train, config.data.labels_per_class, config.seed)
    return [
        Pool(
            few,
            config.data.batch_size // share,
            views={"labelled": View(step=steps["weak"])},
            indices=None,
        ),
        Pool(
            splits.train,
            config.data.unlabelled_batch_size // share,
            views={name: View(step=steps[kind]) for name, kind in kinds.items()},
            labels=None,
        ),
    ]


def _steps(section: Augment) -> dict[str, Step]:
    if section.policy not in VIEWS:
        raise ValueError(
            f"augment.policy: expected one of {', '.join(VIEWS)} for weak and strong views, got "
            f"{section.policy!r}; shift is for digits, randaugment for photographs"
        )
    return {kind: partial(step, section=section) for kind, step in VIEWS[section.policy].items()}
