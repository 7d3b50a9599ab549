"""Nudge's Python side: the answers at each place, the shifted picture, the cells, and errors."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from dlbook.widgets import Row, Tiles
from tests.widgets.nudge_checks import FLIPPING, PICTURES, STEADY, cells, nudged


def pixels(address):
    return np.array(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))))


def test_answers_follow_the_shift():
    figure = nudged()
    assert figure.answers() == {"flips": ("a", 0.9), "stands": ("a", 0.8)}
    figure.values = {"shift": 1}
    assert figure.answers() == {"flips": ("b", 0.7), "stands": ("a", 0.8)}


@pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2])
def test_picture_goes_to_the_right_and_comes_in_again(steps):
    figure = nudged(start={"picture": "bar", "shift": steps})
    assert np.array_equal(pixels(figure.picture()), 255 * np.roll(PICTURES[0], steps, 1))


def test_cells_are_those_of_picture_and_shift_on_one_scale():
    figure = nudged(start={"picture": "line", "shift": 2})
    expected = np.rint(255 * cells(2, 2)[1, 4] / cells(2, 2).max())
    assert np.array_equal(pixels(figure.cells(0, 0)), expected) and pixels(figure.cells(0, 1)).shape == (1, 6)
    assert expected.max() == 255  # the largest of all pictures and shifts is white


def row(**changes):
    return Row(**{"name": "n", "tiles": [Tiles("a map", cells(2, 2))], "probabilities": STEADY, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pictures": np.zeros((2, 4, 5))}, r"pictures: expected shape \(2, side, side\), got \(2, 4, 5\)"),
        ({"pictures": PICTURES * 2}, r"pictures: expected values in \[0, 1\]"),
        ({"truths": [0]}, "truths: expected 2 classes from 0 to 2"),
        ({"truths": [0, 3]}, "truths"),
        ({"shifts": [0, 0, 1, 2, 3]}, "ascending"),
        ({"rows": [row(probabilities=STEADY[:, 1:])]}, r"probabilities of 'n': expected shape \(2, 5, 3\)"),
        ({"rows": [row(probabilities=FLIPPING * 2)]}, "sum to 1"),
        ({"rows": [row(tiles=[Tiles("a map", cells(2, 2)[:1])])]}, "tiles 'a map': expected shape"),
        ({"rows": [row(tiles=[Tiles("a map", cells(2, 2) * np.nan)])]}, "finite"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_nudge_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        nudged(**changes)


def test_too_many_cells_say_how_to_shrink():
    noise = np.random.default_rng(0).random((2, 5, 64, 64))
    with pytest.raises(ValueError, match="give fewer pictures, shifts or cells"):
        nudged(rows=[row(tiles=[Tiles("noise", noise)])])
