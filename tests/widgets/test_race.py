"""Race's Python side: the sweep, what the reader sets, the map's rings, and errors."""

import re

import numpy as np
import pytest

from dlbook.widgets import race_rules
from dlbook.widgets.race import REACH, UNIT
from tests.widgets.race_checks import CURVED, RATES, race


def test_sweep_takes_each_rate_by_itself_and_marks_the_lost():
    figure = race()
    ends = figure.sweep("SGD")
    assert ends.tolist() == [figure.losses("SGD", rate)[-1] for rate in RATES]
    assert np.isinf(ends[RATES.index(0.1)]) and figure.best("SGD") == 0.03  # 2 / 50 is the limit
    assert np.isfinite(figure.sweep("Adam")).all()


def test_momentum_and_start_are_the_readers():
    figure = race()
    figure.values = {"momentum": 0.5, "start x": 1.02, "start y": -2.0, "surface": "curved"}
    assert figure.start() == (1.0, -2.0) and figure.terms()[0] == [11.0, 0, 0]
    expected, _ = race_rules.course(CURVED, "momentum", [0.01], 0.5, (1.0, -2.0), 100)
    assert np.array_equal(figure.places("momentum", 0.01), expected[0], equal_nan=True)


def test_every_point_of_a_ring_has_its_level():
    checked = 0
    for surface in race().spec["surfaces"].values():
        for ring in surface["rings"]:
            points = []
            for kind, a, b in re.findall(r"([Ml])(-?\d+) ?(-?\d+)", ring):
                move = np.array([int(a), int(b)])
                points.append(move if kind == "M" else points[-1] + move)
            x, y = (np.array(points) * 2 * REACH / UNIT - REACH).T
            inside = (np.abs(x) < 1.99) & (np.abs(y) < 1.99)  # the map's own edge is part of an outline
            if not inside.any():
                continue  # the ring is drawn by the map's edge alone
            checked += 1
            heights = race_rules.loss(surface["terms"], x[inside], -y[inside])
            slopes = np.hypot(*race_rules.slope(surface["terms"], x[inside], -y[inside]))
            level = np.median(heights)
            assert np.abs(heights - level).max() <= 0.02 * slopes.max() + 0.01 * level
    assert checked >= 12


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"surfaces": {"below": [(1.0, 1, 0)]}}, "losses of 0 or more"),
        ({"surfaces": {"flat": [(1.0, 0, 0)]}}, "losses of 0 or more that differ"),
        ({"surfaces": {}}, "at least one value"),
        ({"start": (2.5, 0)}, "start inside -2 to 2"),
        ({"rates": [0.1, 0.01]}, "ascending"),
        ({"chosen": {"method": "Lion"}}, "expected one of"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_race_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        race(**changes)
