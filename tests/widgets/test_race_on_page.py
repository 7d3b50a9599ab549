"""Race in a real Chromium: the numbers of Python and torch, dropping by pointer, finger and keys, play, width, axe."""

import json
import subprocess

import numpy as np
import pytest

from dlbook.widgets import race_rules
from dlbook.widgets.figure import module_text
from dlbook.widgets.race_still import Chart
from tests.browser.engine_runs import NODE
from tests.widgets.live import check_axe, check_legible, check_paper
from tests.widgets.race_checks import CURVED, RATES, RAVINE, race
from tests.widgets.test_race_rules import THEIRS, rolled

pytestmark = pytest.mark.browser


def in_node(method, terms, rate, mu, rules=None):
    """The places of a ball over 100 updates, by the page's own rules."""
    asked = json.dumps([terms, method, rate, mu, [-1.5, 0.5], 100])
    text = rules or module_text("race_rules.js")
    script = f"{text}\nprocess.stdout.write(JSON.stringify(course(...{asked}).places));"
    run = subprocess.run(
        [NODE, "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr[-800:]
    return np.array(json.loads(run.stdout))


@pytest.mark.parametrize("method", race_rules.METHODS)
def test_the_pages_rules_are_torchs(method):
    for terms, rate, mu in ((RAVINE, 0.003, 0.9), (CURVED, 0.01, 0.5)):
        expected = rolled(THEIRS[method], terms, rate, mu, (-1.5, 0.5), 100)
        assert np.abs(in_node(method, terms, rate, mu) - expected).max() < 1e-8


@pytest.mark.parametrize(
    ("right", "wrong", "method"),
    [
        ("return g + mu * kept.a", "return kept.a", "Nesterov"),
        ("kept.b += g * g", "kept.b += g", "AdaGrad"),
        ("/ (1 - mu ** t)", "", "Adam"),
        ("const SQUARES = 0.9", "const SQUARES = 0.99", "RMSprop"),
        ("c * j * x ** i", "c * x ** i", "SGD"),
    ],
)
def test_a_fault_in_the_pages_rules_is_seen(right, wrong, method):
    text = module_text("race_rules.js")
    assert right in text
    expected = rolled(THEIRS[method], RAVINE, 0.003, 0.9, (-1.5, 0.5), 100)
    found = in_node(method, RAVINE, 0.003, 0.9, text.replace(right, wrong))
    assert len(found) < 101 or not np.abs(found - expected).max() < 1e-4


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def chart_of(page, figure):
    return Chart(int(page.locator(".dlw-stage svg").get_attribute("viewBox").split()[2]), figure.spec)


def test_balls_stand_where_python_has_them(open_figure):
    figure = race()
    page = open_figure(figure, viewport={"width": 1000, "height": 900})
    at = chart_of(page, figure)
    for number, method in enumerate(race_rules.METHODS):
        rate = 0.01 if method == "momentum" else figure.best(method)
        ball = page.locator(f"[clip-path] .dlw-ball.dlw-m{number}").get_attribute("transform")
        drawn = [float(part) for part in ball.split("(")[1].split(")")[0].split()]
        assert drawn == pytest.approx(at.place(*figure.places(method, rate)[-1]), abs=0.2)


def test_the_sentence_has_pythons_numbers(open_figure):
    figure = race()
    words = verdict(open_figure(figure))
    told = float(words.split("loss ")[1].split(" after")[0].replace("−", "-"))
    assert told == pytest.approx(figure.losses("momentum", 0.01)[-1], rel=0.02)
    assert f"Its best rate from here is {figure.best('momentum'):g}" in words
    lowest = min(race_rules.METHODS, key=lambda method: figure.sweep(method).min())
    assert f"Lowest of all at its best rate: {lowest}" in words


def test_a_click_drops_the_balls_there(open_figure):
    page = open_figure(race(), viewport={"width": 1000, "height": 900})
    box = page.get_by_role("application").bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    values = page.evaluate("model.get('values')")
    assert (values["start x"], values["start y"]) == (1, 1)
    expected = race(start=(1, 1))
    assert f"Its best rate from here is {expected.best('momentum'):g}" in verdict(page)


def test_a_finger_drags_them(open_figure):
    page = open_figure(race(), viewport={"width": 390, "height": 844}, has_touch=True)
    box = page.get_by_role("application").bounding_box()
    page.touchscreen.tap(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    assert page.evaluate("[model.get('values')['start x'], model.get('values')['start y']]") == [0, 0]


def test_arrow_keys_move_the_start_and_stay_on_the_map(open_figure):
    page = open_figure(race(start=(-2, 0.5)))
    page.get_by_role("application").press("ArrowLeft")
    page.get_by_role("application").press("ArrowUp")
    page.get_by_role("application").press("Shift+ArrowRight")
    assert page.evaluate("[model.get('values')['start x'], model.get('values')['start y']]") == [-1.75, 0.55]


def test_controls_change_method_surface_and_others(open_figure):
    page = open_figure(race())
    page.get_by_label("method").select_option("SGD")
    page.get_by_role("slider", name="rate").press("End")
    assert "SGD at the rate 0.3 leaves the map for good" in verdict(page)
    assert page.locator(".dlw-word").text_content() == "lost"
    rings = page.locator(".dlw-ringed").last.get_attribute("d")
    page.get_by_role("radio", name="curved").check(force=True)
    assert page.locator(".dlw-ringed").last.get_attribute("d") != rings
    page.get_by_role("radio", name="hidden").check(force=True)
    assert "Lowest of all" not in verdict(page)
    assert page.locator("[clip-path] .dlw-ball:visible").count() == 1
    assert "moves nothing shown" in page.get_by_text("momentum", exact=True).last.evaluate(
        "e => getComputedStyle(e, '::after').content"
    )


def test_step_reset_and_end(open_figure):
    page = open_figure(race())
    page.get_by_role("button", name="back to the start").click()
    assert "after 0 updates" in verdict(page)
    page.get_by_role("button", name="one step further").click()
    assert f"loss {race().losses('momentum', 0.01)[1]:.3g}"[:9] in verdict(page)
    page.get_by_role("button", name="to the end").click()
    assert "after 100 updates" in verdict(page)


def test_it_plays_once_in_sight_and_can_be_paused(open_figure):
    page = open_figure(race(), reduced_motion="no-preference")
    page.get_by_role("button", name="pause").click()
    first = verdict(page)
    page.wait_for_timeout(400)
    assert verdict(page) == first and "after 100 updates." not in first


def test_table_tells_the_losses(open_figure):
    page = open_figure(race())
    page.get_by_text("Numbers as a table").click()
    rows = page.locator(".dlw-table tr")
    rows.first.wait_for()
    assert rows.count() == 12 and "momentum, rate 0.01" in rows.first.inner_text()
    assert len(RATES) == 6


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    page = open_figure(race(), viewport={"width": width, "height": 900})
    check_legible(page, width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(race(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(race())
    check_paper(page)
    assert (
        page.locator(".dlw-state").inner_text().startswith("surface = ravine, method = momentum, rate = 0.01")
    )
