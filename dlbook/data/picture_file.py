"""Reading one picture from a file, the right way up.

>>> from dlbook.data import data_dir
>>> read_picture(data_dir() / "photographs" / "cat.jpg").mode
'RGB'
"""

from pathlib import Path

from PIL import Image, ImageOps

__all__ = ["read_picture"]


def read_picture(path: str | Path) -> Image.Image:
    """A picture of any kind that Pillow reads, in RGB, turned as its EXIF data say: a camera held upright
    stores the picture lying.

    Raises ValueError naming a file that is missing or cannot be decoded.
    """
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except FileNotFoundError as error:
        raise ValueError(f"{path}: expected a picture, there is no such file") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{path}: expected a picture, cannot read it ({error}); replace or remove the file"
        ) from error
