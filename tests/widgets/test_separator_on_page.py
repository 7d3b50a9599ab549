"""Separator in a real Chromium: the package's numbers, points by mouse, finger and keyboard, motion, width, axe, paper."""

import re

import pytest

from dlbook.widgets.separator import bound, course
from tests.widgets.live import check_axe, check_legible, check_paper
from tests.widgets.separator_checks import separator
from tests.widgets.test_separator import by_the_package, random_points

pytestmark = pytest.mark.browser
IN_PAGE = """async ([points, most]) => {
  const code = window.model.get('_esm'), page = await import(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  const run = page.default.course(points, most), { radius, margin } = page.default.bound(points);
  return [run.states.map((state) => state.weights), run.states.slice(1).map((state) => state.missed), run.stopped, radius, margin, run.circle];
}"""


def in_page(page, points, most=60):
    return page.evaluate(IN_PAGE, [points, most])


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def at(page, x, y):
    """Pixels of a place of the square."""
    box = page.locator(".dlw-plane").bounding_box()
    across, down = (x + 1.1) / 2.2, (1.1 - y) / 2.2
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def points_of(page):
    return page.evaluate("window.model.get('points')")


def check_page(page):
    for seed in range(12):
        points = random_points(seed)
        weights, missed, stopped, radius, margin, _ = in_page(page, points)
        run, expected = course(points, 60), bound(points)
        assert weights == by_the_package(points, 60)  # to the last bit: all sums are exact
        assert missed == run.missed and stopped == run.stopped
        assert [radius, margin] == pytest.approx(expected[:2], abs=1e-6)


def test_every_step_is_the_package_s_perceptron_and_the_bound_is_the_package_s(open_figure):
    check_page(open_figure(separator()))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [(">= 0 ? 1 : 0", "> 0 ? 1 : 0"), ("(label - answer)", "(answer - label)"), ("> 1 - 1e-7", "> 0.5")],
)
def test_the_package_catches_a_fault_in_the_page(open_figure, right, wrong):
    figure = separator()
    assert right in figure._esm
    figure._esm = figure._esm.replace(right, wrong, 1)
    page = open_figure(figure)
    with pytest.raises(AssertionError):
        check_page(page)


def test_a_circle_is_told_where_the_weights_come_back(open_figure):
    page = open_figure(separator(start="XOR"))
    weights, missed, _, _, _, circle = in_page(page, separator(start="XOR").points)
    first, again = circle
    assert weights[first] == weights[again] and missed[first - 1] == missed[again - 1]
    assert f"circle of {again - first} mistakes" in verdict(page) and "No line separates" in verdict(page)


def test_the_end_tells_mistakes_and_bound(open_figure):
    figure = separator(start="close")
    page = open_figure(figure)
    found = re.match(r"After (\d+) mistakes all 7 points are right.* at most (\d+)", verdict(page))
    assert int(found[1]) == len(figure.course().missed) and int(found[2]) == figure.bound()[2]
    assert page.locator(".dlw-wrong").count() == 0


def test_step_walks_from_mistake_to_mistake(open_figure):
    figure = separator(start="close")
    page, run = open_figure(figure), figure.course()
    page.get_by_role("button", name="back to the start").click()
    assert verdict(page).startswith("Nothing is learnt yet")
    for k in range(1, 4):
        page.get_by_role("button", name="one step further").click()
        a, b, c = run.weights[k]
        assert verdict(page).startswith(f"Mistake {k}: ")
        assert f"w = ({a:g}, {b:g}), b = {c:g}.".replace("-", "−") in verdict(page)
    page.get_by_role("button", name="to the end").click()
    assert verdict(page).startswith(f"After {len(run.missed)} ")


def test_a_click_puts_a_point_and_the_line_is_learnt_anew(open_figure):
    page = open_figure(separator(), viewport={"width": 1000, "height": 900})
    page.mouse.click(*at(page, -0.5, 0.5))
    page.get_by_role("radio", name="no").check(force=True)
    page.mouse.click(*at(page, 0.0, -0.75))
    assert points_of(page)[3:] == [[-0.5, 0.5, 1], [0.0, -0.75, 0]]
    assert page.evaluate("window.model.get('values').points") == "your own"
    run = course(points_of(page), 1000)
    assert verdict(page).startswith(f"After {len(run.missed)} mistake")


def test_a_click_on_a_point_changes_it_or_removes_it(open_figure):
    page = open_figure(separator(), viewport={"width": 1000, "height": 900})
    page.get_by_role("radio", name="no").check(force=True)
    page.mouse.click(*at(page, 0.5, 0.5))
    assert points_of(page)[0] == [0.5, 0.5, 0]
    page.get_by_role("radio", name="remove").check(force=True)
    page.mouse.click(*at(page, 0.5, 0.5))
    assert points_of(page) == [[-0.5, -0.5, 0], [0.75, 0.0, 1]]
    page.get_by_role("button", name="clear").click()
    assert points_of(page) == [] and verdict(page).startswith("There are no points")


def test_a_point_can_be_dragged(open_figure):
    page = open_figure(separator(), viewport={"width": 1000, "height": 900})
    page.mouse.move(*at(page, 0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*at(page, 0.0, 0.25), steps=6)
    page.mouse.move(*at(page, -0.75, 0.75), steps=6)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert points_of(page)[0] == [-0.75, 0.75, 1] and len(points_of(page)) == 3


def test_a_finger_puts_points(open_figure):
    page = open_figure(separator(), viewport={"width": 390, "height": 900}, has_touch=True)
    page.touchscreen.tap(*at(page, -0.5, 0.5))
    assert points_of(page)[-1] == [-0.5, 0.5, 1]


def test_keyboard_moves_a_cursor_puts_and_removes(open_figure):
    page = open_figure(separator())
    square = page.get_by_role("application")
    square.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Enter"):
        square.press(key)
    assert points_of(page)[-1] == [0.125, 0.0625, 1]
    square.press("Delete")
    assert len(points_of(page)) == 3
    square.press("ArrowDown")
    page.wait_for_timeout(700)
    assert page.locator("[aria-live]").inner_text().startswith("(0.125, 0)")


def test_python_can_set_the_points(open_figure):
    page = open_figure(separator())
    page.evaluate("window.model.set('points', [[0.5, 0.5, 0], [-0.5, -0.5, 1]])")
    assert "all 2 points are right" in verdict(page)


def test_it_plays_once_in_sight_and_can_be_paused(open_figure):
    page = open_figure(separator(start="close"), reduced_motion="no-preference")
    page.get_by_role("button", name="pause").click()
    first = verdict(page)
    page.wait_for_timeout(500)
    assert verdict(page) == first
    page.get_by_role("button", name="play").click()
    page.wait_for_timeout(900)
    assert verdict(page) != first


def test_less_motion_starts_at_the_end_without_play(open_figure):
    page = open_figure(separator())
    assert verdict(page).startswith("After ") and page.get_by_role("button", name="play").count() == 0


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    check_legible(open_figure(separator(start="close"), viewport={"width": width, "height": 900}), width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(separator(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(separator())
    check_paper(page)
    assert page.locator(".dlw-state").inner_text() == "points = wide"


def test_it_opens_at_the_mistake_that_it_is_told_and_stays_there(open_figure):
    page = open_figure(separator(start="close", opens=1))
    page.wait_for_timeout(800)
    assert verdict(page).startswith("Mistake 1:") and "R =" not in verdict(page)
    page.get_by_role("button", name="to the end").click()
    assert verdict(page).startswith("After") and "R =" in verdict(page)
