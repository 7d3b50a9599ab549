"""Curves: the row of its parameters, what can be set and read, and every argument that does not fit."""

import numpy as np
import pytest

from dlbook.widgets import Curve, Curves
from tests.widgets.curves_checks import TEXTS, X, slopes


@pytest.mark.parametrize("a", [1.0, 2.0, 4.0])
@pytest.mark.parametrize(("b", "shift"), [("low", 0.0), ("high", 10.0)])
def test_a_curve_is_the_row_of_its_parameters(a, b, shift):
    figure = slopes(start={"a": a, "b": b})
    values, gradient = figure.curve("line")
    np.testing.assert_allclose(values, a * X + shift, atol=26 / 65534)
    np.testing.assert_allclose(gradient, a, atol=1e-4)
    assert figure.curve("square")[1] is None


def test_values_can_be_set_and_read():
    figure = slopes()
    assert figure.values == {"a": 2.0, "b": "low"}
    figure.values = {"a": 3.4}
    assert figure.values == {"a": 4.0, "b": "low"}
    figure.cursor = 0.123
    assert figure.cursor == 0.1
    figure.visible = ["square"]
    assert figure.visible == ["square"]
    with pytest.raises(ValueError, match="expected one of"):
        figure.values = {"b": "middle"}
    with pytest.raises(ValueError, match="the curves are"):
        figure.visible = ["cube"]


def test_the_page_is_told_the_authors_order_and_where_a_curve_jumps():
    figure = slopes(
        parameters={"b": ["low", "high"], "a": [1.0]}, curves=[Curve("step", X > 0, jumps=[0.0, 1])]
    )
    assert figure.spec["order"] == ["b", "a"]
    assert [X[i] for i in figure.spec["curves"][0]["jumps"]] == pytest.approx([0, 1])


def test_what_diverged_is_a_gap_that_says_so():
    run = np.array([[1.0, 9.99, 10.01, np.inf, np.nan, 2.0]])
    figure = Curves(
        **TEXTS, x=range(6), curves=[Curve("run", run[0], diverged_above=10), Curve("other", run[0])]
    )
    assert np.isnan(figure.curve("run")[0]).tolist() == [False, False, True, True, True, False]
    assert figure.curve("other")[0][2] == pytest.approx(10.01, abs=1e-3)
    assert [entry["diverged"] for entry in figure.spec["curves"]] == [True, False]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": [0, 0, 1]}, "ascending"),
        ({"x": [[0, 1]]}, "shape"),
        ({"x": X, "log_x": True}, "positive"),
        ({"title": " "}, "expected a title, got none"),
        ({"description": ""}, "expected a description, got none"),
        ({"parameters": {"a": [2, 1]}}, "ascending"),
        ({"parameters": {"a": []}}, "at least one"),
        ({"parameters": {"b": ["x", "x"]}}, "different choices"),
        ({"parameters": {"b": ["x", 1]}}, "mixture"),
        ({"start": {"c": 1}}, "got the unknown"),
        ({"visible": ["no"]}, "the curves are"),
        ({"curves": []}, "one or more curves"),
        ({"curves": [Curve("p", X), Curve("p", X)]}, "different names"),
        ({"curves": [Curve("p", X[:-1])]}, "as many as x"),
        ({"curves": [Curve("p", np.ones((3, 3, 41)))]}, "in the order of its axes"),
        ({"curves": [Curve("p", np.ones((3, 41)), parameters="c")]}, "got the unknown"),
        ({"curves": [Curve("p", X, gradient=X[1:])]}, "shape of its values"),
        ({"curves": [Curve("p", X, panel=1)]}, "panel from 0 to 0"),
        ({"curves": [Curve("p", X)], "log_y": True}, "positive values"),
        ({"curves": [Curve("p", X + 3, gradient=X)], "log_y": True}, "may be negative"),
        ({"panels": ["a", "b"], "log_y": [True]}, "as many entries"),
        ({"curves": [Curve("p", X, jumps=[0.03])]}, "put 0.03 into x"),
        ({"y_range": (1, 0)}, "low < high"),
    ],
)
def test_curves_explains_what_is_wrong(changes, words):
    with pytest.raises(ValueError, match=words):
        slopes(**changes)
