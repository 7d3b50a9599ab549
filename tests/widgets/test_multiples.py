"""Multiples' Python side: the reading, and errors."""

import numpy as np
import pytest

from dlbook.widgets import Curve
from tests.widgets.multiples_checks import X, multiples


def test_all_curves_are_read_at_the_cursor():
    figure = multiples()
    assert figure.read() == {"line": (0.5, 0.5), "square": (0.5, 1.0), "ramp": (1.0, 1.0)}
    figure.cursor = -1.04  # the nearest x
    assert figure.cursor == -1.0 and figure.read()["square"] == (0.5, -1.0)
    assert multiples(cursor=None).cursor == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": X[::-1]}, "ascending"),
        ({"curves": []}, "one or more"),
        ({"curves": [Curve("a", X, X)] * 2}, "different names"),
        ({"curves": [Curve("a", X)]}, "expected a gradient"),
        ({"curves": [Curve("a", X[1:], X)]}, r"expected 41 values .* got shape \(40,\)"),
        ({"curves": [Curve("a", np.ones((2, 41)), X)]}, "no parameters"),
        ({"y_range": (1, 1)}, "low < high"),
        ({"description": ""}, "expected a description"),
    ],
)
def test_multiples_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        multiples(**changes)
