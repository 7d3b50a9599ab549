"""Penalty in a real Chromium: Python's numbers, mouse, finger and keyboard, width, axe, paper."""

import numpy as np
import pytest

from dlbook.widgets.penalty import descended, minimiser
from tests.widgets.live import check_axe, check_legible, check_paper
from tests.widgets.penalty_checks import bowls, penalty

pytestmark = pytest.mark.browser
IN_PAGE = """async (given) => {
  const code = window.model.get('_esm'), page = await import(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  return given.map(([H, m, a, b, t]) => [...page.default.minimiser(H, m, a, b), ...page.default.descended(H, m, t)]);
}"""
WIDE = {"width": 1000, "height": 900}


def check_page(page):
    given = [[h.tolist(), m.tolist(), a, b, 0.3 + a] for h, m, a, b in bowls()]
    for found, (h, m, a, b, time) in zip(page.evaluate(IN_PAGE, given), given, strict=True):
        h, m = np.array(h), np.array(m)
        expected = [*minimiser(h, m, a, b), *descended(h, m, time)]
        np.testing.assert_allclose(found, expected, atol=1e-9)
        assert [v == 0 for v in found[:2]] == [v == 0 for v in expected[:2]]


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def at(page, x, y):
    """Pixels of a place of the plane."""
    box = page.locator(".dlw-plane").bounding_box()
    return box["x"] + (x + 1.25) / 2.5 * box["width"], box["y"] + (1.25 - y) / 2.5 * box["height"]


def drag(page, start, end):
    page.mouse.move(*at(page, *start))
    page.mouse.down()
    page.mouse.move(*at(page, *end), steps=6)
    page.mouse.up()
    page.wait_for_timeout(200)


def test_the_page_finds_python_s_minimum(open_figure):
    check_page(open_figure(penalty()))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("H[0][0] + 2 * l2", "H[0][0] + l2"), ("- l1 * s,", "- l1,"), ("2 * b, a - d", "b, a - d")],
)
def test_python_catches_a_fault_in_the_page(open_figure, right, wrong):
    figure = penalty()
    assert right in figure._esm
    figure._esm = figure._esm.replace(right, wrong, 1)
    page = open_figure(figure)
    with pytest.raises(AssertionError):
        check_page(page)


def test_the_sentence_tells_the_zero(open_figure):
    page = open_figure(penalty(start={"share of L1": 1, "λ": 0.3}))
    assert verdict(page).startswith("L1: ") and "w₂ is exactly 0" in verdict(page)
    page.evaluate("window.model.set('values', { ...window.model.get('values'), 'share of L1': 0 })")
    assert verdict(page).startswith("L2: ") and "no weight is exactly 0" in verdict(page)


def test_the_bowl_is_dragged(open_figure):
    page = open_figure(penalty(), viewport=WIDE)
    drag(page, (0.8, 0.35), (-0.5, 0.6))
    assert page.evaluate("window.model.get('minimum')") == pytest.approx([-0.5, 0.6])


def test_the_region_is_dragged(open_figure):
    figure = penalty(start={"share of L1": 1, "λ": 0.3})
    page, size = open_figure(figure, viewport=WIDE), np.abs(figure.minimiser()).sum()
    drag(page, (-size / 2, -size / 2), (-0.05, -0.05))
    values = page.evaluate("window.model.get('values')")
    smaller = penalty(start=values)
    assert np.abs(smaller.minimiser()).sum() == pytest.approx(0.1, abs=0.03)
    assert page.evaluate("window.model.get('minimum')") == [0.8, 0.35]


def test_a_finger_moves_the_region_and_scrolls_elsewhere(open_figure):
    figure = penalty(start={"share of L1": 0, "λ": 0.3})
    page, reach = (
        open_figure(figure, viewport={"width": 390, "height": 900}, has_touch=True),
        np.hypot(*figure.minimiser()),
    )
    before = page.evaluate("window.model.get('values')")
    page.touchscreen.tap(*at(page, -1.1, 1.1))
    assert page.evaluate("window.model.get('values')") == before
    page.touchscreen.tap(*at(page, 0, -reach - 0.1))
    page.wait_for_timeout(200)
    assert page.evaluate("window.model.get('values')['λ']") < before["λ"]


def test_the_keyboard_moves_the_bowl(open_figure):
    page = open_figure(penalty())
    plane = page.get_by_role("application")
    plane.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        plane.press(key)
    assert page.evaluate("window.model.get('minimum')") == pytest.approx([0.7, 0.4])
    assert "minimum of the loss at (0.7, 0.4)" in page.locator(".dlw-state").text_content()


def test_the_bowl_stays_in_the_picture(open_figure):
    page = open_figure(penalty(minimum=(1.0, 1.0)))
    plane = page.get_by_role("application")
    plane.focus()
    plane.press("ArrowUp")
    assert page.evaluate("window.model.get('minimum')") == [1.0, 1.0]


def test_gradient_descent_stands_beside_the_l2_minimum(open_figure):
    figure = penalty(start={"share of L1": 0, "λ": 0.3, "beside it": "gradient descent"})
    page = open_figure(figure)
    factor = figure.values["λ"]
    x, y = descended(np.array(figure.spec["curvature"]), np.array(figure.minimum), 1 / (2 * factor))
    assert f"stands at ({round(x, 3):g}, {round(y, 3):g})" in verdict(page)
    page.evaluate("window.model.set('values', { ...window.model.get('values'), 'λ': 0 })")
    assert "has run to the end" in verdict(page)


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    check_legible(open_figure(penalty(), viewport={"width": width, "height": 900}), width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(penalty(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(penalty())
    check_paper(page)
    assert "minimum of the loss at (0.8, 0.35)" in page.locator(".dlw-state").inner_text()
