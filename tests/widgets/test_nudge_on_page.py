"""Nudge in a real Chromium: dragging, keys, the chart, cells, width, axe, paper."""

import numpy as np
import pytest

from tests.widgets.live import check_axe, check_legible, check_paper
from tests.widgets.nudge_checks import PICTURES, nudged

pytestmark = pytest.mark.browser
READ = """image => new Promise(done => { const made = new Image(); made.onload = () => {
    const canvas = document.createElement('canvas'); canvas.width = made.width; canvas.height = made.height;
    const context = canvas.getContext('2d'); context.drawImage(made, 0, 0);
    const data = context.getImageData(0, 0, made.width, made.height).data;
    done([...data].filter((_, k) => k % 4 === 0)); }; made.src = image.getAttribute('href'); })"""


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def shown(page, number):
    return page.locator(".dlw-view").nth(number).evaluate(READ)


def test_words_bars_and_pictures_are_those_of_python(open_figure):
    page = open_figure(nudged(), viewport={"width": 1000, "height": 900})
    assert verdict(page) == "Shifted by 0. flips: a, right, with 0.900. stands: a, right, with 0.800."
    heights = page.locator(".dlw-bar").evaluate_all(
        "all => all.map(b => parseFloat(b.getAttribute('height')))"
    )
    assert heights == pytest.approx([max(1.5, 84 * p) for p in (0.9, 0.1, 0, 0.8, 0.1, 0.1)])
    assert shown(page, 0) == (255 * PICTURES[0]).flatten().tolist()


def test_keys_shift_the_picture_and_the_first_network_flips(open_figure):
    figure = nudged()
    page = open_figure(figure)
    cells = shown(page, 1)
    page.get_by_role("slider", name="shift").press("ArrowRight")
    assert "Shifted by 1. flips: b, wrong, with 0.700. stands: a, right" in verdict(page)
    assert shown(page, 0) == (255 * np.roll(PICTURES[0], 1, 1)).flatten().tolist() and shown(page, 1) != cells
    assert page.locator("text.dlw-bad").all_text_contents() == ["✗ says b"]


def test_the_picture_can_be_dragged_one_pixel_at_a_time(open_figure):
    page = open_figure(nudged(), viewport={"width": 1000, "height": 900})
    box = page.locator(".dlw-grip").bounding_box()
    pixel, y = box["width"] / 4, box["y"] + 30
    page.mouse.move(box["x"] + 0.5 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"] - 1.1 * pixel, y)
    assert "Shifted by −1." in verdict(page)
    page.mouse.move(box["x"] + 0.5 * box["width"] + 9 * pixel, y)  # no further than the last
    page.mouse.up()
    assert "Shifted by 2." in verdict(page)


def test_a_place_on_the_chart_can_be_chosen(open_figure):
    page = open_figure(nudged(), viewport={"width": 1000, "height": 900})
    box = page.locator(".dlw-field").bounding_box()
    page.mouse.click(box["x"] + 9, box["y"] + 20)
    assert "Shifted by −2." in verdict(page)


def test_a_step_moves_on_and_the_other_picture_is_shown(open_figure):
    page = open_figure(nudged(start={"picture": "bar", "shift": -2}))
    page.get_by_role("button", name="one step further").click()
    page.get_by_role("radio", name="line").check(force=True)
    assert shown(page, 0) == (255 * PICTURES[1]).flatten().tolist()


@pytest.mark.parametrize("width", [1200, 830, 720, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    page = open_figure(nudged(), viewport={"width": width, "height": 1100})
    check_legible(page, width)
    inside = """all => all.every(t => { const a = t.getBoundingClientRect(), b = t.closest('.dlw-stage').getBoundingClientRect();
        return !t.textContent || (a.left >= b.left && a.right <= b.right && a.bottom <= b.bottom); })"""
    assert page.locator(".dlw-stage text").evaluate_all(inside)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(nudged(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(nudged())
    check_paper(page)
    assert page.locator(".dlw-state").inner_text() == "picture = bar, shift = 0"


def test_on_a_telephone_the_stage_does_not_cover_the_controls(open_figure):
    page = open_figure(nudged(), viewport={"width": 390, "height": 800})
    page.get_by_role("button", name="more shift").click()  # Playwright refuses to click what is covered
    assert page.locator(".dlw-stage").evaluate("el => getComputedStyle(el).position") == "relative"
