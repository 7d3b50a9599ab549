"""Cortex in a real Chromium: the numbers of Python, drag, turn, keys, width, axe, paper."""

import re

import pytest

from tests.widgets.cortex_checks import cortex
from tests.widgets.live import check_axe, check_legible, check_paper

pytestmark = pytest.mark.browser


def told(page):
    return [float(found) for found in re.findall(r" (\d\.\d\d)", page.locator(".dlw-verdict").inner_text())]


def values(page):
    return page.evaluate("model.get('values')")


@pytest.mark.parametrize(
    "start",
    [{"angle": 60}, {"angle": 15, "x": 2, "y": -1}, {"angle": 75, "x": 1, "bar": "dark"}],
)
def test_the_page_computes_what_python_does(open_figure, start):
    figure = cortex(start=start)
    page = open_figure(figure, viewport={"width": 1000, "height": 900})
    assert told(page) == pytest.approx(figure.responses(), abs=6e-3)
    spikes = page.locator(".dlw-spikes").evaluate_all(
        "all => all.map(p => p.getAttribute('d').split('V').length - 1)"
    )
    assert spikes == [round(28 * value) for value in figure.responses()]


def test_keys_turn_the_bar(open_figure):
    figure = cortex()
    page = open_figure(figure)
    page.get_by_role("slider", name="angle").press("ArrowRight")
    assert values(page)["angle"] == 75
    figure.values = {"angle": 75}
    assert told(page) == pytest.approx(figure.responses(), abs=6e-3)
    page.wait_for_timeout(700)
    assert page.locator("[aria-live]").inner_text().startswith("angle = 75, x = 0")


def test_the_bar_can_be_dragged_and_turned_by_its_knob(open_figure):
    page = open_figure(cortex(), viewport={"width": 1000, "height": 900})
    box = page.locator(".dlw-grip").bounding_box()
    x, y, unit = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"] / 21
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 4 * unit, y - 2 * unit, steps=4)
    page.mouse.up()
    assert (values(page)["x"], values(page)["y"], values(page)["angle"]) == (4, -2, 60)
    knob = page.locator(".dlw-knob").bounding_box()
    page.mouse.move(knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2)
    page.mouse.down()
    page.mouse.move(x + 10 * unit, y - 2 * unit, steps=4)  # to the right of the bar's middle
    page.mouse.up()
    assert (values(page)["x"], values(page)["y"], values(page)["angle"]) == (4, -2, 0)


def test_one_step_moves_the_bar_by_itself_and_a_key_brings_it_back(open_figure):
    page = open_figure(cortex())
    place = lambda: page.locator(".dlw-knob").locator("..").get_attribute("transform")
    before = place()
    page.get_by_role("button", name="one step further").click()
    assert place() != before and told(page)[2] < 0.5
    page.get_by_role("slider", name="x", exact=True).press("ArrowRight")
    assert values(page)["x"] == 1 and told(page)[2] > 0.5


@pytest.mark.parametrize("width", [1200, 720, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    page = open_figure(cortex(), viewport={"width": width, "height": 900})
    check_legible(page, width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(cortex(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(cortex())
    check_paper(page)
    assert page.locator(".dlw-state").inner_text() == "angle = 60, x = 0, y = 0, bar = light"
