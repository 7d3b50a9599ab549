"""The still picture of a stepper holds every step, to the last, with its marked cells; the rest: test_figures.py."""

import pytest

from dlbook.widgets import Grid, Step, Stepper
from dlbook.widgets import stepper as module
from tests.oracles.seeded import check_sees

GRIDS = [
    Grid("first", [[1, 2], [3, 4]], highlight=[(1, 0)]),
    Grid("second", [[5.5]], rows=["r"], columns=["c"]),
]


def check_still(figure) -> None:
    steps = [Step("Begin.", GRIDS), Step("Go on.", formula="a < b"), Step("End.", GRIDS[1:])]
    text = figure(title="T", description="D", steps=steps).still()
    places = [text.index(words) for words in ("Begin.", "Go on.", "a &lt; b", "End.")]
    assert places == sorted(places) and text.count("<li>") == 3
    assert text.count("<caption>first") == 1 and text.count("<caption>second") == 2
    assert "<strong>[3]</strong>" in text and "<td>4</td>" in text and text.count("5.50") == 2
    assert text.count('<th scope="col">c</th>') == 2 and text.count('<th scope="row">r</th>') == 2


def test_still_picture():
    check_still(Stepper)


FAULTS = {
    "the last step is missing": (
        'for entry in self.spec["steps"]:\n            formula',
        'for entry in self.spec["steps"][:-1]:\n            formula',
    ),
    "the last grid is missing": ('for grid in entry["grids"])\n', 'for grid in entry["grids"][:1])\n'),
    "row and column exchanged": ("if (r, c) in marked", "if (c, r) in marked"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check_sees(check_still, module, "Stepper", *FAULTS[fault], error=(AssertionError, ValueError))
