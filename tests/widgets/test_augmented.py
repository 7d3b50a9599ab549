"""Augmented's Python side: what is told and shown, places, and errors."""

import numpy as np
import pytest

from tests.widgets.augmented_checks import made


def test_a_quarter_turn_asks_the_pixel_that_goes_there():
    figure = made(start={"augmentation": "rotation", "strength": 0.5}, place=(3, 1))
    told = figure.told()
    assert told["source"] == (1, 8) and told["inside"]
    assert told["after"] == pytest.approx(figure.picture()[1, 8])
    assert told["before"] == pytest.approx(figure.picture()[3, 1])
    assert figure.shown() == pytest.approx(np.rot90(figure.picture()))


def test_outside_is_told_and_black():
    figure = made(start={"augmentation": "shift", "strength": 1.0}, place=(3, 5))
    assert figure.told()["source"] == (3, -1) and not figure.told()["inside"]
    assert figure.told()["after"] == [0, 0, 0]


def test_a_smaller_picture_keeps_the_place_as_far_from_its_edges():
    figure = made(place=(2, 9))
    assert figure.place() == (2, 9) and figure.place({"picture": "grey"}) == (1, 5)
    for place in ((0, 0), (3, 5), (6, 6)):
        assert made(place=place, start={"picture": "grey"}).place() == place
    figure.row, figure.column = 99, -4
    assert (figure.row, figure.column) == (11, 0)


def test_a_grey_picture_keeps_its_values_in_three_channels():
    picture = made().picture({"picture": "grey"})
    assert picture.shape == (7, 7, 3) and (picture == picture[..., :1]).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pictures": {"flat": np.zeros((4, 5))}}, "expected a square"),
        ({"pictures": {"four": np.zeros((4, 4, 4))}}, "expected a square"),
        ({"pictures": {"bytes": np.full((4, 4), 200.0)}}, r"in \[0, 1\]"),
        ({"kinds": ("rotation", "melting")}, "melting"),
        ({"start": {"augmentation": "melting"}}, "expected one of"),
        ({"pictures": {"large": np.random.default_rng(0).random((200, 200, 3))}}, "fewer or smaller"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_augmented_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        made(**changes)
