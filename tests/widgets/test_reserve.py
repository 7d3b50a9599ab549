"""The place that is kept for a live figure: it grows with what the figure holds, and a telephone needs more of it."""

import re

import pytest

from dlbook import widgets
from dlbook.widgets import Axis, Curve, Figure, Grid, Point, Scatter, Step, Stepper
from dlbook.widgets.reserve import NARROW, WIDE, controls
from tests.widgets.curves_checks import X, slopes


def test_more_curves_panels_and_sliders_need_more_room():
    few = slopes(parameters={}, curves=[Curve("a", X)])
    chips = slopes(parameters={}, curves=[Curve(f"curve {i}", X) for i in range(12)])
    sliders = slopes(parameters={name: [1, 2] for name in "abc"}, curves=[Curve("a", X)])
    panels = slopes(parameters={}, panels=["a", "b"], curves=[Curve("a", X), Curve("b", X, panel=1)])
    for more in (chips, sliders, panels):
        assert more.height(WIDE) > few.height(WIDE) + 30
    assert sliders.height(NARROW) - few.height(NARROW) == pytest.approx(3 * (66 + 13), abs=1)


def test_tables_that_do_not_fit_side_by_side_stand_below_each_other():
    grid = Grid("g", [[1] * 8] * 4)
    figure = Stepper(title="T", description="D", steps=[Step("One.", [grid]), Step("Two.", [grid, grid])])
    one = Stepper(title="T", description="D", steps=[Step("One.", [grid])])
    assert figure.height(WIDE) == one.height(WIDE)
    assert figure.height(NARROW) > one.height(NARROW) + 4 * 36


def test_the_page_is_told():
    html = slopes()._repr_mimebundle_()[0]["text/html"]
    kept = re.search(r"--dlw-broad: (\d+)px; --dlw-tall: (\d+)px; --dlw-narrow: (\d+)px", html)
    assert all(int(height) > 300 for height in kept.groups())


def test_every_figure_says_how_high_it_will_be():
    for name in dir(widgets):
        kind = getattr(widgets, name)
        if isinstance(kind, type) and issubclass(kind, Figure) and kind is not Figure:
            assert kind.height is not Figure.height, name
            assert kind.tabled == ("tabled(model, root, () =>" in kind._esm), name


def test_a_long_name_of_an_axis_and_two_rows_of_buttons_need_more_room():
    def scatter(unit):
        axes = [Axis("time of a step", unit=unit), *(Axis(letter) for letter in "bcdef")]
        point = Point("one", "a", {axis.name: 1 for axis in axes})
        return Scatter(title="T", description="D", axes=axes, points=[point], selected="one")

    assert scatter("times the wide net's").height(NARROW) == scatter("s").height(NARROW) + 20
    few = {"weights": ["small", "large"], "heads": ["off", "on"]}
    many = {"weights": ["normal, 0.01", "normal, 0.03", "He", "batch norm"], "heads": ["off", "on"]}
    one, two = (controls(chosen, WIDE, cursor=0, one_row=True) for chosen in (few, many))
    assert two == one + 37


def test_the_fewest_values_keep_the_least_height_of_the_read_out():
    two, four = (
        Scatter(
            title="T",
            description="D",
            axes=[Axis(letter) for letter in "abcde"],
            points=[Point("one", "x", dict.fromkeys("abcde"[:count], 1))],
            selected="one",
        ).height(NARROW)
        for count in (2, 4)
    )
    assert two == four  # 13 rem in both
