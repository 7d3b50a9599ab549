"""Larger sets through torchvision, for readers who have them or have a network.

A set is loaded from the folder that is named, and downloaded only where ``download=True`` asks for it. The
download says what it fetches, from where and how large it is, and shows a progress bar.

>>> torchvision_dataset("cifar10", root="/nowhere", split="train")  # doctest: +ELLIPSIS
Traceback (most recent call last):
FileNotFoundError: expected the complete files of cifar10 in /nowhere/cifar-10-batches-py, got none...
"""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.data import Dataset
from torchvision import datasets
from torchvision.transforms import functional as F

from dlbook.checks import require_one_of
from dlbook.data.class_folders import find_classes
from dlbook.data.labelled import LabelledImages
from dlbook.data.picture_file import read_picture


@dataclass(frozen=True)
class DatasetSource:
    """Says where a set comes from.

    Attributes:
        build: torchvision's class.
        folder: the folder that it makes.
        megabytes: size of the download.
        citation: who made it.
    """

    build: type
    folder: str
    megabytes: int
    citation: str


SOURCES = {
    "cifar10": DatasetSource(
        datasets.CIFAR10, "cifar-10-batches-py", 170, "Krizhevsky 2009, 60,000 colour images of 32 x 32"
    ),
    "cifar100": DatasetSource(
        datasets.CIFAR100, "cifar-100-python", 169, "Krizhevsky 2009, 100 classes of 600 images"
    ),
    "fashion_mnist": DatasetSource(
        datasets.FashionMNIST, "FashionMNIST/raw", 31, "Xiao et al. 2017, arXiv:1708.07747"
    ),
}
NAMES = (*SOURCES, "image_folder")


def torchvision_dataset(name: str, root, split: str, download: bool = False, transform=None) -> Dataset:
    """Open one split of a set, as torchvision's own class for it.

    Args:
        name: "cifar10", "cifar100", "fashion_mnist", or "image_folder" for any set laid out as ImageNet is,
            ``root/split/class/picture``.
        root: the folder where the set is, or will be.
        split: "train" or "test"; the name of the folder, often "val", for "image_folder".
        download: fetch what is missing.
        transform: applied to each PIL image; see :func:`gather` for the whole set as one tensor.

    Raises:
        ValueError: an unknown name or split, an image folder that cannot be downloaded, or one in which
            something is wrong.
        FileNotFoundError: files are missing or fail torchvision's checksum; the error says the call that
            fetches them.
    """
    require_one_of("name", name, NAMES)
    root = Path(root).expanduser()
    if name == "image_folder":
        return _image_folder(root, split, download, transform)
    require_one_of("split", split, ("train", "test"))
    source = SOURCES[name]
    if download:
        print(
            f"{name}: {source.citation}. Fetching about {source.megabytes} MB into {root} unless it "
            "is there already."
        )
    try:
        return source.build(root, train=split == "train", download=download, transform=transform)
    except RuntimeError as error:
        if download:
            raise
        asked = f"{json.dumps(name)}, {json.dumps(str(root), ensure_ascii=False)}, {json.dumps(split)}"
        call = f"from dlbook.data import torchvision_dataset as get; get({asked}, download=True)"
        raise FileNotFoundError(
            f"expected the complete files of {name} in {root / source.folder}, got none or others; none is "
            f"downloaded unasked: to fetch about {source.megabytes} MB, run python -c {shlex.quote(call)} or "
            "name the folder that has them (data.root of a configuration)"
        ) from error


def _image_folder(root: Path, split: str, download: bool, transform) -> Dataset:
    if download:
        raise ValueError(
            "expected download=False, got True; an image folder has no address: put the pictures under "
            "root/split/class/ yourself"
        )
    folder = root / split
    if not folder.is_dir():
        found = (
            ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir()))
            if root.is_dir()
            else "no such root"
        )
        raise FileNotFoundError(
            f"expected the folder {folder}, with one folder a class as ImageNet has it: "
            f"root/split/class/picture, got in {root}: {found or 'no folder'}; ImageNet itself is given "
            "out by image-net.org after registration"
        )
    return PictureFolder(folder, transform=transform, loader=read_picture)


class PictureFolder(datasets.ImageFolder):
    """torchvision's class, which here finds and reads pictures as `dlbook.data.image_folder` does: the right
    way up, 16-bit grey by its depth, without what systems leave in folders.
    """

    def find_classes(self, directory: str | Path) -> tuple[list[str], dict[str, int]]:
        """The names of the classes, and the number of each."""
        self._found = find_classes(Path(directory))
        return list(self._found.classes), {name: label for label, name in enumerate(self._found.classes)}

    def make_dataset(self, *given, **more) -> list[tuple[str, int]]:
        """The pictures that were found, each with the number of its class."""
        return list(zip(map(str, self._found.files), self._found.labels, strict=True))


def gather(dataset: Dataset, limit: int | None = None) -> LabelledImages:
    """Load the first pictures of a torchvision set into memory, as the bundled sets are.

    Args:
        dataset: gives (PIL image, integer) pairs, all of one size, and has ``classes``.
        limit: how many; None takes all.

    Returns:
        Images float32 [N, C, H, W] in [0, 1].

    Raises:
        ValueError: the pictures differ in size.
    """
    count = len(dataset) if limit is None else min(limit, len(dataset))
    pairs = [dataset[i] for i in range(count)]
    sizes = {image.size for image, _ in pairs}
    if len(sizes) != 1:
        raise ValueError(
            f"expected pictures of one size, got {len(sizes)} sizes; give a transform that resizes"
        )
    images = torch.stack([F.pil_to_tensor(image) for image, _ in pairs]).float() / 255
    return LabelledImages(images, torch.tensor([label for _, label in pairs]), tuple(dataset.classes))
