"""A labelled set of images held in memory, and the stratified choice of a few labels.

>>> import torch
>>> labels = torch.tensor([0, 1, 0, 1, 0, 1])
>>> chosen = labelled_indices(labels, per_class=2, seed=0)
>>> labels[chosen].tolist()
[0, 0, 1, 1]
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.utils.data import Dataset


@dataclass(frozen=True, eq=False)
class LabelledImages(Dataset):
    """Images with one label each.

    Indexing follows the protocol of ``torch.utils.data.Dataset``: an integer gives (image [C, H, W], label as
    a 0-d tensor); a slice or an index tensor gives a batch, (images [B, C, H, W], labels [B]).

    Args:
        images: float32 [N, C, H, W] in [0, 1].
        labels: int64 [N] in [0, K).
        classes: the K names of the classes.
        factors: for drawn sets, each known factor as a tensor [N]; empty otherwise.

    Raises:
        ValueError: for other types, shapes or label values.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    factors: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self):
        if self.images.dtype != torch.float32 or self.images.ndim != 4:
            raise ValueError(
                f"images: expected float32 [N, C, H, W], got {_describe(self.images)}; divide bytes by "
                "255, add missing axes"
            )
        count = len(self.images)
        if self.labels.dtype != torch.int64 or self.labels.shape != (count,):
            raise ValueError(
                f"labels: expected int64 [{count}], one an image, got {_describe(self.labels)}; convert "
                "them with .long()"
            )
        if count and not (self.labels.min() >= 0 and self.labels.max() < len(self.classes)):
            raise ValueError(
                f"labels: expected values from 0 to {len(self.classes) - 1} for {len(self.classes)} "
                f"classes, got {int(self.labels.min())} to {int(self.labels.max())}; number the classes "
                "from 0"
            )
        for name, values in self.factors.items():
            if len(values) != count:
                raise ValueError(
                    f"factors[{name!r}]: expected {count} values, one an image, got {len(values)}; match them"
                )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]

    def __repr__(self) -> str:
        shape = " x ".join(str(size) for size in self.images.shape[1:])
        return f"LabelledImages({len(self):,} images of {shape}; {len(self.classes)} classes)"

    def subset(self, indices) -> "LabelledImages":
        """The images at ``indices`` (integers or a boolean mask), in that order, with the same classes."""
        chosen = torch.as_tensor(indices)
        if chosen.dtype == torch.bool and chosen.shape != self.labels.shape:
            raise ValueError(
                f"expected a mask of {len(self)} values, one an image, got {list(chosen.shape)}; give "
                "one for each image, or the numbers of the images"
            )
        chosen = chosen if chosen.dtype == torch.bool else chosen.long()
        factors = {name: values[chosen] for name, values in self.factors.items()}
        return LabelledImages(self.images[chosen], self.labels[chosen], self.classes, factors)

    def counts(self) -> dict[str, int]:
        """Number of images of each class."""
        return dict(
            zip(self.classes, torch.bincount(self.labels, minlength=len(self.classes)).tolist(), strict=True)
        )


def labelled_indices(
    labels: Tensor, per_class: int, seed: int = 0, classes: Sequence[str] | None = None
) -> Tensor:
    """Choose ``per_class`` examples of each class at random, without repetition.

    Args:
        labels: integers [N]; the classes are the values that occur.
        per_class: at least 1.
        seed: of the choice.
        classes: their names, for the error.

    Returns:
        int64 [K * per_class], class after class in ascending order. With the same seed a larger ``per_class``
        contains the smaller choice, so that curves over the number of labels compare like with like.

    Raises:
        ValueError: where a class has fewer than ``per_class`` examples.
    """
    labels = torch.as_tensor(labels)
    if labels.ndim != 1 or labels.is_floating_point() or labels.dtype == torch.bool or len(labels) == 0:
        raise ValueError(
            f"labels: expected integers [N] with N >= 1, got {_describe(labels)}; give the class of each "
            "example"
        )
    if per_class < 1:
        raise ValueError(f"expected per_class to be at least 1, got {per_class}; give an int such as 4")
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for label in labels.unique().tolist():
        members = (labels == label).nonzero().flatten().cpu()
        if len(members) < per_class:
            name = classes[label] if classes else label
            raise ValueError(
                f"expected per_class of at most {len(members)}, the examples of class {name}, got "
                f"{per_class}; ask for fewer"
            )
        chosen.append(members[torch.randperm(len(members), generator=generator)[:per_class]])
    return torch.cat(chosen)


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
