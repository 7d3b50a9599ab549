"""Map in a real Chromium: looks by key and step, shapes, motion, width, axe, paper."""

import importlib

import numpy as np
import pytest

from tests.widgets.live import check_apart, check_axe, check_legible, check_paper
from tests.widgets.map_checks import made

pytestmark = pytest.mark.browser


VALUES = "() => window.model.get('values')"


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def test_less_motion_starts_at_the_end_and_keys_go_back(open_figure):
    page = open_figure(made())
    assert verdict(page) == "After 30 steps 2 of 3 have a label, and 0 of these labels are wrong."
    slider = page.get_by_role("slider", name="step")
    slider.press("ArrowLeft")
    assert "After 20 steps 2 of 3 have a label, and 1 of" in verdict(page)
    assert page.locator(".dlw-wrong").get_attribute("d").startswith("M-5 -5")
    assert slider.get_attribute("aria-valuetext") == "step 20"
    slider.press("Home")
    assert page.locator(".dlw-none").count() == 3
    page.wait_for_timeout(700)
    assert page.locator("[aria-live]").inner_text() == verdict(page)


def test_points_stand_where_python_has_them(open_figure):
    figure = made()
    page = open_figure(figure, viewport={"width": 1000, "height": 900})
    width = int(page.locator(".dlw-stage svg").get_attribute("viewBox").split()[2])
    cx, cy, wide, tall, _ = importlib.import_module("dlbook.widgets.map_still").frame(width)
    x, y = figure.positions[-1, 2] / 127.5 - 1
    drawn = page.locator(".dlw-right").nth(1).get_attribute("transform")
    assert drawn == f"translate({cx + x * wide:.1f} {cy - y * tall:.1f})"


def test_it_plays_in_sight_and_can_be_paused(open_figure):
    page = open_figure(made(), reduced_motion="no-preference")
    page.get_by_role("button", name="pause").click()
    place = lambda: page.locator(".dlw-stage path").nth(1).get_attribute("transform")
    first = place()
    page.wait_for_timeout(400)
    assert place() == first
    page.get_by_role("button", name="play").click()
    page.wait_for_timeout(600)
    assert place() != first


def test_play_goes_on_from_where_the_slider_was_put(open_figure):
    page = open_figure(
        made(steps=list(range(0, 300, 10)), positions=np.zeros((30, 3, 2)), states=np.zeros((30, 3))),
        reduced_motion="no-preference",
    )
    page.get_by_role("button", name="pause").click()
    slider = page.get_by_role("slider", name="step")
    slider.fill("25")
    page.get_by_role("button", name="play").click()
    page.wait_for_timeout(300)
    assert int(slider.input_value()) >= 25


def test_the_chosen_look_is_in_the_values_and_a_value_moves_the_look(open_figure):
    page = open_figure(made())
    slider = page.get_by_role("slider", name="step")
    slider.press("Home")
    assert page.evaluate(VALUES) == {"training step": 10}
    page.evaluate("window.model.set('values', { 'training step': 20 })")
    assert slider.input_value() == "1" and "After 20 steps" in verdict(page)
    assert page.evaluate(VALUES) == {"training step": 20}


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    page = open_figure(made(), viewport={"width": width, "height": 900})
    check_legible(page, width)


@pytest.mark.parametrize("width", [1200, 390])
def test_words_and_stars_stand_apart(open_figure, width):
    around = {str(i): (np.sin(np.pi * i / 5), np.cos(np.pi * i / 5)) for i in range(10)}
    page = open_figure(made(anchors=around), viewport={"width": width, "height": 900})
    check_apart(page)
    names, stars = (
        page.locator(place).evaluate_all("all => all.map(e => e.getBoundingClientRect().toJSON())")
        for place in ("text.dlw-class", ".dlw-star")
    )
    apart = lambda a, b: (
        a["right"] < b["left"]
        or b["right"] < a["left"]
        or a["bottom"] < b["top"] + 5
        or b["bottom"] < a["top"] + 5
    )  # a digit's box is higher than the digit
    assert len(names) == 10 and all(apart(name, star) for name in names for star in stars)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(made(), dark=dark))


def test_paper_is_white_without_buttons(open_figure):
    page = open_figure(made())
    check_paper(page)
