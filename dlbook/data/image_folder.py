"""Pictures in folders, one folder a class; unreadable files are found and named when the set is made.

    root/cat/001.jpg, root/cat/002.png, root/dog/a.jpg, ...

A class without pictures, a file that is no picture and a picture that cannot be read are found when the set
is made, and named. Only the header of each file is read then, and of a set of more than 50,000 files not even
that; `check` decodes all of them. Hidden and system files are ignored, and named once. Training reads a file
once and cuts it as often as it needs views. By default that is one random crop (Szegedy et al. 2014,
arXiv:1409.4842, section 6: 8 % to 100 % of the area, aspect ratio 3:4 to 4:3), and every other picture is
flipped. Evaluation resizes the shorter side to 8/7 of the crop and takes the centre.

>>> ImageFolder("/nowhere", size=64)  # doctest: +ELLIPSIS
Traceback (most recent call last):
FileNotFoundError: /nowhere: expected a folder with one folder of pictures for each class, got no...
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Generator, Tensor
from torch.utils.data import Dataset
from torchvision.transforms import functional as F

from dlbook.augment.crops import draw_boxes
from dlbook.augment.views import Crop
from dlbook.data.class_folders import find_classes
from dlbook.data.picture_file import PictureError, Preparation, read_picture

__all__ = ["ImageFolder"]


class ImageFolder(Dataset):
    """Images [3, size, size] in [0, 1] with the number of their folder, in alphabetical order.

    Args:
        root: the folder of the class folders.
        size: side of the crops, in pixels.
        classes: names that the folders must have, such as those of the training images; None takes what there
            is.

    Attributes:
        files: paths of the N examples.
        labels: int64 [N].
        classes: K names, in the order of the labels.
        preparation: how evaluation sees a picture.
        ignored: paths of hidden and system files, and of plain files beside the class folders.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no classes, a class without pictures or without a folder, a folder that is not among
            `classes`, or an unreadable file; all are named.
    """

    def __init__(self, root: str | Path, size: int, classes: Sequence[str] | None = None) -> None:
        self.root, self.size = Path(root).expanduser(), size
        if size < 1:
            raise ValueError(f"expected size to be at least 1 pixel, got {size}; such as 224")
        found = find_classes(self.root, classes)
        self.files, self.classes, self.ignored = found.files, found.classes, found.ignored
        self.labels = torch.tensor(found.labels)
        self.preparation = Preparation(3, round(size * 8 / 7), (size, size))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """The middle of the picture.

        Raises:
            PictureError: the file cannot be decoded; it names the file.
        """
        return self.preparation.read(self.files[index]), int(self.labels[index])

    def read(self, index: int) -> tuple[Image.Image, int]:
        """The whole picture.

        Raises:
            PictureError: the file cannot be decoded; it names the file.
        """
        return read_picture(self.files[index]), int(self.labels[index])

    def cut(self, picture: Image.Image, generator: Generator, crop: Crop | None = None) -> Tensor:
        """Cut a random crop, `[3, crop.size, crop.size]`; None: one of the set's size, flipped half of the
        time.
        """
        chosen = crop or Crop(self.size)
        box = random_box(picture.height, picture.width, generator, chosen.area)
        image = F.to_tensor(F.resized_crop(picture, *box, [chosen.size, chosen.size], antialias=True))
        flip = crop is None and torch.rand((), generator=generator) < 0.5
        return image.flip(2) if flip else image

    def check(self) -> list[str]:
        """Decode every picture; a sentence for each that cannot be."""
        faults = []
        for file in self.files:
            try:
                read_picture(file)
            except PictureError as error:
                faults.append(str(error))
        return faults


def random_box(
    height: int, width: int, generator: Generator, area: tuple[float, float] = (0.08, 1.0)
) -> tuple[int, int, int, int]:
    """Draw top, left, height, width of a random crop of one picture, as `draw_boxes` does for a batch."""
    shape_only = torch.empty(()).expand(1, 1, height, width)
    return tuple(draw_boxes(shape_only, generator, area)[0].tolist())
