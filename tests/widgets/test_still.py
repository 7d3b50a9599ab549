"""The still picture of curves, read back: every visible curve to its last point, every label within the picture."""

import types

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from dlbook.widgets import Curve, Curves
from dlbook.widgets import still as module
from dlbook.widgets.still import draw_curves, log_ticks, ticks
from tests.oracles import svg
from tests.seeded import edited

TEXTS = {"title": "A title", "description": "What it shows."}
X = np.linspace(0, 10_000, 501)  # more points than are drawn, and a number at the right end that is wide


def waves(**changes) -> Curves:
    """Two panels; a curve that is not drawn stands before one that is; one curve touches both limits."""
    a = np.array([1.0, 2.0, 3.0])
    curves = [
        Curve("hidden", X / 1e4),
        Curve("rise", a[:, None] * X, gradient=np.broadcast_to(a[:, None] * 1e3, (3, len(X)))),
        Curve("clipped", np.linspace(-1, 1, len(X)), panel=1),
        Curve("flat", np.full(len(X), 0.25), panel=1),
    ]
    options = {
        "panels": ["first", "second"],
        "y_range": [None, (-1, 1)],
        "visible": ["rise", "clipped", "flat"],
    }
    return Curves(
        **{
            **TEXTS,
            "x": X,
            "x_label": "steps",
            "parameters": {"a": a},
            "curves": curves,
            **options,
            **changes,
        }
    )


def check_drawn(draw) -> None:
    """Each line, in the colour of its name in the legend, is its curve from the first x to the last."""
    figure = waves(start={"a": 3.0})
    seen = svg.read(draw(figure))
    assert list(seen.legend) == figure.visible
    assert len(seen.lines) == 4  # three curves and a gradient
    for name, rows in (("rise", (0, 250)), ("clipped", (250, 1e9)), ("flat", (250, 1e9))):
        across, up = seen.axis("across", rows), seen.axis("up", rows)
        values, gradient = figure.curve(name)
        for dashed, expected in ((False, values), (True, gradient)):
            if expected is None:
                continue
            (pieces,) = [p for colour, d, p in seen.lines if colour == seen.legend[name] and d == dashed]
            assert len(pieces) == 1, "the line has gaps"
            x, y = np.array(pieces[0]).T
            size = abs(up(200) - up(0))  # numbers in 200 pixels
            assert np.abs(up(y) - np.interp(across(x), X, expected)).max() < 0.01 * size
            assert abs(across(x[0]) - X[0]) < 20 and abs(across(x[-1]) - X[-1]) < 20


def check_labels(draw) -> None:
    """Nothing is cut off: labels of panels and axes, numbers at both ends, of every panel."""
    seen = svg.read(draw(waves()))
    assert seen.cut_off() == [] and seen.overlapping() == []
    texts = [t.text for t in seen.texts]
    assert {"first", "second", "steps", "−1", "1"} <= set(texts)
    assert sum(t.text == "10000" and t.anchor == "middle" for t in seen.texts) == 2


def test_every_curve_is_drawn_whole():
    check_drawn(draw_curves)


def test_no_label_is_cut_off():
    check_labels(draw_curves)


def test_numbers_are_those_of_the_live_figure():
    assert [module.number(v) for v in (15_000, 12_345.6, -0.25, 100_000, 3e-5, 0.0, 1200)] == [
        "15000",
        "12350",
        "−0.25",
        "1e5",
        "3e−5",
        "0",
        "1200",
    ]


def test_gaps_are_where_values_are_missing():
    values = np.where((X > 3000) & (X < 6000), np.nan, X)
    (line,) = svg.read(draw_curves(Curves(**TEXTS, x=X, curves=[Curve("c", values)]))).lines
    assert len(line[2]) == 2


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(2, 9))
def test_ticks_reach_both_ends(low, span, about):
    """They are as far apart as each other, inside, and no further one would have room."""
    marks = ticks(low, low + span, about)
    steps = np.diff(marks)
    assert len(marks) >= 2 or span / about > 0
    assert all(low - 1e-6 * span <= mark <= low + span + 1e-6 * span for mark in marks)
    if len(marks) > 1:
        assert np.allclose(steps, steps[0], rtol=1e-3)
        assert marks[0] - steps[0] < low + 1e-6 * span and marks[-1] + steps[0] > low + span - 1e-6 * span


@settings(max_examples=50)
@given(st.integers(-6, 4), st.integers(1, 6))
def test_log_ticks_hold_the_powers_at_both_ends(first, decades):
    marks = log_ticks(10.0**first, 10.0 ** (first + decades))
    assert marks[0] == pytest.approx(10.0**first) and marks[-1] == pytest.approx(10.0 ** (first + decades))


FAULTS = {
    "the last point is lost": (
        check_drawn,
        "sorted({*jumps, *range(0, len(xs), step), len(xs) - 1})",
        "list(range(0, len(xs) - 1, step))",
    ),
    "only the first points": (check_drawn, "*range(0, len(xs), step), len(xs) - 1", "*range(_MOST_POINTS)"),
    "what touches the limits": (check_drawn, "low <= values[k] <= high", "low < values[k] < high"),
    "a legend without the last": (check_drawn, "for i, name in visible)", "for i, name in visible[:-1])"),
    "colours counted among the visible": (
        check_drawn,
        'visible = [(i, e["name"]) for i, e in enumerate(figure.spec["curves"]) if e["name"] in figure.visible]',
        "visible = list(enumerate(figure.visible))",
    ),
    "hidden curves": (
        check_drawn,
        'if e["panel"] == panel and e["name"] in figure.visible',
        'if e["panel"] == panel',
    ),
    "one panel of two": (check_drawn, "for i in range(len(panels)))", "for i in range(1))"),
    "no room for the label of x": (check_labels, "PANEL * len(panels) + BOTTOM", "PANEL * len(panels)"),
    "the last number of an axis": (
        check_labels,
        "for k in range(first, last + 1)]\n\n\ndef log_ticks",
        "for k in range(first, last)]\n\n\ndef log_ticks",
    ),
    "a number over the right edge": (check_labels, "min(at, WIDTH - half)", "at"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, old, new = FAULTS[fault]
    broken = types.SimpleNamespace(**edited(module, old, new))
    with pytest.raises((AssertionError, ValueError, IndexError)):
        check(broken.draw_curves)


@pytest.mark.parametrize(("height", "pieces"), [(1.0, 2), (0.0, 1)])
def test_a_jump_breaks_the_line_and_nothing_else_does(height, pieces):
    x = np.linspace(-1, 1, 21)
    figure = Curves(**TEXTS, x=x, curves=[Curve("step", x + height * (x > 0), jumps=[0.0])])
    ((_, _, drawn),) = svg.read(draw_curves(figure)).lines
    assert len(drawn) == pieces
    if pieces == 2:
        (left, right) = drawn
        assert left[-1][0] == right[0][0] and left[-1][1] - right[0][1] > 50  # upright, not slanted
