"""Multiples in a real Chromium: one x for all squares by mouse, finger and keyboard; flat squares; width, axe, paper."""

import pytest

from tests.widgets.live import check_axe, check_paper
from tests.widgets.multiples_checks import multiples

pytestmark = pytest.mark.browser


def numbers(page):
    """{name: (value, slope)} as the squares tell them."""
    rows = page.locator(".dlw-square").evaluate_all(
        "all => all.map(s => [s.getAttribute('aria-label'), s.querySelector('.dlw-numbers').innerText])"
    )
    return {name: text.replace("−", "-").replace("· flat", "").split() for name, text in rows}


def test_all_squares_tell_the_numbers_of_python(open_figure):
    figure = multiples()
    page = open_figure(figure)
    for name, pair in figure.read().items():
        assert [float(text) for text in numbers(page)[name]] == list(pair)


def test_keyboard_moves_x_everywhere_and_flat_squares_say_so(open_figure):
    page = open_figure(multiples())
    slider = page.get_by_role("slider", name="x", exact=True)
    slider.press("Home")
    assert slider.get_attribute("aria-valuetext") == "−2"
    assert numbers(page)["square"] == ["2.00", "-2.00"]
    flat = page.locator(".dlw-flat")
    assert flat.count() == 1 and flat.get_attribute("aria-label") == "ramp"
    assert flat.locator(".dlw-flat-word").is_visible()
    assert "1 of 3 are flat here" in page.locator(".dlw-count").inner_text()
    page.wait_for_timeout(700)
    assert "Flat: ramp." in page.locator("[aria-live]").inner_text()


def test_dragging_in_one_square_moves_all(open_figure):
    page = open_figure(multiples(cursor=0.0))
    box = page.locator(".dlw-square svg").nth(1).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (6 + 158 * 0.75) / 170, box["y"] + 30)
    page.mouse.up()
    assert page.locator(".dlw-x").inner_text() == "x = 1"
    page.mouse.move(box["x"] + 3, box["y"] + 30)  # not pressed
    assert page.locator(".dlw-x").inner_text() == "x = 1" and numbers(page)["ramp"] == ["1.00", "1.00"]


def test_a_finger_places_x(open_figure):
    page = open_figure(multiples(), has_touch=True, viewport={"width": 390, "height": 800})
    box = page.locator(".dlw-square svg").first.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 20)
    assert page.locator(".dlw-x").inner_text() == "x = 0"


def test_a_jump_is_drawn_as_a_jump(open_figure):
    page = open_figure(multiples())
    moves = page.locator(".dlw-slopes .dlw-line").evaluate_all(
        "all => all.map(p => p.getAttribute('d').split('M').length - 1)"
    )
    assert moves == [1, 1, 2]


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_numbers_are_not_cut(open_figure, width):
    page = open_figure(multiples(cursor=-0.9), viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = "all => all.filter(p => p.scrollWidth > p.clientWidth).length"
    assert page.locator(".dlw-numbers, .dlw-name").evaluate_all(cut) == 0


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(multiples(cursor=-1.0), dark=dark))


def test_paper_is_white_and_tells_x(open_figure):
    page = open_figure(multiples())
    check_paper(page)
    assert page.locator(".dlw-state").inner_text() == "x = 1"
