"""Flow in a real Chromium: width, switches, the reading place, motion, narrow, paper, axe.

Seeded faults, tried: half of the logarithm as width; a river that jumps to its new shape.
"""

import re

import pytest

from tests.widgets.flow_checks import river
from tests.widgets.live import check_axe, check_legible, check_paper

pytestmark = pytest.mark.browser


def shores(page):
    """Upper shore as drawn: y at the input and at the loss."""
    first = page.locator(".dlw-shore").get_attribute("d").split("M")[1]
    points = [tuple(map(float, point.split())) for point in re.split("[ML]", first) if point.strip()]
    return points[0][1], points[-1][1]


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def switch_on(page):
    page.get_by_role("radio", name="on", exact=True).check(force=True)


def test_river_is_wide_where_the_gradient_is_large(open_figure):
    page = open_figure(river(), viewport={"width": 1000, "height": 900})
    input_, loss = shores(page)
    assert loss - input_ == pytest.approx(5 * (264 - 5) / 7 / 2, abs=0.5)  # five powers of ten, on one side
    assert (
        verdict(page) == "At block 1 the gradient norm is 100,000 times the last block's: a flood. Loss: 2.3."
    )


def test_switches_and_steps_change_river_words_arcs_and_valves(open_figure):
    page = open_figure(river())
    arcs, valves = page.locator(".dlw-hops"), page.locator(".dlw-valves")
    on = "el => el.classList.contains('dlw-on')"
    assert (arcs.evaluate(on), valves.evaluate(on)) == (False, True)
    switch_on(page)
    assert (arcs.evaluate(on), valves.evaluate(on)) == (True, False)
    assert shores(page)[0] == shores(page)[1] and "1 times the last block's: a river" in verdict(page)
    page.get_by_role("radio", name="off", exact=True).check(force=True)
    page.get_by_role("slider", name="step").press("End")
    assert "1/100 of the last block's: nearly dry. Loss: 2.1." in verdict(page)
    assert shores(page)[0] > shores(page)[1]


def test_a_diverged_run_has_no_river_and_says_so(open_figure):
    page = open_figure(river(start={"step": 5}))
    assert not page.locator(".dlw-diverged").is_visible()
    switch_on(page)
    assert page.locator(".dlw-diverged").is_visible() and "Diverged" in verdict(page)
    assert page.locator(".dlw-shore").get_attribute("visibility") == "hidden"


def test_arrow_keys_and_pointer_read_a_block(open_figure):
    page = open_figure(river())
    place = page.get_by_role("slider", name="block")
    place.focus()
    page.keyboard.press("ArrowRight")
    words = "block 2 of 6: gradient norm 200, 10,000 times the last block's"
    assert place.get_attribute("aria-valuetext") == page.locator(".dlw-read").inner_text() == words
    box = place.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 100, box["y"] + 150)
    assert place.get_attribute("aria-valuenow") == "6"
    assert page.locator(".dlw-chosen").count() == 1


def test_motion_can_be_paused_and_is_absent_where_less_is_asked_for(open_figure):
    running = "el => getComputedStyle(el).animationName"
    page = open_figure(river(), reduced_motion="no-preference")
    stream = page.locator(".dlw-stream").first
    assert stream.evaluate(running) == "dlw-stream"
    page.get_by_role("button", name="pause").click()
    assert stream.evaluate(running) == "none"
    page.get_by_role("button", name="let it flow").click()
    assert stream.evaluate(running) == "dlw-stream"
    calm = open_figure(river())
    assert calm.locator(".dlw-stream").first.evaluate(running) == "none"
    assert calm.get_by_role("button", name="pause").count() == 0


def test_river_moves_over_to_its_new_shape(open_figure):
    page = open_figure(river(), reduced_motion="no-preference")
    before = shores(page)[0]
    switch_on(page)
    page.wait_for_timeout(150)
    between = shores(page)[0]
    page.wait_for_timeout(900)
    assert before < between < shores(page)[0]


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    page = open_figure(river(), viewport={"width": width, "height": 900})
    check_legible(page, width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(river(), dark=dark))


def test_paper_is_white_stands_still_and_has_no_buttons(open_figure):
    page = open_figure(river(), reduced_motion="no-preference")
    check_paper(page)
    assert page.locator(".dlw-stream").first.evaluate("el => getComputedStyle(el).animationName") == "none"
    assert page.locator(".dlw-state").inner_text() == "shortcuts = off, step = 0"
