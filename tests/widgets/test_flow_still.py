"""The still picture of Flow: width by the logarithm, both forms, what is switched on, a run that diverged.

Seeded faults, tried: a width that follows the value instead of its logarithm.
"""

import re

import pytest

from dlbook.widgets.flow_still import Bed
from tests.widgets.flow_checks import river


def halves(still):
    """Half the width at the mouth and at the source, of the wide form's flood, pixels."""
    path = re.search(r'fill-opacity="0.34" d="M([^"]+)Z"', still)[1]
    points = [tuple(map(float, point.split())) for point in path.split("L")]
    middle = (points[0][1] + points[-1][1]) / 2
    half = len(points) // 2
    return middle - points[0][1], middle - points[half - 1][1]


def test_each_power_of_ten_is_the_same_width_more():
    bed = Bed(960, 6, (-2, 5))
    steps = {round(bed.across(k + 1) - bed.across(k), 6) for k in range(-2, 5)}
    assert len(steps) == 1 and bed.across(5) == bed.full and bed.across(-2) == 5


def test_river_is_as_wide_as_its_data_say():
    bed = Bed(960, 6, (-2, 5))
    mouth, source = halves(river().still())
    assert mouth == pytest.approx(bed.across(5) / 2, abs=0.1)
    assert source == pytest.approx(bed.across(0) / 2, abs=0.1)


def test_arcs_and_valves_are_those_of_the_starting_state():
    off, on = river().still(), river(start={"shortcuts": "on"}).still()
    assert off.count('class="dls-line"') == 0 and off.count('<path fill="var(--t)"') == 2 * 6
    assert on.count('class="dls-line"') == 2 * 6 and on.count('<path fill="var(--t)"') == 0


def test_a_run_that_diverged_says_so():
    still = river(start={"shortcuts": "on", "step": 5}).still()
    assert still.count(">diverged<") == 2 and 'fill-opacity="0.34"' not in still
    assert ">diverged<" not in river().still()


def test_names_of_stages_and_ends_stand_in_both_forms():
    still = river().still()
    assert all(still.count(f">{name}</text>") == 2 for name in ("wide", "narrow", "input", "loss"))
