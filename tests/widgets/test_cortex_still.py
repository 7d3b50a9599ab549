"""The still picture of Cortex: the bar in its place, spikes as many as the answer says, curves and dots."""

import re

from dlbook.widgets.cortex_still import SPIKES, Board, spikes
from tests.widgets.cortex_checks import cortex


def test_the_bar_lies_where_it_is():
    figure = cortex(start={"angle": 30, "x": 4, "y": -2})
    unit = Board(960).size / 21
    middle = Board(960).size / 2
    wanted = f"translate({middle + 4 * unit:.1f} {middle - 2 * unit:.1f}) rotate(-30)"
    assert wanted in figure.still()


def test_spikes_count_the_answer():
    figure = cortex()
    paths = re.findall(r'<path d="([^"]*)" stroke="[^"]*" stroke-width="1.8"/>', figure.still())[:3]
    assert [path.count("V") for path in paths] == [round(SPIKES * value) for value in figure.responses()]
    assert all(0 <= place <= 1 for value in (0.1, 0.5, 1.0) for place in spikes(value, 2))


def test_two_forms_with_three_cells_each():
    text = cortex().still()
    assert text.count("complex cell") == 2 and text.count("<circle") == 6 and text.count("<image") == 2
