"""The parameters of a figure: which lists are accepted, and the setting that is chosen. Arrays over them:
``test_parameters.py``.
"""

import numpy as np
import pytest
import torch

from dlbook.widgets import parameters as grid

BOTH = {"a": [1, 2, 4], "b": ["x", "y"]}


def test_every_setting_runs_the_last_parameter_fastest():
    assert [tuple(s.values()) for s in grid.every_setting({"a": [1, 2], "b": ["x", "y"]})] == [
        (1, "x"),
        (1, "y"),
        (2, "x"),
        (2, "y"),
    ]


def test_numbers_of_every_library_become_plain_ones():
    clean = grid.checked({"a": np.array([0.1, 0.2], np.float32), "b": torch.tensor([1, 2]), 3: ("x",)})
    assert clean == {"a": [0.1, 0.2], "b": [1, 2], "3": ["x"]}
    assert [type(value) for value in clean["a"] + clean["b"]] == [float, float, int, int]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "at least one"),
        ([1, 1], "ascending"),
        ([1.0, float("inf")], "finite"),
        (["x", "x"], "different choices"),
        (["x", 1], "mixture"),
    ],
)
def test_a_list_that_does_not_fit_is_told(values, words):
    with pytest.raises(ValueError, match=words):
        grid.checked({"a": values})


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (None, {"a": 2, "b": "x"}),  # the middle, and the first
        ({"a": 2.9}, {"a": 2, "b": "x"}),
        ({"a": 3.1}, {"a": 4, "b": "x"}),
        ({"a": -9, "b": "y"}, {"a": 1, "b": "y"}),
    ],
)
def test_the_setting_at_the_start(start, expected):
    assert grid.settings(BOTH, start) == expected


@pytest.mark.parametrize(
    ("start", "words"),
    [({"c": 1}, "got the unknown"), ({"b": "z"}, "expected one of"), ({"a": "high"}, "a number")],
)
def test_a_setting_that_does_not_exist_is_told(start, words):
    with pytest.raises(ValueError, match=words):
        grid.settings(BOTH, start)


def test_the_place_in_an_array_follows_the_names():
    values = {"a": 4, "b": "y"}
    assert grid.index(BOTH, ("a", "b"), values) == (2, 1) and grid.index(BOTH, ("b", "a"), values) == (1, 2)
    assert grid.index(BOTH, (), values) == ()


def test_what_an_array_depends_on():
    assert grid.depends_on("p", (3, 2), None, BOTH, "x") == ("a", "b")
    assert grid.depends_on("p", (), None, BOTH, "x") == ()
    assert grid.depends_on("p", (2,), "b", BOTH, "x") == ("b",)
    with pytest.raises(ValueError, match="p.*got the unknown"):
        grid.depends_on("p", (2,), "c", BOTH, "x")
    with pytest.raises(ValueError, match=r"\(a: 3, b: 2, x\).*\(2, 3\)"):
        grid.depends_on("p", (2, 3), None, BOTH, "x")
