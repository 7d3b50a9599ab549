"""Shift's Python side: what a network says at a place, counts, the still picture, errors."""

import numpy as np
import pytest

from tests.widgets.shift_checks import TEXTS, made, probabilities


def test_a_place_is_how_far_the_picture_went_to_the_right_and_down():
    figure = made()
    assert figure.said("Dense", "a one", 1, 0) == (1, 0.8)
    assert figure.said("Dense", "a one", 0, 1)[0] == figure.said("Dense", "a one", -1, 0)[0] == 0
    assert [figure.right_at(name, "a one") for name in ("Dense", "Conv")] == [2, 9]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pictures": {"a": np.zeros((8, 9))}}, "squares of one side"),
        ({"pictures": {"a": np.full((8, 8), 2.0)}}, r"in \[0, 1\]"),
        ({"truths": [2]}, "classes below 2"),
        ({"truths": [1, 1]}, "expected 1 classes"),
        ({"networks": {"a": ("", np.full((1, 2, 2, 2), 0.5))}}, "S odd"),
        ({"networks": {"a": ("", np.ones((1, 3, 3, 2)))}}, "sum to one"),
        ({"pictures": {"a": np.eye(8), "b": np.eye(8)}}, "of one shape"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_shift_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        made(**changes)


def test_networks_of_different_places_do_not_fit():
    networks = {"a": ("", probabilities(np.ones((3, 3)))), "b": ("", probabilities(np.ones((5, 5))))}
    with pytest.raises(ValueError, match="of one shape"):
        made(networks=networks, **TEXTS)
