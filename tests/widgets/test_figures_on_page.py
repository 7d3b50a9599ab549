"""The figures on a built page, in a real Chromium: mouse, buttons, keyboard, touch, dark, narrow, print, no
JavaScript.
"""

import importlib
import re

import pytest

pytestmark = pytest.mark.browser
CURVES, PANELS, IMAGES, STEPPER = 0, 1, 2, 3


def figure(page, number):
    return page.locator(".dlw").nth(number)


def path_of(page, number, curve):
    """The drawn line of a curve."""
    return (
        figure(page, number)
        .locator(f'[data-curve="{curve}"] .dlw-line:not([stroke-dasharray])')
        .get_attribute("d")
    )


def cell(page, curve, column, number=0):
    """Text of the legend: value (0) or gradient (1) of a curve."""
    chip = figure(page, number).locator(".dlw-chip", has=page.get_by_text(curve, exact=True))
    return chip.locator("b").nth(column).inner_text()


def slider(page, number, name):
    return figure(page, number).get_by_role("slider", name=name, exact=True)


def drag(page, control, part):
    """Press the thumb of a slider and drag it to `part` (0 to 1) of the track."""
    control.scroll_into_view_if_needed()
    box = control.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * part, y, steps=5)
    page.mouse.up()


# Where the letters of the name and of the values stand: an empty box without height, put beside the text, rests on its line.
BASELINES = """chip => [...chip.querySelectorAll("span, b")].map(part => {
  const probe = Object.assign(document.createElement("span"), { style: "display: inline-block; min-width: 0" });
  part.append(probe);
  const { bottom } = probe.getBoundingClientRect();
  probe.remove();
  return bottom; })"""


def test_every_figure_starts_and_the_one_without_a_module_says_what_it_needs(open_page):
    page = open_page()
    states = page.locator("[data-widget]").evaluate_all("all => all.map(el => el.dataset.widget)")
    assert states == ["ready", "ready", "ready", "ready", "needs-python", "ready", "ready"]
    assert "needs Python" in page.locator("[data-widget=needs-python]").inner_text()
    assert page.locator(".dlbook-still").count() == 0


def test_mouse_moves_a_slider_and_the_curve_follows(open_page):
    page = open_page()
    before, other = path_of(page, CURVES, "ELU"), path_of(page, CURVES, "tanh")
    drag(page, slider(page, CURVES, "alpha"), 0.98)
    assert path_of(page, CURVES, "ELU") != before
    assert path_of(page, CURVES, "tanh") == other
    assert figure(page, CURVES).get_by_label("alpha: type a value").input_value() == "2"


def test_values_under_the_cursor_are_those_of_the_formula(open_page):
    page = open_page()
    box = figure(page, CURVES).get_by_label("read at x: type a value")
    box.fill("-2")
    box.press("Enter")
    seen = [cell(page, "ELU", 0), cell(page, "ELU", 1), cell(page, "tanh", 0)]
    assert seen == ["−0.865", "0.135", "−0.964"]  # of -0.864665, 0.135335, -0.964028: three digits
    assert float(cell(page, "tanh", 1)) == pytest.approx(0.070651, abs=2e-4)
    figure(page, CURVES).get_by_role("button", name="more alpha").click()
    assert cell(page, "ELU", 0) == "−0.951"
    bottoms = figure(page, CURVES).locator(".dlw-chip").first.evaluate(BASELINES)
    assert max(bottoms) - min(bottoms) < 1, "name and values stand on one line"


def test_buttons_step_and_stop_at_the_ends_without_losing_focus(open_page):
    page = open_page()
    more = figure(page, CURVES).get_by_role("button", name="more alpha")
    for _ in range(25):
        more.press("Enter")
    assert slider(page, CURVES, "alpha").input_value() == "19"
    assert more.get_attribute("aria-disabled") == "true"
    assert more.evaluate("el => el === document.activeElement")
    figure(page, CURVES).get_by_role("button", name="less alpha").click()
    assert slider(page, CURVES, "alpha").get_attribute("aria-valuetext") == "1.9"


def test_keyboard_alone_reaches_and_moves_everything(open_page):
    page = open_page()
    control = slider(page, CURVES, "alpha")
    control.focus()
    before = path_of(page, CURVES, "ELU")
    page.keyboard.press("ArrowRight")
    assert path_of(page, CURVES, "ELU") != before
    assert control.evaluate("el => getComputedStyle(el).outlineStyle") == "solid"
    seen = []
    figure(page, CURVES).locator(".dlw-chip").first.focus()
    for _ in range(13):
        seen.append(
            page.evaluate(
                "(el => el.getAttribute('aria-label') ?? (el.querySelector('span') ?? el).textContent)(document.activeElement)"
            )
        )
        page.keyboard.press("Tab")
    assert {
        "less alpha",
        "more alpha",
        "less read at x",
        "more read at x",
        "ELU",
        "ReLU",
        "SiLU",
        "tanh",
    } <= set(seen)


def test_legend_switches_a_curve_off_and_on(open_page):
    page = open_page()
    press = figure(page, CURVES).get_by_role("button", name="tanh")
    lines = figure(page, CURVES).locator("[data-curve]")
    assert (lines.count(), press.get_attribute("aria-pressed")) == (3, "true")
    press.click()
    assert (lines.count(), press.get_attribute("aria-pressed"), cell(page, "tanh", 0)) == (2, "false", "")
    figure(page, CURVES).get_by_role("button", name="ReLU").click()
    assert lines.count() == 3


def test_two_views_of_one_figure_share_their_state(open_page):
    page = open_page()
    last = page.locator(".dlw").count() - 1
    figure(page, CURVES).get_by_role("button", name="more alpha").click()
    assert slider(page, last, "alpha").input_value() == slider(page, CURVES, "alpha").input_value() == "10"
    x = page.locator(".dlw").nth(last).get_by_label("read at x: type a value")
    x.fill("-2")
    x.press("Enter")
    assert cell(page, "ELU", 0) == cell(page, "ELU", 0, last) == "−0.951"


def test_pointer_reads_the_curve_and_the_spoken_line_follows(open_page):
    page = open_page()
    plot = figure(page, CURVES).locator(".dlw-plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 100)
    x = float(figure(page, CURVES).get_by_label("read at x: type a value").input_value())
    assert x == pytest.approx(3.1, abs=0.4)
    page.wait_for_timeout(700)
    assert f"x = {x:g}" in figure(page, CURVES).locator("[aria-live]").inner_text()


def test_choice_and_panels_and_the_logarithmic_axis(open_page):
    page = open_page()
    before = path_of(page, PANELS, "rate"), path_of(page, PANELS, "loss")
    figure(page, PANELS).get_by_role("radio", name="step").check(force=True)
    assert path_of(page, PANELS, "rate") != before[0] and path_of(page, PANELS, "loss") != before[1]
    texts = figure(page, PANELS).locator(".dlw-plot text").all_text_contents()
    assert {"learning rate", "training loss", "step", "0.1", "1"} <= set(texts)
    figure(page, PANELS).get_by_role("radio", name="step").press("ArrowRight")
    assert figure(page, PANELS).get_by_role("radio", name="constant").is_checked()
    names = figure(page, PANELS).locator(".dlw-controls :is(label[for], legend)").all_inner_texts()
    assert names == ["rate", "preset", "read at step"], "the author's order, though the page's JSON is sorted"
    box = figure(page, PANELS).get_by_label("rate: type a value")
    box.fill("1")
    box.press("Enter")
    assert cell(page, "loss", 0, PANELS) == "diverged"
    assert figure(page, PANELS).locator(".dlw-gone").text_content() == "↑ diverged"


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_has_room_and_large_targets(open_page, dark):
    page = open_page(dark=dark, viewport={"width": 400, "height": 800}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    figure(page, STEPPER).get_by_role("button", name="last step").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    boxes = page.locator(".dlw :is(button, input, select)").evaluate_all(
        "all => all.map(el => el.closest('.dlw-radio') ?? el).map(el => "
        "el.getBoundingClientRect()).map(r => [r.width, r.height])"
    )
    assert len(boxes) > 30 and min(min(box) for box in boxes) >= 24
    before = path_of(page, CURVES, "ELU")
    figure(page, CURVES).get_by_role("button", name="more alpha").tap()
    after = path_of(page, CURVES, "ELU")
    assert after != before
    control = slider(page, CURVES, "alpha")
    control.scroll_into_view_if_needed()
    box = control.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.1, box["y"] + box["height"] / 2)
    assert path_of(page, CURVES, "ELU") != after


CONTRAST = """selector => {
  const lum = c => { const v = c.map(x => { x /= 255; return x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; });
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const rgb = s => s.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const page = lum(rgb(getComputedStyle(document.body).backgroundColor));
  return [...document.querySelectorAll(selector)].map(el => { const l = lum(rgb(getComputedStyle(el).stroke));
    return (Math.max(l, page) + .05) / (Math.min(l, page) + .05); });
}"""


@pytest.mark.parametrize("dark", [False, True])
def test_lines_stand_out_from_the_page_and_photographs_are_not_inverted(open_page, dark):
    page = open_page(dark=dark)
    assert page.evaluate("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    ratios = page.evaluate(CONTRAST, ".dlw-plot .dlw-line")
    assert len(ratios) > 5 and min(ratios) >= 3
    assert page.locator("canvas").first.evaluate("c => getComputedStyle(c).filter") == "none"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 400])
def test_axe_finds_nothing(open_page, dark, width):
    axe = importlib.import_module(
        "axe_playwright_python.sync_playwright"
    )  # pinned in requirements.txt: never skipped
    page = open_page(dark=dark, viewport={"width": width, "height": 900})
    figure(page, STEPPER).get_by_role("button", name="last step").click()
    results = axe.Axe().run(
        page, context=".dlbook-widget", options={"preload": False}
    )  # it would look for @imports in vain
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("dark", [False, True])
def test_paper_shows_the_figure_and_its_state_without_controls(open_page, dark):
    page = open_page(dark=dark)
    page.emulate_media(media="print")
    for number in range(4):
        controls = figure(page, number).locator("button:visible, input:visible, select:visible")
        names = controls.evaluate_all("all => all.filter(el => !el.closest('.dlw-legend')).length")
        assert names == 0
    assert figure(page, CURVES).locator(".dlw-state").is_visible()
    assert figure(page, CURVES).locator(".dlw-state").inner_text() == "alpha = 1"
    assert (
        figure(page, CURVES).locator(".dlw-plot").is_visible()
        and figure(page, IMAGES).locator("canvas").first.is_visible()
    )
    assert (
        figure(page, CURVES).locator(".dlw-title").evaluate("el => getComputedStyle(el).color")
        == "rgb(0, 0, 0)"
    )
    assert figure(page, CURVES).evaluate("el => getComputedStyle(el).backgroundColor") == "rgb(255, 255, 255)"


def test_without_javascript_a_still_picture_stands_in(open_page):
    page = open_page(java_script_enabled=False)
    stills = page.locator(".dlbook-still")
    assert stills.count() == 6
    assert all(still.is_visible() for still in stills.all())
    assert stills.nth(CURVES).locator("svg path[fill=none]").count() == 6
    assert stills.nth(IMAGES).locator("img").count() == 2
    assert all(image.get_attribute("alt") for image in page.locator(".dlbook-still img").all())
    assert stills.nth(STEPPER).locator("table").count() == 7
    assert "with JavaScript it is interactive" in stills.nth(CURVES).inner_text()
    assert page.locator(".dlw, [data-widget]").count() == 0


def test_state_of_every_figure_on_the_page_is_within_the_limit(built_page):
    import json

    text = (built_page / "index.html").read_text("utf8")
    state = re.search(r'widget-state\+json">(.*?)</script>', text, re.DOTALL)[1]
    sizes = [len(json.dumps(m["state"])) for m in json.loads(state)["state"].values() if "_esm" in m["state"]]
    assert len(sizes) == 5 and max(sizes) <= 60 * 1024
