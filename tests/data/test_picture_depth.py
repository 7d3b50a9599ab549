"""Grey of 12 and 16 bits is scaled by the depth of its file, and equals the same picture in 8 bits; where the
depth is unknown, the picture is refused. What is transparent shows white.
"""

import struct

import numpy as np
import pytest
import torch
from PIL import Image

from dlbook.data.image_folder import ImageFolder
from dlbook.data.picture_file import PictureError, Preparation, read_picture

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)
SIXTEEN = GREY.astype(np.uint16) * 257
TWELVE = np.round(GREY * (4095 / 255)).astype(np.uint16)


def tiff(path, data, bits, *, order="<", white=1, sample=1):
    """One strip of grey, 16 x 16; `white` 0: zero is white; `sample` 1: without sign, 2: with, 3: float."""
    shorts = ((256, 16), (257, 16), (258, bits), (259, 1), (262, white), (277, 1), (278, 16), (339, sample))
    entries = [struct.pack(order + "HHIHH", tag, 3, 1, value, 0) for tag, value in shorts]
    offset = 8 + 2 + 12 * (len(shorts) + 2) + 4
    entries += [
        struct.pack(order + "HHII", 273, 4, 1, offset),
        struct.pack(order + "HHII", 279, 4, 1, len(data)),
    ]
    entries.sort(key=lambda entry: struct.unpack_from(order + "H", entry))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    path.write_bytes(head + b"".join(entries) + bytes(4) + data)


def packed(values):
    """Two numbers of 12 bits in three bytes."""
    bits = np.unpackbits(values.astype(">u2").view(np.uint8).reshape(-1, 2), axis=1)[:, 4:]
    return np.packbits(bits).tobytes()


def plain(values, white):
    return f"P2 16 16 {white}\n{' '.join(map(str, values.flatten().tolist()))}\n".encode()


DEEP = {
    "a.png": lambda path: Image.fromarray(SIXTEEN).save(path),
    "a.jp2": lambda path: Image.fromarray(SIXTEEN).save(path),
    "little.tif": lambda path: tiff(path, SIXTEEN.astype("<u2").tobytes(), 16),
    "big.tif": lambda path: tiff(path, SIXTEEN.astype(">u2").tobytes(), 16, order=">"),
    "white_is_0.tif": lambda path: tiff(path, (65535 - SIXTEEN).astype("<u2").tobytes(), 16, white=0),
    "twelve.tif": lambda path: tiff(path, packed(TWELVE), 12),
    "a.pgm": lambda path: path.write_bytes(b"P5 16 16 65535\n" + SIXTEEN.astype(">u2").tobytes()),
    "twelve.pgm": lambda path: path.write_bytes(b"P5 16 16 4095\n" + TWELVE.astype(">u2").tobytes()),
    "plain.pgm": lambda path: path.write_bytes(plain(TWELVE, 4095)),
}
UNKNOWN = {
    "I.tif": lambda path: Image.fromarray(SIXTEEN.astype(np.int32)).save(path),
    "F.tif": lambda path: Image.fromarray(GREY / np.float32(255)).save(path),
    "signed.tif": lambda path: tiff(path, SIXTEEN.astype("<u2").tobytes(), 16, sample=2),
    "unsigned32.tif": lambda path: tiff(path, SIXTEEN.astype("<u4").tobytes(), 32),
    "F.ppm": lambda path: path.write_bytes(b"Pf 16 16 -1.0\n" + GREY.astype("<f4").tobytes()),
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_grey_is_the_same_picture_in_eight_bits(tmp_path, name):
    (tmp_path / "cat").mkdir()
    path = tmp_path / "cat" / name
    DEEP[name](path)
    assert np.array_equal(np.asarray(read_picture(path)), np.stack([GREY] * 3, axis=-1))
    for channels in (1, 3):
        prepare, grey = Preparation(channels, 18, (16, 16)), Image.fromarray(GREY).convert("RGB")
        assert torch.equal(prepare.read(path), prepare(grey))
    assert torch.equal(ImageFolder(tmp_path, 16)[0][0], prepare(grey))  # 8/7 of 16 are 18


@pytest.mark.parametrize("name", UNKNOWN)
def test_numbers_of_unknown_range_are_refused(tmp_path, name):
    (tmp_path / "cat").mkdir()
    path = tmp_path / "cat" / name
    UNKNOWN[name](path)
    with pytest.raises(PictureError, match=rf"{name}: expected grey of 8, 12 or 16 bits .* save 16-bit grey"):
        read_picture(path)
    with pytest.raises(ValueError, match=rf"got 1 that are wrong.*\n.*{name}: expected grey of 8, 12 or 16"):
        ImageFolder(tmp_path, 16)


def pixel(tmp_path, image, **more):
    image.save(tmp_path / "a.png", **more)
    return np.asarray(read_picture(tmp_path / "a.png"))[0, 0].tolist()


def test_what_is_transparent_shows_white(tmp_path):
    assert pixel(tmp_path, Image.new("RGBA", (2, 2), (255, 0, 0, 0))) == [255, 255, 255]  # no hidden red
    assert pixel(tmp_path, Image.new("RGBA", (2, 2), (250, 0, 100, 51))) == [254, 204, 224]  # a fifth of it
    assert pixel(tmp_path, Image.new("LA", (2, 2), (0, 102))) == [153, 153, 153]
    red = Image.new("RGB", (2, 2), (250, 0, 0)).convert("P", palette=Image.Palette.ADAPTIVE)
    assert pixel(tmp_path, red) == [250, 0, 0]
    assert pixel(tmp_path, red, transparency=red.getpixel((0, 0))) == [255, 255, 255]
    for mode, colour in (("L", 7), ("RGB", (7, 8, 9)), ("I;16", 1799)):
        assert pixel(tmp_path, Image.new(mode, (2, 2), colour), transparency=colour) == [255, 255, 255]


def test_opaque_pixels_stay_as_they_are(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(colours).convert("RGBA").save(tmp_path / "a.png")
    assert np.array_equal(np.asarray(read_picture(tmp_path / "a.png")), colours)
