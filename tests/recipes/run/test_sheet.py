"""A sheet of pictures: each in its place, small ones sharp, long lines cut."""

import pytest
import torch
from PIL import ImageChops

from dlbook.recipes.run.sheet import GAP, LINE, SIDE, sheet


def place(row, column, lines=1):
    return column * (SIDE + GAP) + GAP // 2, row * (SIDE + lines * LINE + 2 * GAP) + GAP


def test_each_picture_is_in_its_place():
    grey = [torch.full((1, 2, 2), value / 10) for value in range(7)]
    whole = sheet(grey, [("",)] * 7, columns=3)
    assert whole.size == (3 * (SIDE + GAP), 3 * (SIDE + LINE + 2 * GAP))
    for number in range(7):
        left, top = place(*divmod(number, 3))
        for x, y in ((0, 0), (SIDE - 1, SIDE - 1)):
            assert whole.getpixel((left + x, top + y)) == (int(number / 10 * 255),) * 3
    left, top = place(2, 1)
    assert whole.getpixel((left, top)) == (255, 255, 255)


def test_small_pictures_stay_sharp_and_long_ones_keep_their_shape():
    halves = torch.cat([torch.zeros(3, 4, 2), torch.ones(3, 4, 2)], dim=2)
    whole = sheet([halves, torch.zeros(3, 300, 600)], [("",)] * 2)
    left, top = place(0, 0)
    row = [whole.getpixel((left + x, top + 5)) for x in range(SIDE)]
    assert set(row) == {(0, 0, 0), (255, 255, 255)} and row.count((0, 0, 0)) == SIDE // 2
    left, top = place(0, 1)
    assert whole.getpixel((left + 5, top + SIDE // 2 - 1)) == (0, 0, 0)
    assert whole.getpixel((left + 5, top + SIDE // 2 + 1)) == (255, 255, 255)


def test_captions_stay_below_their_pictures():
    pictures = [torch.ones(3, 8, 8)] * 2
    empty, short, long = (
        sheet(pictures, [(text, ""), ("", "")])
        for text in ("", "is 4", "is a very long name of a class " * 9)
    )
    for told in (short, long):
        left, top, right, bottom = ImageChops.difference(empty, told).getbbox()
        assert left >= GAP // 2 and right <= GAP // 2 + SIDE + 1 and SIDE + GAP <= top < bottom <= SIDE + 30


def test_as_many_captions_as_pictures():
    for pictures in ([], [torch.ones(3, 8, 8)]):
        with pytest.raises(ValueError, match=f"got {len(pictures)} and 0"):
            sheet(pictures, [])
