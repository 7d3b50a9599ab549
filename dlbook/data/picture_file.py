"""Reading one picture from a file: the right way up, in RGB, and as what a network takes.

Whatever a decoder does with a damaged file, of whatever kind, ends as one `PictureError` that names the file.
Grey of more than 8 bits is scaled by the depth that the file declares:

    PNG of 16 bits, PGM with any maximum, JPEG 2000      0 is black, the largest number of the depth white
    TIFF of 12 or 16 bits                                the same; the other way round where white is 0
    signed, 32-bit and floating-point numbers            refused: which number is white is not in the file

Twelve bits of a microscope in a file of 16 use a sixteenth of its range, and come out nearly black: scale
such files first. What is transparent shows a white ground.

>>> from dlbook.data import data_dir
>>> read_picture(data_dir() / "photographs" / "cat.jpg").mode
'RGB'
"""

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION
from torch import Tensor
from torchvision.transforms import functional as F

__all__ = ["PictureError", "Preparation", "check_header", "read_picture"]

SIXTEEN_BITS = {"PNG": "I;16", "PPM": "I", "JPEG2000": "I;16"}  # format: the mode Pillow scales to 0..65535
MOST_PIXELS = 178_956_970  # of a prepared picture before the cut; Pillow's own limit for a file
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # EXIF's orientation: what makes the picture upright


class PictureError(ValueError):
    """A file that is no picture, or a picture that cannot be read; the message begins with the file."""


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

    def read(self, path: str | Path) -> Tensor:
        """Read a picture and prepare it: `[in_channels, *size]`.

        Raises:
            PictureError: the file cannot be read, or is so long and thin that resizing would fill the memory.
        """
        picture = read_picture(path)
        width, height = picture.size
        if width * height * (self.resize / min(width, height)) ** 2 > MOST_PIXELS:
            raise PictureError(
                f"{path}: expected a picture of at most {MOST_PIXELS:,} pixels once its shorter side has "
                f"{self.resize}, got one of {width} x {height}; cut it"
            )
        return self(picture)


def read_picture(path: str | Path) -> Image.Image:
    """Return a picture of any kind that Pillow reads, in RGB of 8 bits.

    It is turned as its EXIF data say (a camera held upright stores the picture lying); where those are
    damaged, it stays as it is stored. Grey of 12 or 16 bits is scaled by the file's depth. What is
    transparent is composited on white.

    Raises:
        PictureError: the file is missing, cannot be decoded, has too many pixels, or holds numbers whose
            range the file does not tell.
    """
    with _opened(path) as image:
        image.load()
        turn = TURNS.get(_orientation(image))
        opaque = _on_white(_eight_bits(image, path))
        return opaque if turn is None else opaque.transpose(turn)


def check_header(path: str | Path) -> None:
    """Read the header of a picture, which is fast; the pixels may still turn out to be damaged.

    Raises:
        PictureError: the header tells that the file is no picture, or one that is refused.
    """
    with _opened(path) as image:
        _white(image, path)


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    """The picture before its pixels are decoded; every failure inside becomes a PictureError."""
    try:
        # By its name, Pillow would map an uncompressed grey TIFF, with the sides of the turned picture.
        with open(path, "rb") as stream, _open_quietly(stream) as image:
            yield image
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"{path}: expected a picture within Pillow's limit of pixels, got more ({error}); scale it down"
        ) from error
    except Exception as error:  # decoders raise anything: struct.error, KeyError, AssertionError, ...
        what, fix = _why(Path(path), error)
        raise PictureError(f"{path}: expected a picture, got {what}; {fix}") from error


def _open_quietly(stream: BinaryIO) -> Image.Image:
    """Open without Pillow's warning of half its limit: it names no file, and the limit itself is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(stream)


def _why(path: Path, error: Exception) -> tuple[str, str]:
    """What the file is instead of a picture, and how to fix it."""
    if isinstance(error, UnidentifiedImageError):
        what = "Pillow does not recognise it" if path.stat().st_size else "it is empty"
        return f"a file that cannot be read ({what})", "replace or remove it"
    if path.is_symlink() and not path.exists():
        return f"a link to {path.readlink()}, which is not there", "repair or remove the link"
    if isinstance(error, FileNotFoundError):
        return "no file", "check the path"
    if isinstance(error, IsADirectoryError):
        return "a folder", "name the pictures in it"
    if isinstance(error, OSError) and error.errno in errno.errorcode:  # of the system, not of a decoder
        return f"a file that cannot be opened ({error.strerror})", "check its permissions and its disk"
    return f"a file that cannot be read ({str(error) or type(error).__name__})", "replace or remove it"


def _orientation(image: Image.Image) -> int:
    """EXIF's number, read alone: damaged data beside it do not matter. Pillow turns a TIFF itself while it
    loads the pixels, and forgets the number.
    """
    with suppress(Exception):
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    return 1


def _white(image: Image.Image, path: str | Path) -> int | None:
    """The number that is white in wide grey; None: the picture has 8 bits a channel."""
    if image.mode[0] not in "IF":
        return None
    if SIXTEEN_BITS.get(image.format) == image.mode:
        return 65535
    if image.format == "TIFF" and image.mode.startswith("I;16"):
        return 2 ** int(np.max(image.tag_v2[BITSPERSAMPLE])) - 1
    raise PictureError(
        f"{path}: expected grey of 8, 12 or 16 bits without a sign, got {image.format} of mode {image.mode}, "
        "whose numbers do not tell which of them is white; scale them to 0..65535, and save 16-bit grey"
    )


def _eight_bits(image: Image.Image, path: str | Path) -> Image.Image:
    white = _white(image, path)
    if white is None:
        return image
    values = np.asarray(image).astype(np.uint32)
    grey = ((255 * values + white // 2) // white).astype(np.uint8)
    if image.format == "TIFF" and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0:
        grey = 255 - grey  # 0 is white; Pillow turns 8 bits round, but not 16
    if "transparency" in image.info:  # a PNG's one transparent number
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey)


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
