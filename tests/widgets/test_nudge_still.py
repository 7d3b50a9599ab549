"""The still picture of Nudge: bars as high as the probabilities, cells and picture of the state, the lines."""

import re

import pytest

from dlbook.widgets.nudge_still import Bench
from tests.widgets.nudge_checks import FLIPPING, nudged


def test_bars_are_as_high_as_the_probabilities():
    figure = nudged()
    heights = [float(h) for h in re.findall(r'<rect [^>]* height="([\d.]+)" fill="[^n]', figure.still())][:6]
    desk = Bench(960, figure.spec)
    assert heights == pytest.approx([max(1.5, desk.tall * p) for p in (0.9, 0.1, 0, 0.8, 0.1, 0.1)], abs=0.06)


def test_picture_and_cells_are_those_of_the_state():
    one, other = nudged(), nudged(start={"picture": "bar", "shift": 1})
    assert one.picture() in one.still() and one.cells(1, 0) in one.still()
    assert one.picture() not in other.still() and one.cells(1, 0) not in other.still()
    assert one.still().count("<image") == 2 * 5


def test_line_goes_through_the_probability_of_the_truth():
    figure = nudged()
    desk = Bench(960, figure.spec)
    left, right, top, base = desk.chart
    line = re.search(r'class="dls-line" d="M([^"]+)"', figure.still()).group(1)
    points = [tuple(map(float, point.split())) for point in line.split("L")]
    assert [x for x, _ in points] == pytest.approx([desk.along(k / 4) for k in range(5)], abs=0.06)
    assert [(base - y) / (base - top) for _, y in points] == pytest.approx(list(FLIPPING[0, :, 0]), abs=0.01)


@pytest.mark.parametrize("width", [960, 790, 380])
def test_nothing_lies_over_another_part(width):
    figure = nudged()
    desk = Bench(width, figure.spec)
    for row in figure.spec["rows"]:
        places = desk.places(row)
        assert places[0][0] + places[0][1] < places[1][0]
        assert places[1][0] + places[1][1] <= (desk.bars[0] if desk.wide else width)
    assert desk.row(1) > desk.row(0) + desk.base and desk.chart[2] > desk.row(1) + desk.base
