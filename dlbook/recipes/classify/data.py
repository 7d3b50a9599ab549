"""The images of a classification run: training, validation and test, from a section of its configuration.

The validation images are held out of the training images, the same share of each class, by the run's seed.
The test images are never looked at while training.

>>> from dlbook.recipes.classify.config import Data
>>> splits = load(Data(name="color_shapes"), seed=0)
>>> len(splits.train), len(splits.validation), len(splits.test)
(1803, 197, 500)
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from dlbook.data import LabelledImages, color_shapes, gather, mnist5k, torchvision_dataset
from dlbook.data.image_folder import ImageFolder
from dlbook.recipes.classify.config import Data

__all__ = ["Splits", "load"]

DRAWN = {"train": (2000, 0), "test": (500, 1)}  # color_shapes: how many, and the seed


@dataclass(frozen=True)
class Splits:
    """Examples (image [C, H, W], label) to train on, to choose by, and to report; test may be missing in an
    image folder.
    """

    train: Dataset
    validation: Dataset
    test: Dataset | None
    classes: tuple[str, ...]
    in_channels: int


def load(data: Data, seed: int) -> Splits:
    """Read the sets that the section names.

    Raises: ValueError or FileNotFoundError, saying the file and what to do, where a set is missing or faulty:
    a corrupt image, an empty class, too few images of a class to hold some out.
    """
    if data.name == "image_folder":
        return _folders(data, seed)
    whole, test = _in_memory(data)
    chosen, held_out = split(whole.labels, data.validation, seed)
    train = whole.subset(chosen if data.limit is None else chosen[: data.limit])
    return Splits(train, whole.subset(held_out), test, whole.classes, whole.images.shape[1])


def split(labels: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Indices to train on, in random order, and to hold out: `share` of each class, rounded down, at least
    one.

    labels: int64 [N]. share: in [0, 1); 0 holds out nothing. Raises ValueError for a class of one example.
    """
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    if share > 0:
        for label in labels.unique().tolist():
            members = order[labels[order] == label]
            if len(members) < 2:
                raise ValueError(
                    f"class {label} has one example: expected two or more to hold some out; set "
                    "data.validation=0 or add images"
                )
            held_out[members[: max(1, int(share * len(members)))]] = True
    return order[~held_out[order]], held_out.nonzero().flatten()


def _in_memory(data: Data) -> tuple[LabelledImages, LabelledImages]:
    if data.name == "mnist5k":
        return mnist5k("train"), mnist5k("test")
    if data.name == "color_shapes":
        return tuple(color_shapes(*DRAWN[part]) for part in ("train", "test"))
    return tuple(gather(torchvision_dataset(data.name, data.root, part)) for part in ("train", "test"))


def _folders(data: Data, seed: int) -> Splits:
    """root/train/class/picture; root/val is for validation, or a share of train; root/test is for the report,
    or val again.
    """
    root = Path(data.root).expanduser()
    train = ImageFolder(root / "train", data.image_size)
    others = {
        part: ImageFolder(root / part, data.image_size, classes=train.classes)
        for part in ("val", "test")
        if (root / part).is_dir()
    }
    chosen, held_out = split(train.labels, 0 if "val" in others else data.validation, seed)
    validation = others.get("val") or Subset(train, held_out.tolist())
    limited = chosen if data.limit is None else chosen[: data.limit]
    return Splits(
        _Drawn(train, limited.tolist()), validation, others.get("test") or others.get("val"), train.classes, 3
    )


class _Drawn(Subset):
    """A subset that still draws its crops."""

    def draw(self, index: int, generator: torch.Generator) -> tuple[Tensor, int]:
        return self.dataset.draw(self.indices[index], generator)
