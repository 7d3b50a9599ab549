"""Reading one picture from a file, the right way up, and making it what a network takes.

>>> from dlbook.data import data_dir
>>> read_picture(data_dir() / "photographs" / "cat.jpg").mode
'RGB'
"""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms import functional as F

__all__ = ["Preparation", "read_picture"]


@dataclass(frozen=True)
class Preparation:
    """How a picture becomes an input: in the channels, resized, the middle cut out, values in [0, 1].

    Evaluation and prediction share it, so that a network is asked about what it was measured on.

    Args:
        in_channels: 3 for RGB; 1 for grey.
        resize: length of the shorter side before the cut, in pixels.
        size: height and width of the input.

    >>> Preparation(in_channels=1, resize=32, size=(28, 28))(Image.new("RGB", (64, 40))).shape
    torch.Size([1, 28, 28])
    """

    in_channels: int
    resize: int
    size: tuple[int, int]

    def __call__(self, picture: Image.Image) -> Tensor:
        """Prepare one picture: `[in_channels, *size]`."""
        picture = picture.convert("L") if self.in_channels == 1 else picture
        return F.to_tensor(F.center_crop(F.resize(picture, self.resize, antialias=True), list(self.size)))


def read_picture(path: str | Path) -> Image.Image:
    """Return a picture of any kind that Pillow reads, in RGB, turned as its EXIF data say: a camera held
    upright stores the picture lying.

    Raises:
        ValueError: if the file is missing or cannot be decoded; it names the file.
    """
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except FileNotFoundError as error:
        raise ValueError(f"{path}: expected a picture, got no file; check the path") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{path}: expected a picture, got a file that cannot be read ({error}); replace or remove it"
        ) from error
