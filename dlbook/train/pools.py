"""What a batch is made of: pools of examples, and the views of each example.

A pool is a data set and how many of its examples every batch takes. Supervised learning has one pool.
Semi-supervised learning has two, a labelled and an unlabelled one. A view is one picture of an example:
SimCLR takes two views of each, FixMatch a weak and a strong one, DINO two large and several small ones.

Where the examples are picture files, each view is a new crop of the file. Such a set has two methods beside
those of a data set:

    read(index)                       -> (picture, label), decoded once for all of its views
    cut(picture, generator, crop)     -> image [C, H, W]; `crop` is the view's, None stands for the set's own

>>> from dlbook.data import color_shapes
>>> pool = Pool(color_shapes(20), size=3, views={"weak": View(), "strong": View(step=lambda x, g: 1 - x)})
>>> sorted(pool.fetch([(0, 7), (0, 2), (1, 7)], seed=0))
['indices', 'labels', 'strong', 'weak']
"""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor
from torch.utils.data import Dataset

__all__ = ["Batch", "Place", "Pool", "Step", "View", "examples", "generator_of"]

Batch = dict[str, Tensor]
Place = tuple[int, int]  # (round of the walk, index of the example)
Step = Callable[[Tensor, Generator], Tensor]


def generator_of(*key: Any, device: str | torch.device = "cpu") -> Generator:
    """Give random numbers that depend on the key alone, and are unrelated for different keys."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return Generator(device).manual_seed(int.from_bytes(digest[:4], "little"))


@dataclass(frozen=True)
class View:
    """Say how one picture of an example is made: first the crop, then the step.

    Args:
        crop: what is cut out of a picture file, given to the set's `cut`. Images in memory are cut as a
            batch, by crop(images, generator). None: the set's own crop, or the whole image.
        step: (images [B, C, H, W], generator) -> images, for the batch on its device; None changes nothing.
    """

    crop: Any = None
    step: Step | None = None


@dataclass(frozen=True)
class Pool:
    """A data set, and what each batch takes of it.

    Args:
        dataset: examples (image [C, H, W], label) by index.
        size: examples a batch, in this process.
        views: name in the batch -> view; the images have one shape within a view.
        labels: name of the labels in the batch; None keeps them hidden.
        indices: name of the examples' indices in the batch; None leaves them out.

    Raises:
        ValueError: an empty data set, no views, a size below 1, or labels that are not int64.
    """

    dataset: Dataset
    size: int
    views: Mapping[str, View] = field(default_factory=lambda: {"images": View()})
    labels: str | None = "labels"
    indices: str | None = "indices"

    def __post_init__(self) -> None:
        held = getattr(self.dataset, "labels", None)
        if self.labels and isinstance(held, Tensor) and held.dtype != torch.int64:
            raise ValueError(
                f"expected labels of type int64, got a data set of {held.dtype}; convert them with .long()"
            )
        if self.size < 1 or len(self.dataset) < 1 or not self.views:
            raise ValueError(
                f"expected size >= 1, one example and one view at least, got size {self.size}, "
                f"{len(self.dataset)} examples, views {list(self.views)}; raise what is 0 or empty"
            )

    @property
    def name(self) -> str:
        """The name of the first view; the order of the pool's examples depends on it."""
        return next(iter(self.views))

    @property
    def cuts_files(self) -> bool:
        """Whether the crops are cut out of picture files."""
        return hasattr(self.dataset, "cut")

    def names(self) -> list[str]:
        """The names that this pool puts into a batch."""
        return [*self.views, *(name for name in (self.labels, self.indices) if name)]

    def without_steps(self) -> "Pool":
        """The pool as worker processes need it: they fetch and cut, the steps come later on the device."""
        return dataclasses.replace(
            self, views={name: View(crop=view.crop) for name, view in self.views.items()}
        )

    def fetch(self, places: Sequence[Place], seed: int) -> Batch:
        """Read the examples at `places`, before any step. A crop depends on (seed, view, round, index) only.

        Raises:
            ValueError: the images of a view differ in shape; the first that does is named.
        """
        indices = [index for _, index in places]
        if self.cuts_files:
            found = [self._cut(place, seed) for place in places]
            batch = {name: stack([images[name] for images, _ in found], indices) for name in self.views}
            labels = torch.tensor([label for _, label in found])
        else:
            plain = examples(self.dataset, indices)
            batch, labels = dict.fromkeys(self.views, plain["images"]), plain["labels"]
        if self.labels:
            batch[self.labels] = labels
        if self.indices:
            batch[self.indices] = torch.tensor(indices)
        return batch

    def _cut(self, place: Place, seed: int) -> tuple[dict[str, Tensor], int]:
        """All views of one file."""
        turn, index = place
        picture, label = self.dataset.read(index)
        return {
            name: self.dataset.cut(picture, generator_of(seed, name, turn, index), view.crop)
            for name, view in self.views.items()
        }, int(label)


def examples(dataset: Dataset, indices: Sequence[int]) -> Batch:
    """Take examples as they are. A set that holds its images as one tensor is asked for all of them at once.

    Args:
        dataset: index -> (image, label).
        indices: which examples, B of them.

    Returns:
        {"images": [B, C, H, W], "labels": int64 [B], "indices": int64 [B]}.

    Raises:
        ValueError: the images differ in shape.
    """
    if isinstance(getattr(dataset, "images", None), Tensor):
        images, labels = dataset[torch.tensor(indices)]
    else:
        found = [dataset[index] for index in indices]
        images = stack([image for image, _ in found], indices)
        labels = torch.tensor([int(label) for _, label in found])
    return {"images": images, "labels": labels, "indices": torch.tensor(indices)}


def stack(images: Sequence[Tensor], indices: Sequence[int]) -> Tensor:
    """Stack images of one shape.

    Args:
        images: B images [C, H, W].
        indices: their numbers in the set, for the message.

    Raises:
        ValueError: an image has another shape; the first such is named.
    """
    for image, index in zip(images, indices, strict=True):
        if image.shape != images[0].shape:
            raise ValueError(
                f"expected images of one shape in a batch, got {list(images[0].shape)} (example "
                f"{indices[0]}) and {list(image.shape)} (example {index}); "
                "crop or resize them in the data set"
            )
    return torch.stack(list(images))
