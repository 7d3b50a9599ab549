"""Shift in a real Chromium: sliders, dragging, maps, every place against Python, axe, widths, paper.

Seeded faults, tried by a test: right and down exchanged; the truth of the first picture for all.
"""

import numpy as np
import pytest

from tests.widgets.live import check_axe, check_legible, check_paper, page_of
from tests.widgets.shift_checks import made

pytestmark = pytest.mark.browser

VALUES = "() => window.model.get('values')"


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def random_figure():
    rng = np.random.default_rng(1)
    logits = 3 * rng.standard_normal((2, 2, 5, 5, 4))
    probs = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    pictures = {"first": rng.random((10, 10)), "second": rng.random((10, 10))}
    return made(pictures=pictures, truths=[0, 3], networks={"Dense": ("", probs[0]), "Conv": ("", probs[1])})


def told(figure, page):
    """Whether the page says at every place what Python says, and counts the same places."""
    for picture in figure.spec["parameters"]["picture"]:
        for right in (-2, 0, 1):
            for down in (-1, 0, 2):
                values = {"picture": picture, "to the right": right, "down": down}
                page.evaluate("(values) => window.model.set('values', values)", values)
                words = verdict(page)
                for name in ("Dense", "Conv"):
                    best, sure = figure.said(name, picture, right, down)
                    truth = dict(
                        zip(figure.spec["parameters"]["picture"], figure.spec["truths"], strict=True)
                    )
                    fine = "rightly" if best == truth[picture] else "wrongly"
                    figures = "1.00" if sure == 1 else f"{sure:.3f}"
                    if f"{name.lower()} says {best} ({figures}), {fine}" not in words:
                        return False
        counts = [f"{figure.right_at(name, picture)} of 25 places" for name in ("Dense", "Conv")]
        if [page.get_by_text(count, exact=True).count() > 0 for count in counts] != [True, True]:
            return False
    return True


def test_the_page_says_what_python_says(open_figure):
    figure = random_figure()
    assert told(figure, open_figure(figure))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(down + reach) * spec.side + right + reach", "(right + reach) * spec.side + down + reach"),
        ("right: best === spec.truths[picture]", "right: best === spec.truths[0]"),
    ],
)
def test_a_faulty_page_is_caught(open_figure, old, new):
    figure = random_figure()
    assert old in figure._esm
    figure._esm = figure._esm.replace(old, new)
    assert not told(figure, open_figure(figure))


def test_sliders_move_the_picture(open_figure):
    page = open_figure(made())
    assert "dense says 1 (0.800), rightly" in verdict(page)
    page.get_by_role("slider", name="to the right").press("ArrowLeft")
    assert verdict(page).startswith("Moved −1 to the right and 0 down: dense says 0 (0.800), wrongly")
    assert page.evaluate(VALUES)["to the right"] == -1
    page.wait_for_timeout(700)
    assert page.locator("[aria-live]").inner_text() == verdict(page)


def test_the_picture_is_dragged_and_stops_at_the_edge(open_figure):
    page = open_figure(made(), viewport={"width": 1000, "height": 900})
    box = page.locator(".dlw-grip").bounding_box()
    pixel, x, y = box["width"] / 8, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 1.1 * pixel, y)
    assert page.evaluate(VALUES) == {"picture": "a one", "to the right": 1, "down": 0}
    page.mouse.move(x + 1.1 * pixel, y - 5 * pixel)
    page.mouse.up()
    assert page.evaluate(VALUES) == {"picture": "a one", "to the right": 1, "down": -1}
    page.mouse.move(x, y)
    assert page.evaluate(VALUES)["to the right"] == 1
    digit = page.locator(".dlw-through svg")
    assert float(digit.get_attribute("x")) == pytest.approx(float(digit.get_attribute("width")) / 8)


def test_a_place_of_a_map_is_pointed_at(open_figure):
    page = open_figure(made(), viewport={"width": 1000, "height": 900})
    box = page.locator(".dlw-map .dlw-ground").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 6, box["y"] + 5 * box["height"] / 6)
    assert page.evaluate(VALUES) == {"picture": "a one", "to the right": -1, "down": 1}


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    check_legible(open_figure(made(), viewport={"width": width, "height": 900}), width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(made(), dark=dark))


def test_paper_is_white_without_buttons(open_figure):
    check_paper(open_figure(made()))


def test_the_still_picture_stands_without_javascript(open_figure):
    assert "2 of 9 places" in page_of(made())
