"""The images of a run: training, validation and test, from a section of its configuration.

The validation images are held out of the training images, the same share of each class, by the run's seed.
The test images are never looked at while training.

>>> from dlbook.recipes.run.sections import Data
>>> splits = load(Data(name="color_shapes"), seed=0)
>>> len(splits.train), len(splits.validation), len(splits.test)
(1803, 197, 500)
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Generator, Tensor
from torch.utils.data import Dataset, Subset

from dlbook.augment.views import Crop
from dlbook.data import (
    LabelledImages,
    color_shapes,
    gather,
    labelled_indices,
    mnist5k,
    torchvision_dataset,
)
from dlbook.data.class_folders import is_system_file
from dlbook.data.image_folder import ImageFolder
from dlbook.data.picture_file import Preparation
from dlbook.recipes.run.sections import Data
from dlbook.train.faults import at_key

__all__ = ["Pictures", "Splits", "fingerprint", "labelled", "limited", "load"]

DRAWN = {"train": (2000, 0), "test": (500, 1)}  # color_shapes: how many, and the seed
PARTS = ("train", "val", "test")  # folders of data.root

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Splits:
    """Examples (image [C, H, W], label) to train on, to choose by, and to report; test may be missing in an
    image folder. `preparation` makes a picture what these images are.
    """

    train: Dataset
    validation: Dataset
    test: Dataset | None
    classes: tuple[str, ...]
    preparation: Preparation

    @property
    def in_channels(self) -> int:
        """C of the images."""
        return self.preparation.in_channels


def load(data: Data, seed: int) -> Splits:
    """Read the sets that the section names.

    Args:
        data: the section of the configuration.
        seed: chooses which training images are held out.

    Raises:
        ValueError: a set is faulty (a corrupt image, an empty class, too few images of a class to hold some
            out); the message has the file and what to do.
        FileNotFoundError: a set is missing.
    """
    with at_key("data.root", FileNotFoundError):
        if data.name == "image_folder":
            return _folders(data, seed)
        whole, test = _in_memory(data)
    chosen, held_out = split(whole.labels, data.validation, seed, whole.classes)
    train = whole.subset(limited(chosen, whole.labels, data.limit))
    channels, height, width = whole.images.shape[1:]
    preparation = Preparation(channels, min(height, width), (height, width))
    return Splits(train, whole.subset(held_out), test, whole.classes, preparation)


def labelled(train: Dataset, per_class: int | None, seed: int) -> Dataset:
    """The training images whose labels may be seen: `per_class` of each class, by the seed; None: all."""
    if per_class is None:
        return train
    chosen = labelled_indices(train.labels, per_class, seed, train.classes)
    return train.subset(chosen) if isinstance(train, LabelledImages) else Pictures(train, chosen.tolist())


def fingerprint(train: Dataset) -> dict[str, str | int]:
    """Tell two sets of training images apart: how many examples there are, and a SHA-256.

    Of picture files the SHA-256 is of class and name, in order; of images in memory, of the labels.
    """
    digest = hashlib.sha256()
    if isinstance(train, Pictures):
        for file in train.files:
            digest.update(f"{file.parent.name}/{file.name}\n".encode())
    else:
        digest.update(train.labels.numpy().tobytes())
    return {"examples": len(train), "sha256": digest.hexdigest()}


def split(
    labels: Tensor, share: float, seed: int, classes: Sequence[str] | None = None
) -> tuple[Tensor, Tensor]:
    """Hold out the same share of each class, rounded down, at least one example.

    Args:
        labels: int64 [N].
        share: in [0, 1); 0 holds out nothing.
        seed: of the order.
        classes: their names, for the error.

    Returns:
        The indices to train on, in random order, and those that are held out.

    Raises:
        ValueError: a class has one example.
    """
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    if share > 0:
        for label in labels.unique().tolist():
            members = order[labels[order] == label]
            if len(members) < 2:
                name = classes[label] if classes else label
                raise ValueError(
                    f"data.validation: expected two examples or more of class {name} to hold one out, got "
                    f"{len(members)}; add images, or set data.validation=0"
                )
            held_out[members[: max(1, int(share * len(members)))]] = True
    return order[~held_out[order]], held_out.nonzero().flatten()


def limited(order: Tensor, labels: Tensor, limit: int | None) -> Tensor:
    """At most `limit` of the examples, as evenly from all classes as these have them.

    The counts of two classes differ by one at most, unless the smaller one is there as a whole.

    Args:
        order: int64 [N], indices of examples in random order; of a class the first ones are taken.
        labels: of all examples.
        limit: >= 1; None takes all.

    Returns:
        The indices that stay, in their order.
    """
    if limit is None or limit >= len(order):
        return order
    own, place = labels[order], torch.empty_like(order)
    for label in own.unique():  # the place of each example among those of its class
        members = own == label
        place[members] = torch.arange(int(members.sum()))
    return order[place.argsort(stable=True)[:limit].sort().values]


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
    _look_at(root)
    train = ImageFolder(root / "train", data.image_size)
    others = {
        part: ImageFolder(root / part, data.image_size, classes=train.classes)
        for part in ("val", "test")
        if (root / part).exists() or (root / part).is_symlink()  # a link that leads nowhere is told
    }
    chosen, held_out = split(
        train.labels, 0 if "val" in others else data.validation, seed, classes=train.classes
    )
    validation = others.get("val") or Subset(train, held_out.tolist())
    test = others.get("test") or others.get("val")
    few = limited(chosen, train.labels, data.limit)
    return Splits(Pictures(train, few.tolist()), validation, test, train.classes, train.preparation)


def _look_at(root: Path) -> None:
    """Refuse a folder whose classes do not lie in a part; name the folders that are no parts."""
    entries = root.iterdir() if root.is_dir() else ()
    found = sorted(path.name for path in entries if path.is_dir() and not is_system_file(path))
    strangers = [name for name in found if name not in PARTS]
    if not strangers:
        return
    train = root / "train"
    if "train" in found or train.is_symlink():
        log.warning("%s: ignored %s; expected %s", root, ", ".join(strangers), ", ".join(PARTS))
        return
    alike = [name for name in strangers if name.lower().startswith("train")]
    fix = f"rename {alike[0]} to train" if alike else f"move them into {train}"
    if root.name in PARTS:
        fix = f"set data.root={root.parent}, or {fix}"
    raise FileNotFoundError(
        f"{train}: expected a folder with one folder of pictures for each class, got none; {root} has the "
        f"folders {', '.join(strangers)}: {fix}"
    )


class Pictures(Subset):
    """Some pictures of a folder, still read and cut one by one.

    Args:
        dataset: an `ImageFolder`, or pictures of one.
        indices: which of them.
    """

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        super().__init__(dataset, indices)
        self.classes: tuple[str, ...] = dataset.classes
        self.labels: Tensor = dataset.labels[torch.tensor(indices)]
        self.files: list[Path] = [dataset.files[index] for index in indices]

    def read(self, index: int) -> tuple[Image.Image, int]:
        """The whole picture and its label."""
        return self.dataset.read(self.indices[index])

    def cut(self, picture: Image.Image, generator: Generator, crop: Crop | None = None) -> Tensor:
        """One view of a picture."""
        return self.dataset.cut(picture, generator, crop)
