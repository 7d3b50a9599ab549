"""Flow: what travels of every block, runs that diverged, and what does not fit.

Seeded faults, tried: a run counts as diverged only where every block did.
"""

import numpy as np
import pytest

from dlbook.widgets import Flow
from tests.widgets.flow_checks import TEXTS, river


def test_what_the_page_shows_is_what_was_given():
    values = 10.0 ** np.random.default_rng(0).uniform(-3, 4, (2, 3, 6))
    figure = river(values=values, start={"shortcuts": "on", "step": 1})
    np.testing.assert_allclose(figure.at_setting(), values[1, 1], rtol=3e-4)


def test_range_covers_every_setting_as_multiples_of_the_last_block():
    low, high = river().spec["range"]
    assert (low, high) == (pytest.approx(-2), pytest.approx(5))
    assert Flow(**TEXTS, values=[1.0, 1.0], carried="a").spec["range"] == [-1, 1]


def test_one_infinite_block_makes_the_whole_setting_diverge():
    values = np.ones((2, 3, 6))
    values[1, 1, 2] = np.inf
    figure = river(values=values, start={"shortcuts": "on", "step": 1})
    assert np.isnan(figure.at_setting()).all()
    figure.values = {"step": 0}
    assert figure.at_setting().tolist() == [1] * 6


def test_reading_keeps_three_digits_in_the_order_of_the_settings():
    assert river().spec["reading"]["values"] == [2.3, 2.2, 2.1, 2.3, 1.0, None]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"values": np.ones((3, 6))}, r"expected the axes \(shortcuts, step, blocks\), got shape \(3, 6\)"),
        ({"values": np.ones((2, 2, 6))}, "step: 3"),
        ({"values": np.ones((2, 3, 1))}, "two blocks or more"),
        ({"values": np.zeros((2, 3, 6))}, "positive numbers, got 0"),
        ({"values": np.full((2, 3, 6), np.nan)}, "one setting at least"),
        ({"shortcuts": ("shortcuts", "perhaps")}, "one of its values"),
        ({"valves": ("gates", "on")}, "valves: expected"),
        ({"reading": ("Loss", [1.0, 2.0])}, "reading.*shortcuts: 2"),
    ],
)
def test_flow_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        river(**changes)
