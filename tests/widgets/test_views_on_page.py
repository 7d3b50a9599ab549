"""Views in a real Chromium: lesson, bars, threshold by hand and by key, pictures, width, axe, paper."""

import pytest

from tests.widgets.live import check_apart, check_axe, check_legible, check_paper, swipe
from tests.widgets.views_checks import views

pytestmark = pytest.mark.browser


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def heights(page):
    return page.locator(".dlw-bar").evaluate_all("all => all.map(b => parseFloat(b.getAttribute('height')))")


def test_bars_and_words_are_those_of_python(open_figure):
    figure = views()
    page = open_figure(figure, viewport={"width": 1000, "height": 900})
    lesson = figure.lesson()
    assert heights(page) == pytest.approx([132 * p for p in (*lesson["q"], *lesson["p"])])
    assert "b is the label, rightly" in verdict(page) and verdict(page).endswith("the loss is 0.693.")
    assert page.locator(".dlw-words").all_text_contents() == ["label b", "loss 0.693", "the label is right"]
    assert page.locator("rect.dlw-chosen").count() == 2


@pytest.mark.parametrize("width", [1000, 390])
def test_the_number_on_a_high_bar_stands_below_the_title(open_figure, width):
    sure = [[0.99, 0.005, 0.005], [0.8, 0.15, 0.05]]
    check_apart(open_figure(views(weak_probs=sure), viewport={"width": width, "height": 900}))


def test_keys_raise_the_threshold_and_the_label_ends(open_figure):
    page = open_figure(views())
    page.get_by_role("slider", name="τ").press("ArrowRight")
    assert "below τ = 0.99: no label passes" in verdict(page)
    assert page.locator(".dlw-stopped").count() == 1 and page.locator("rect.dlw-chosen").count() == 0
    page.wait_for_timeout(700)
    assert page.locator("[aria-live]").inner_text() == verdict(page)


def test_a_finger_drags_the_line_and_the_page_stays(open_figure):
    page = open_figure(views(), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.evaluate("document.body.style.padding = '150px 0 2000px'")
    page.evaluate("scrollTo(0, 100)")
    box = page.locator(".dlw-grip").bounding_box()
    x, low = box["x"] + box["width"] / 2, box["y"] + box["height"]
    swipe(page, (x, low - 0.95 * 92), (x, low - 0.5 * 92))
    assert page.evaluate("model.get('values')['τ']") == 0.5
    assert page.evaluate("scrollY") == 100


def test_the_line_can_be_dragged(open_figure):
    page = open_figure(views(start={"picture": "mistaken", "τ": 0.95, "strength": 1.0}))
    assert "no label" in verdict(page)
    box = page.locator(".dlw-grip").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 15)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 0.55 * box["height"])
    page.mouse.up()
    assert "at least τ = 0.5: a is the label, wrongly" in verdict(page)
    assert page.locator(".dlw-bad").text_content() == "✗ the label is wrong"


def test_strength_and_picture_move_the_window_on_the_views(open_figure):
    page = open_figure(views())
    place = lambda: page.locator(".dlw-view").nth(1).get_attribute("transform")
    first = place()
    page.get_by_role("slider", name="strength").press("Home")
    weaker = place()
    page.get_by_role("radio", name="mistaken").check(force=True)
    assert len({first, weaker, place()}) == 3 and "0.800 sure of a" in verdict(page)


@pytest.mark.parametrize("width", [1200, 720, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    page = open_figure(views(), viewport={"width": width, "height": 900})
    check_legible(page, width)
    inside = """all => all.every(t => { const a = t.getBoundingClientRect(), b = t.closest('.dlw-stage').getBoundingClientRect();
        return !t.textContent || (a.left >= b.left && a.right <= b.right && a.bottom <= b.bottom); })"""
    assert page.locator(".dlw-stage text").evaluate_all(inside)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(views(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(views())
    check_paper(page)
    assert page.locator(".dlw-state").inner_text() == "picture = sure, τ = 0.95, strength = 1"
