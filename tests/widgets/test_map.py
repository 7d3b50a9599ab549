"""Map's Python side: counts, places and errors."""

import numpy as np
import pytest

from tests.widgets.map_checks import made


def test_labels_and_mistakes_are_counted():
    assert [made().count(look) for look in range(3)] == [(0, 0), (2, 1), (2, 0)]


def test_places_are_kept_to_half_a_step_of_eight_bits():
    expected = [[0, 0.4], [1, 0], [0, 1]]
    assert np.abs(made().positions[-1] / 127.5 - 1 - expected).max() <= 0.5 / 127.5 + 1e-9


def test_the_look_is_a_value_that_python_sets_and_the_still_picture_shows():
    figure = made()
    assert figure.values == {"training step": 30} and "after 30 steps" in figure.still()
    figure.values = {"training step": 20}
    assert figure.look() == 1 and "2 of 3 have a label; ✗ 1 of them" in figure.still()
    assert made(start=10).look() == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"states": [[0, 0, 3]] * 3}, "expected 0, 1 or 2"),
        ({"states": [[0, 0, 0]] * 2}, "in 3 rows"),
        ({"positions": np.zeros((3, 3, 3))}, "positions: expected shape"),
        ({"positions": np.full((3, 3, 2), 1.5)}, r"in \[-1, 1\]"),
        ({"steps": [10, 30, 20]}, "ascending"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_map_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        made(**changes)
