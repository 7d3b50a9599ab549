"""Stepper: how numbers are written, its steps, what does not fit; its still picture holds every step and mark."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from dlbook.widgets import Grid, Step, Stepper
from dlbook.widgets import stepper as module
from tests.seeded import check_sees


def test_stepper_writes_numbers_as_asked():
    grids = [
        Grid("n", [[1.0, -2.5], [np.nan, np.inf]], digits=1, highlight=[(-1, 0)]),
        Grid("whole", torch.tensor([1, 2])),
        Grid("words", [["a", 1.25, None]]),
    ]
    figure = Stepper(title="T", description="D", steps=[Step("One.", grids)])
    cells = [g["cells"] for g in figure.spec["steps"][0]["grids"]]
    assert cells == [[["1.0", "−2.5"], ["", "∞"]], [["1", "2"]], [["a", "1.25", ""]]]
    assert figure.spec["steps"][0]["grids"][0]["highlight"] == [[1, 0]]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "one Step or more"),
        ([Step("")], "caption in words"),
        ([Step("s", [Grid("g", [[[1]]])])], "2-D grid"),
        ([Step("s", [Grid("g", [[1, 2]], columns=["a"])])], "expected 2 labels in columns"),
        ([Step("s", [Grid("g", [[1, 2]], rows=["a", "b"])])], "expected 1 labels in rows"),
        ([Step("s", [Grid("g", [[1, 2]], highlight=[(0, 2)])])], r"in highlight, got \(0, 2\)"),
        ([Step("s", [Grid("g", np.random.rand(80, 80))])], "KiB of state.*fewer steps"),
    ],
)
def test_stepper_explains_what_is_wrong(steps, words):
    with pytest.raises(ValueError, match=words):
        Stepper(title="T", description="D", steps=steps)


def test_stepper_keeps_to_its_steps():
    figure = Stepper(title="T", description="D", steps=[Step("a"), Step("b")], start=1)
    with pytest.raises(ValueError, match="expected 0 to 1"):
        figure.step = 2
    with pytest.raises(ValueError, match="autoplay"):
        Stepper(title="T", description="D", steps=[Step("a")], autoplay=0.1)


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


def test_a_picture_stands_at_the_row_that_it_belongs_to():
    steps = [Step("Look.", [Grid("g", [[1.0], [2.0]], rows=["a", "b"])])]
    made = Stepper(title="T", description="D", steps=steps, pictures={"b": np.eye(3)})
    assert list(made.spec["pictures"]) == ["b"] and made.spec["pictures"]["b"].startswith("data:image/png")
    before, after = made.still().split('<th scope="row">')[1:]
    assert "<img" not in before and after.startswith("<img")
    with pytest.raises(ValueError, match="one grey image"):
        Stepper(title="T", description="D", steps=steps, pictures={"b": np.ones(3)})


def test_its_cells_are_drawn_in_its_own_tables_alone():
    css = Path(module.__file__).with_name("stepper.css").read_text("utf8")
    cells = [
        rule for rule in re.findall(r"[^{}]+(?={)", css) if re.search(r"\.dlw-scroll .*\b(td|th)\b", rule)
    ]
    assert len(cells) >= 5 and all(".dlw-grids .dlw-scroll" in rule for rule in cells)
