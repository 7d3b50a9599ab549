"""Unit's Python side: what it refuses, what it keeps, and the place of its cell."""

import numpy as np
import pytest

from dlbook.widgets import unit_values
from tests.widgets.unit_checks import crops, unit


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pictures": {"a": np.zeros((24, 25))}}, "grey squares of one side"),
        ({"pictures": {"a": np.zeros((25, 25))}}, "that patches of 6 divide"),
        ({"pictures": {"a": np.zeros((24, 24)), "b": np.zeros((12, 12))}}, "of one side"),
        ({"pictures": {"a": np.full((24, 24), 2.0)}}, r"in \[0, 1\]"),
        ({"kernels": {"k": np.zeros((2, 3))}}, "a square of 1 to 5"),
        ({"kernels": {"k": np.zeros((6, 6))}}, "a square of 1 to 5"),
        ({"operations": ["dropout"]}, "operations: expected some of convolution"),
        ({"start": {"kernel": "none such"}}, "expected one of"),
        ({"title": ""}, "expected a title"),
        (
            {"pictures": {f"{i}": np.random.default_rng(i).random((96, 96)) for i in range(4)}},
            "fewer photographs",
        ),
    ],
)
def test_unit_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        unit(**changes)


def test_photographs_are_kept_to_a_half_step_of_eight_bits():
    kept = unit().pictures()
    assert np.abs(kept - np.stack(list(crops().values()))).max() <= 0.5 / 255 + 1e-6


def test_the_cell_stays_inside_the_output():
    figure = unit(cell=(20, 3), start={"operation": "max pooling", "window": 2, "stride": 3})
    assert figure.place() == (6, 3)
    figure.row = 99
    assert figure.row == 23
    figure.values = {"operation": "attention"}
    assert figure.place() == (3, 3)


def test_pooling_pads_by_half_a_window_at_most():
    figure = unit(start={"operation": "max pooling", "window": 3, "padding": 2})
    assert figure.geometry()["padding"] == 1


def test_every_operation_names_its_controls():
    assert set(unit_values.CONTROLS) == set(unit_values.OPERATIONS)
    named = {name for names in unit_values.CONTROLS.values() for name in names}
    assert named == set(unit().spec["parameters"])
