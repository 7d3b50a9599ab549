"""Curves on a built page, in a real Chromium: jumps, controls that move nothing, the plot on a telephone."""

import itertools
import math

import pytest

from dlbook.widgets.figure import module_text
from tests.widgets.test_figures_on_page import CURVES, figure, slider

pytestmark = pytest.mark.browser


def test_a_jump_is_drawn_upright_with_an_open_and_a_full_end(open_page):
    page = open_page()
    ends = figure(page, CURVES).locator('[data-curve="ELU"] .dlw-end')
    assert ends.count() == 0, "at alpha = 1 nothing jumps"
    box = figure(page, CURVES).get_by_label("alpha: type a value")
    box.fill("2")
    box.press("Enter")
    places = ends.evaluate_all(
        "all => all.map(el => [el.getAttribute('cx'), el.classList.contains('dlw-open')])"
    )
    assert len(places) == 2 and places[0][0] == places[1][0] and [p[1] for p in places] == [False, True]
    slanted = figure(page, CURVES).locator('[data-curve="ELU"] path[stroke-dasharray]').get_attribute("d")
    assert slanted.count("M") == 2


def test_a_control_that_moves_nothing_shown_says_so(open_page):
    page = open_page()
    idle = figure(page, CURVES).locator(".dlw-idle")
    assert idle.count() == 0
    figure(page, CURVES).locator(".dlw-chip", has_text="ELU").first.click()
    assert idle.locator("label").all_inner_texts() == ["alpha"]
    said = idle.locator("label").evaluate("el => getComputedStyle(el, '::after').content")
    assert "moves nothing shown" in said


def test_the_plot_stays_in_sight_on_a_telephone(open_page):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    control = slider(page, CURVES, "read at x")
    control.evaluate("el => scrollBy(0, el.getBoundingClientRect().bottom - innerHeight + 300)")
    plot = figure(page, CURVES).locator(".dlw-plot").bounding_box()
    assert plot["y"] >= 0 and plot["y"] + plot["height"] <= control.bounding_box()["y"] + 1


@pytest.mark.parametrize(
    ("decades", "room", "distance"), [(16, 268, 42), (16, 600, 42), (3, 268, 42), (20, 180, 42)]
)
def test_the_marks_of_a_logarithmic_axis_keep_their_distance(open_page, decades, room, distance):
    text = module_text("controls.js", "plot.js") + "\nexport { logTicks };"
    marks = open_page().evaluate(
        """async ([text, low, room]) => {
            const module = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
            return (await import(module)).logTicks(low, 1, room);
        }""",
        [text, 10.0**-decades, room],
    )
    apart = [math.log10(b / a) * room / decades for a, b in itertools.pairwise(marks)]
    assert len(marks) >= 4 and min(apart) >= distance - 0.1  # "1e-16" is some 36 pixels wide
