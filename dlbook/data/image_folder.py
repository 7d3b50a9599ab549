"""Pictures in folders, one folder a class; unreadable files are found and named when the set is made.

    root/cat/001.jpg, root/cat/002.png, root/dog/a.jpg, ...

A class without pictures, a file that is no picture and a picture that cannot be read are found when the set
is made, and named. Only the header of each file is read then, and of a set of more than 50,000 files not even
that; `check` decodes all of them. Training reads a file once and cuts it as often as it needs views. By
default that is one random crop (Szegedy et al. 2014, arXiv:1409.4842, section 6: 8 % to 100 % of the area,
aspect ratio 3:4 to 4:3), and every other picture is flipped. Evaluation resizes the shorter side to 8/7 of
the crop and takes the centre.

>>> ImageFolder("/nowhere", size=64)  # doctest: +ELLIPSIS
Traceback (most recent call last):
FileNotFoundError: /nowhere: expected a folder with one folder of pictures for each class, got no...
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, UnidentifiedImageError
from torch import Generator, Tensor
from torch.utils.data import Dataset
from torchvision.transforms import functional as F

from dlbook.augment.crops import draw_boxes
from dlbook.augment.views import Crop
from dlbook.data.picture_file import Preparation, read_picture

__all__ = ["ImageFolder"]

KINDS = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm"}
MOST_HEADERS = 50_000


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

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no classes, a class without pictures, a folder that is not among `classes`, or an
            unreadable file; all are named.
    """

    def __init__(self, root: str | Path, size: int, classes: Sequence[str] | None = None) -> None:
        self.root, self.size = Path(root).expanduser(), size
        if not self.root.is_dir():
            raise FileNotFoundError(
                f"{self.root}: expected a folder with one folder of pictures for each class, got no such "
                "folder; check the path"
            )
        if size < 1:
            raise ValueError(f"expected size to be at least 1 pixel, got {size}; such as 224")
        found = tuple(
            sorted(
                path.name for path in self.root.iterdir() if path.is_dir() and not path.name.startswith(".")
            )
        )
        self.classes = tuple(classes) if classes is not None else found
        if not found:
            raise ValueError(
                f"{self.root}: expected one folder for each class, got "
                f"{sum(1 for _ in self.root.iterdir())} files and no folder; sort the pictures into folders"
            )
        if unknown := [name for name in found if name not in self.classes]:
            raise ValueError(
                f"{self.root}: expected the folders {', '.join(self.classes)}, got also "
                f"{', '.join(unknown)}; remove or rename them"
            )
        pairs = [
            (file, label)
            for label, name in enumerate(self.classes)
            for file in sorted((self.root / name).glob("[!.]*"))  # without .DS_Store and its like
        ]
        self._refuse(pairs)
        self.files = [file for file, _ in pairs]
        self.labels = torch.tensor([label for _, label in pairs])
        self.preparation = Preparation(3, round(size * 8 / 7), (size, size))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """The middle of the picture.

        Raises:
            ValueError: if the file cannot be decoded; it names the file.
        """
        picture, label = self.read(index)
        return self.preparation(picture), label

    def read(self, index: int) -> tuple[Image.Image, int]:
        """The whole picture.

        Raises:
            ValueError: if the file cannot be decoded; it names the file.
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
            except ValueError as error:
                faults.append(str(error))
        return faults

    def _refuse(self, pairs: list[tuple[Path, int]]) -> None:
        faults = []
        for label, name in enumerate(self.classes):
            if not any(member == label for _, member in pairs):
                faults.append(
                    f"{self.root / name}: expected pictures, got none; add some or remove the folder"
                )
        for file, _ in pairs:
            if file.suffix.lower() not in KINDS:
                faults.append(
                    f"{file}: expected a picture ({', '.join(sorted(KINDS))}), got another kind; remove it"
                )
                continue
            if len(pairs) > MOST_HEADERS:
                continue
            try:
                with Image.open(file):
                    pass
            except (OSError, UnidentifiedImageError) as error:
                faults.append(
                    f"{file}: expected a picture, got a file that cannot be read ({error}); replace it"
                )
        if faults:
            more = [f"... and {len(faults) - 20} more"] if len(faults) > 20 else []
            raise ValueError(
                f"{self.root}: expected pictures in every class and nothing else, got {len(faults)} that are "
                "wrong; fix these:\n" + "\n".join(faults[:20] + more)
            )


def random_box(
    height: int, width: int, generator: Generator, area: tuple[float, float] = (0.08, 1.0)
) -> tuple[int, int, int, int]:
    """Draw top, left, height, width of a random crop of one picture, as `draw_boxes` does for a batch."""
    shape_only = torch.empty(()).expand(1, 1, height, width)
    return tuple(draw_boxes(shape_only, generator, area)[0].tolist())
