"""Bowl in a real Chromium: the numbers of Python, play, step and reset, the keyboard, motion, width, axe, paper."""

import importlib
import re

import pytest

from tests.widgets.bowl_checks import UPDATES, bowl
from tests.widgets.live import check_axe, check_legible, check_paper

pytestmark = pytest.mark.browser


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def read(page):
    """Updates made, mean loss and floor, as the sentence tells them."""
    found = re.match(r"After (\d+) updates the mean loss is ([\d.]+); .* ([\d.]+)\.$", verdict(page))
    return int(found[1]), float(found[2]), float(found[3])


@pytest.mark.parametrize("setting", [{}, {"start_rate": 1.5}, {"start_schedule": "decay"}])
def test_page_runs_the_same_balls_as_python(open_figure, setting):
    figure = bowl(**setting)
    updates, loss, floor = read(open_figure(figure))
    assert updates == UPDATES
    assert loss == pytest.approx(figure.losses()[-1], rel=5e-3)  # three digits
    assert floor == pytest.approx(figure.floor(figure.rates()[-1]), rel=6e-3)


def test_balls_stand_where_python_has_them(open_figure):
    figure = bowl()
    page = open_figure(figure, viewport={"width": 1000, "height": 900})
    bowl_still = importlib.import_module("dlbook.widgets.bowl_still")
    width = int(page.locator(".dlw-stage svg").get_attribute("viewBox").split()[2])
    place = bowl_still.Ground(width, figure.spec).place(*figure.swarm()[-1, 0])
    ball = page.locator(".dlw-ball").first
    drawn = [float(ball.get_attribute(name)) for name in ("cx", "cy")]
    assert drawn == pytest.approx(place, abs=0.2)


def test_rate_by_keyboard_moves_balls_and_floor(open_figure):
    page = open_figure(bowl())
    radius = lambda: float(page.locator(".dlw-disc").get_attribute("d").split("a")[1].split()[0])
    before = radius()
    page.get_by_role("slider", name="learning rate").press("ArrowRight")
    assert "floor of this rate is 1.50" in verdict(page)
    assert radius() == pytest.approx(3 * before)  # root of 1.5 over 0.167
    page.wait_for_timeout(700)
    assert page.locator("[aria-live]").inner_text().endswith(verdict(page))


def test_a_rate_beyond_the_limit_throws_the_balls_out_and_says_so(open_figure):
    page = open_figure(bowl(start_rate=2.2))
    assert "diverged. The rate 2.2 is above 2/h = 2." in verdict(page)
    assert page.locator(".dlw-word").text_content() == "diverged"
    page.get_by_role("button", name="back to the start").click()
    assert page.locator(".dlw-word").text_content() == ""
    assert "this rate has no floor" in verdict(page)


def test_step_and_reset(open_figure):
    page = open_figure(bowl())
    page.get_by_role("button", name="back to the start").click()
    assert read(page)[:2] == (0, 4.51)
    for _ in range(3):
        page.get_by_role("button", name="one step further").click()
    assert read(page)[0] == 3 and read(page)[1] == pytest.approx(bowl().losses()[3], rel=5e-3)
    page.get_by_role("radio", name="decay").check(force=True)
    assert "the rate, now 0.463, is" in verdict(page)


def test_it_plays_once_in_sight_and_can_be_paused(open_figure):
    page = open_figure(bowl(), reduced_motion="no-preference")
    page.get_by_role("button", name="pause").click()
    first = verdict(page)
    assert read(page)[0] < UPDATES
    page.wait_for_timeout(500)
    assert verdict(page) == first
    page.get_by_role("button", name="play").click()
    page.wait_for_timeout(700)
    assert verdict(page) != first


def test_less_motion_starts_at_the_end_without_play(open_figure):
    page = open_figure(bowl())
    page.wait_for_timeout(400)
    assert read(page)[0] == UPDATES and page.get_by_role("button", name="play").count() == 0


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    page = open_figure(bowl(), viewport={"width": width, "height": 900})
    check_legible(page, width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(bowl(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(bowl())
    check_paper(page)
    assert page.locator(".dlw-state").inner_text() == "learning rate = 0.5, schedule = constant"
