"""Layers in a real Chromium: the lights, the wave and its steps, the reading place, pictures, paper, axe.

Seeded faults, tried: the gradient painted with the signal's data; a wave that comes back from the wrong
end; a stage without pictures in the column of the pictures.
"""

import numpy as np
import pytest

from tests.widgets.layers_checks import RATES, fading
from tests.widgets.live import check_axe, check_legible, check_paper

pytestmark = pytest.mark.browser


def opacities(page, kind, layer):
    """Brightness of the units of one layer (from 0), as drawn."""
    columns = page.locator(f".dlw-lights:has(> .{kind})").nth(layer)
    return columns.locator("rect").evaluate_all("all => all.map(r => Number(r.style.fillOpacity))")


def dark(page):
    """Which columns the wave has not reached: of the signal and of the gradient."""
    flags = page.locator(".dlw-lights").evaluate_all("all => all.map(g => g.classList.contains('dlw-dark'))")
    return flags[:4], flags[4:]


def test_lights_follow_the_data_the_picture_and_the_rate(open_figure):
    page = open_figure(fading())
    assert opacities(page, "dlw-blue", 0) == [1, 1, 1]
    assert opacities(page, "dlw-blue", 2) == [pytest.approx((12 / 18) ** 1.25, abs=1e-3)] * 3
    assert opacities(page, "dlw-orange", 3)[:2] == [1, 1]
    page.get_by_role("radio", name="digit 2").check(force=True)
    assert opacities(page, "dlw-blue", 2) == [pytest.approx((6 / 18) ** 1.25, abs=1e-3)] * 3
    assert "Signal: about 1 in layer 1, 10⁻⁶ or less in layer 4." in page.locator(".dlw-verdict").inner_text()


@pytest.mark.parametrize("width", [390, 1400])
def test_without_pictures_the_stage_has_the_whole_width(open_figure, width):
    signal = np.ones((3, 4, 3))  # [rates, layers, units]
    figure = fading(parameters={"rate": RATES}, signal=signal, gradient=signal, pictures=None)
    page = open_figure(figure, viewport={"width": width, "height": 900})
    scene, stage = (page.locator(place).bounding_box() for place in (".dlw-scene", ".dlw-stage"))
    assert stage["height"] > 100 and stage["width"] == pytest.approx(scene["width"], abs=1)


def test_a_diverged_run_says_so(open_figure):
    page = open_figure(fading())
    assert not page.get_by_text("diverged", exact=True).first.is_visible()
    page.get_by_role("button", name="more rate").click()
    assert page.locator(".dlw-diverged").is_visible()
    assert "Diverged" in page.locator(".dlw-verdict").inner_text()
    assert "loss diverged" in page.locator(".dlw-end").inner_text()
    assert opacities(page, "dlw-blue", 0) == [0, 0, 0]


def test_arrow_keys_and_pointer_read_a_layer(open_figure):
    page = open_figure(fading())
    place = page.get_by_role("slider", name="layer")
    place.focus()
    page.keyboard.press("ArrowRight")
    words = "layer 2 of 4: signal about 10⁻¹, gradient about 10⁻²"
    assert place.get_attribute("aria-valuetext") == page.locator(".dlw-read").inner_text() == words
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert place.get_attribute("aria-valuenow") == "4"
    box = place.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 80)
    assert place.get_attribute("aria-valuenow") == "1"
    assert page.locator(".dlw-here").get_attribute("visibility") == "visible"


def test_one_tab_stop_a_control(open_figure):
    page = open_figure(fading())
    names = []
    for _ in range(7):
        page.keyboard.press("Tab")
        names.append(page.evaluate("(e => e.ariaLabel ?? e.value ?? e.tagName)(document.activeElement)"))
    assert names[:3] == ["7", "layer", "one step further"]
    assert "rate: type a value" in names and "less rate" in names and "more rate" in names


def test_steps_walk_the_signal_in_and_the_gradient_back(open_figure):
    page = open_figure(fading())
    assert dark(page) == ([False] * 4, [False] * 4)
    step = page.get_by_role("button", name="one step further")
    step.click()
    assert dark(page) == ([False, True, True, True], [True] * 4)
    for _ in range(4):
        step.click()
    assert dark(page) == ([False] * 4, [True, True, True, False])
    for _ in range(3):
        step.click()
    assert dark(page) == ([False] * 4, [False] * 4)


def test_play_runs_pauses_and_ends_with_the_whole_picture(open_figure):
    page = open_figure(fading(), reduced_motion="no-preference")
    page.get_by_role("button", name="pause").wait_for()  # it begins when it is in sight
    page.wait_for_timeout(600)
    page.get_by_role("button", name="pause").click()
    stopped = dark(page)
    assert True in stopped[1]
    page.wait_for_timeout(500)
    assert dark(page) == stopped
    page.get_by_role("button", name="send a picture through").click()
    page.get_by_role("button", name="send a picture through").wait_for(timeout=9000)
    assert dark(page) == ([False] * 4, [False] * 4)


def test_with_less_motion_it_stands_whole_and_cannot_play(open_figure):
    page = open_figure(fading())
    page.wait_for_timeout(500)
    assert dark(page) == ([False] * 4, [False] * 4)
    assert page.get_by_role("button", name="send a picture through").count() == 0


def test_what_is_seen_is_spoken_once_it_rests(open_figure):
    page = open_figure(fading())
    page.get_by_role("button", name="less rate").click()
    page.wait_for_timeout(700)
    spoken = page.locator("[aria-live]").inner_text()
    assert (
        "rate = 0, digit = 7" in spoken and "Signal: about 1" in spoken and "loss at the end: 2.3" in spoken
    )


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    page = open_figure(fading(), viewport={"width": width, "height": 900})
    check_legible(page, width)


@pytest.mark.parametrize("dark_theme", [False, True])
def test_axe_finds_nothing(open_figure, dark_theme):
    check_axe(open_figure(fading(), dark=dark_theme))


def test_paper_is_white_and_has_no_buttons(open_figure):
    page = open_figure(fading(), dark=True)
    check_paper(page)
    assert "rate = 0.1, digit = 7" in page.locator(".dlw-state").inner_text()


def test_without_javascript_the_still_picture_suits_the_width(open_figure):
    page = open_figure(fading(), java_script_enabled=False, viewport={"width": 390, "height": 800})
    assert page.locator(".dls-narrow").is_visible() and not page.locator(".dls-wide").is_visible()
