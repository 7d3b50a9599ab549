"""Pictures come the right way up, in RGB, and what cannot be read is named."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as F

from dlbook.data.image_folder import ImageFolder
from dlbook.data.picture_file import read_picture

ORIENTATION = 0x0112  # EXIF's tag
UPRIGHT = np.repeat(np.arange(0, 240, 10, dtype=np.uint8).reshape(6, 4), 8, axis=0).repeat(
    8, axis=1
)  # 48 x 32, no symmetry


def lying(path, tag, turn):
    """Write UPRIGHT as a camera would that was held so: turned, with the tag that says how to turn
    it back.
    """
    exif = Image.Exif()
    exif[ORIENTATION] = tag
    Image.fromarray(np.ascontiguousarray(turn(UPRIGHT))).save(path, exif=exif)


@pytest.mark.parametrize(
    "tag, turn",
    [
        (1, lambda x: x),
        (3, lambda x: x[::-1, ::-1]),
        (6, np.rot90),
        (8, lambda x: np.rot90(x, -1)),
        (2, np.fliplr),
    ],
)
def test_exif_turns_the_picture_upright(tmp_path, tag, turn):
    lying(tmp_path / "a.png", tag, turn)
    picture = read_picture(tmp_path / "a.png")
    assert picture.mode == "RGB" and np.array_equal(np.asarray(picture)[..., 0], UPRIGHT)


def test_a_folder_gives_the_same_examples_whichever_way_the_camera_was_held(tmp_path):
    for name, tag, turn in (("held_level/a/0.png", 1, lambda x: x), ("held_upright/a/0.png", 6, np.rot90)):
        (tmp_path / name).parent.mkdir(parents=True)
        lying(tmp_path / name, tag, turn)
    level, upright = (ImageFolder(tmp_path / name, 16) for name in ("held_level", "held_upright"))
    assert torch.equal(level[0][0], upright[0][0])
    one, other = (
        folder.cut(folder.read(0)[0], torch.Generator().manual_seed(3)) for folder in (level, upright)
    )
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    "mode, value", [("L", 90), ("RGBA", (90, 90, 90, 40)), ("P", 3), ("CMYK", (0, 0, 0, 165)), ("1", 1)]
)
def test_any_kind_becomes_rgb(tmp_path, mode, value):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.new(mode, (5, 4), value).save(path)
    assert F.pil_to_tensor(read_picture(path)).shape == (3, 4, 5)


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.jpg: expected a picture, got no file"):
        read_picture(tmp_path / "none.jpg")
    (tmp_path / "a.jpg").write_bytes(b"hello")
    with pytest.raises(
        ValueError,
        match=r"a\.jpg: expected a picture, got a file that cannot be read .*; replace or remove it",
    ):
        read_picture(tmp_path / "a.jpg")
