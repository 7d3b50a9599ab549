"""Cortex' Python side: the bar, what the cells answer, and errors."""

import numpy as np
import pytest

from dlbook.widgets import cortex as module
from tests.seeded import edited
from tests.widgets.cortex_checks import KERNEL, cortex


def test_a_bar_is_where_and_as_it_is_said():
    spec = {"side": 9, "length": 5.0, "width": 1.0}
    at = {"angle": 90, "x": 2, "y": -1, "bar": "light"}
    upright = np.zeros((9, 9))
    upright[1:6, 6] = 1
    assert np.allclose(module.bar(spec, at), upright)
    assert np.allclose(module.bar(spec, {**at, "angle": 0, "x": -1, "y": 2}), upright.T)
    assert np.allclose(module.bar(spec, {**at, "bar": "dark"}), -upright)
    rising = module.bar({**spec, "length": 20.0}, {"angle": 45, "x": 0, "y": 0, "bar": "light"})
    assert np.allclose((rising[0, 8], rising[8, 0], rising[0, 0]), (1, 1, 0))


def check_answers(names) -> None:
    """The energy model, by its words, for a bar anywhere; and the best of each cell is 1."""
    figure = cortex()
    for values in (
        {"angle": 60, "x": 0, "y": 0},
        {"angle": 15, "x": 3, "y": -2},
        {"angle": 75, "x": -2, "y": 1},
    ):
        for bar, sign in (("light", 1), ("dark", -1)):
            screen = names["bar"](figure.spec, {**figure.values, **values, "bar": "light"}) * sign
            even, odd = (KERNEL.real.numpy() * screen).sum(), (KERNEL.imag.numpy() * screen).sum()
            expected = max(even, 0), max(odd, 0), (even**2 + odd**2) ** 0.5
            found = names["answers"](figure.filters(), figure.spec, {**figure.values, **values, "bar": bar})
            assert np.allclose(found, np.divide(expected, figure.spec["best"]), atol=2e-4)


def test_answers_are_those_of_the_energy_model():
    check_answers(vars(module))


def test_the_cells_like_their_angle_and_only_the_complex_one_does_not_mind_the_place():
    figure = cortex()
    turned, moved = figure.turned(), figure.moved()
    assert figure.spec["parameters"]["angle"][turned[:, 2].argmax()] == 60 and turned.max() < 1.001
    assert moved[:, 2].max() == pytest.approx(1, abs=1e-3)
    near = moved[7:14]  # three cells to both sides
    assert near[:, 2].min() > 0.5 and near[:, 0].min() < 0.05 and near[:, 1].min() < 0.05


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"even": np.zeros((20, 20))}, "even: expected a square of an odd side"),
        ({"odd": np.zeros((19, 19))}, "expected filters of one side, got 21 and 19"),
        ({"width": 15}, "0 < width <= length"),
        ({"angles": [0, 180]}, "angles in"),
        ({"even": np.zeros((21, 21))}, "that some bar excites"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_cortex_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        cortex(**changes)


FAULTS = {
    "the bar turns the other way": ("x * np.sin(angle) + y", "x * np.sin(angle) - y"),
    "a dark bar is light": ("return -light if", "return light if"),
    "one filter for the complex cell": ("float(np.hypot(even, odd))", "float(abs(even))"),
    "no threshold": ("max(0.0, even)", "even"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    names = edited(module, *FAULTS[fault])
    with pytest.raises(AssertionError):
        check_answers({"bar": module.bar, "answers": names["answers"]})
