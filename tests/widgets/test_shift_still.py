"""Shift's still picture: the start, and the way it moves."""

import numpy as np

from dlbook.widgets import shift_still
from tests.widgets.shift_checks import made


def test_the_still_picture_shows_the_start():
    figure = made(start={"to the right": 1})
    html = figure.still()
    assert "to the right 1" in html and "2 of 9 places" in html and "9 of 9 places" in html
    red = lambda still: still.split("<svg")[1].count('fill="#ff8896"')  # in the wide form
    assert red(html) == 7  # wrong places; here both are right
    assert red(made(start={"to the right": -1}).still()) == 8  # and a bar


def test_the_still_picture_moves_the_way_of_the_sliders():
    moved = shift_still._moved(np.eye(3, dtype=np.uint8), 1, 0)
    assert moved.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert shift_still._moved(np.eye(3, dtype=np.uint8), 0, -1).tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
