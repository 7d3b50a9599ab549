"""Pictures come the right way up, in RGB, and what cannot be read is named. Depth and transparency are tested
in test_picture_depth.
"""

import io
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as F

from dlbook.data import picture_file
from dlbook.data.image_folder import ImageFolder
from dlbook.data.picture_file import PictureError, Preparation, check_header, read_picture

ORIENTATION = 0x0112  # EXIF's tag
UPRIGHT = np.repeat(np.arange(0, 240, 10, dtype=np.uint8).reshape(6, 4), 8, axis=0).repeat(
    8, axis=1
)  # 48 x 32, no symmetry


DAMAGED = {  # EXIF entries (tag, type, count, value) beside the orientation, and bytes after them
    "a resolution of -1/0": ((0x11A, 10, 1, 38), struct.pack("<ii", -1, 0)),
    "a float for a text": ((0x10E, 11, 1, 0x7FC00000), b""),
    "a negative width": ((0x100, 9, 1, 0xFFFFFFFB), b""),
    "a folder of tags before the file": ((0x8769, 9, 1, 0xFFFFFFFB), b""),
}
FAILURES = (struct.error("x"), KeyError("x"), AttributeError(), AssertionError(), IndexError(), EOFError())
FAILURES += (ZeroDivisionError(), TypeError("x"), SyntaxError("x"), OSError("x"), MemoryError())


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


def test_a_tiff_is_turned_once(tmp_path):
    lying(tmp_path / "a.tif", 6, np.rot90)
    assert np.array_equal(np.asarray(read_picture(tmp_path / "a.tif"))[..., 0], UPRIGHT)


@pytest.mark.parametrize("damage", DAMAGED)
def test_the_orientation_is_read_beside_damaged_exif(tmp_path, damage):
    entry, more = DAMAGED[damage]
    entries = struct.pack("<HHII", ORIENTATION, 3, 1, 6) + struct.pack("<HHII", *entry)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(4) + more
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(np.rot90(UPRIGHT))).save(stream, "jpeg", quality=95)
    jpeg, path = stream.getvalue(), tmp_path / "a.jpg"
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    difference = np.asarray(read_picture(path))[..., 0].astype(int) - UPRIGHT
    assert abs(difference).mean() < 2


def test_without_a_readable_orientation_a_picture_stays_as_it_is(tmp_path, monkeypatch):
    def damaged(image):
        raise struct.error("argument out of range")

    lying(tmp_path / "a.png", 6, np.rot90)
    monkeypatch.setattr(Image.Image, "getexif", damaged)
    assert np.array_equal(np.asarray(read_picture(tmp_path / "a.png"))[..., 0], np.rot90(UPRIGHT))


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_every_failure_of_a_decoder_names_the_file(tmp_path, monkeypatch, error):
    def fail(*given, **more):
        raise error

    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    for place in ("PIL.ImageFile.ImageFile.load", "PIL.Image.open"):  # the pixels; the header
        monkeypatch.setattr(place, fail)
        with pytest.raises(
            PictureError, match=r"a\.png: expected a picture, got a file that cannot be read \("
        ):
            read_picture(tmp_path / "a.png")
    with pytest.raises(PictureError, match=r"a\.png: "):
        check_header(tmp_path / "a.png")


def test_a_disk_that_fails_is_not_blamed_on_the_picture(tmp_path, monkeypatch):
    def fail(*given):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.png").touch()
    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(
        PictureError, match=r"a\.png: .*cannot be opened \(Permission denied\); check its perm"
    ):
        read_picture(tmp_path / "a.png")


def test_too_many_pixels_name_the_file(tmp_path, monkeypatch):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for read in (read_picture, check_header):
        with pytest.raises(PictureError, match=r"a\.png: .*limit of pixels.*64 pixels.*; scale it down"):
            read(tmp_path / "a.png")


def test_a_picture_of_half_the_limit_is_read_without_a_warning(tmp_path, monkeypatch, recwarn):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)  # Pillow warns from 40 on, and refuses from 80 on
    assert read_picture(tmp_path / "a.png").size == (8, 8)
    assert not [str(warning.message) for warning in recwarn]


def test_a_strip_that_would_fill_the_memory_names_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_file, "MOST_PIXELS", 10_000)
    Image.new("L", (100, 1)).save(tmp_path / "a.png")
    assert Preparation(3, 10, (9, 9)).read(tmp_path / "a.png").shape == (3, 9, 9)  # of 10 x 1000
    with pytest.raises(PictureError, match=r"a\.png: .* shorter side has 11, got one of 100 x 1; cut it"):
        Preparation(3, 11, (9, 9)).read(tmp_path / "a.png")


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.jpg: expected a picture, got no file"):
        read_picture(tmp_path / "none.jpg")
    (tmp_path / "a.jpg").write_bytes(b"hello")
    with pytest.raises(
        ValueError,
        match=r"a\.jpg: expected a picture, got a file that cannot be read .*; replace or remove it",
    ):
        read_picture(tmp_path / "a.jpg")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "link.jpg").symlink_to("/nowhere/b.jpg")
    for name, told in (
        ("empty.jpg", r"\(it is empty\)"),
        ("link.jpg", "a link to /nowhere/b.jpg, which is not there"),
        (".", "got a folder; name the pictures in it"),
    ):
        with pytest.raises(PictureError, match=told):
            read_picture(tmp_path / name)
