"""Mixed in a real Chromium: Python's curves and label, the box by mouse, λ by mouse and keys, axe, paper."""

import re

import numpy as np
import pytest

from dlbook.widgets.mixed_still import MixedLayout, curves
from tests.widgets.live import check_axe, check_legible, check_paper
from tests.widgets.mixed_checks import mixed

pytestmark = pytest.mark.browser
WIDE = {"width": 1100, "height": 900}
KINDS = ("first", "second", "other", "asked")


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def values(page):
    return page.evaluate("model.get('values')")


def check_charts(page, figure) -> None:
    """Every line of every chart, and the sentence, is what Python computes."""
    width = page.locator(".dlw-hold").evaluate("hold => Math.floor(hold.clientWidth)")
    desk = MixedLayout(width, 2)
    lines = page.locator("path.dlw-line").evaluate_all(
        "all => all.map(p => [p.getAttribute('class'), p.getAttribute('d')])"
    )
    for m, name in enumerate(("plain", "with mixup")):
        for kind, expected in zip(KINDS, curves(figure, name), strict=True):
            path = [d for names, d in lines if names.endswith(kind) and "h18" not in d][m]
            points = np.array([[float(v) for v in pair] for pair in re.findall(r"([\d.]+) ([\d.]+)", path)])
            np.testing.assert_allclose(points[:, 0], np.linspace(desk.x(m, 0), desk.x(m, 1), 51), atol=0.06)
            np.testing.assert_allclose((desk.low - points[:, 1]) / desk.high, expected, atol=1e-3)
        probs = figure.along(name)[figure.spec["parameters"]["λ"].index(figure.values["λ"])]
        assert f"{name} says {probs.argmax()} with {float(f'{probs.max():.2f}'):g}" in verdict(page)
    share = figure.kept()
    words = f"gets {float(f'{share:.2f}'):g} and {float(f'{1 - share:.2f}'):g}"
    assert words in verdict(page) or figure.values["rule"] == "mixup"


@pytest.mark.parametrize(
    "start",
    [
        {"rule": "CutMix", "λ": 0.4, "row": 1, "column": 6},
        {"rule": "CutMix", "λ": 0.0, "row": 4, "column": 4, "pair": "a 2 and a 1"},
        {"rule": "mixup", "λ": 0.62},
    ],
)
def test_the_page_computes_what_python_does(open_figure, start):
    figure = mixed(start=start)
    check_charts(open_figure(figure, viewport=WIDE), figure)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("((bottom - top) * (right - left)) / side ** 2", "(1 - weight)"),
        ("Math.max(0, Math.min(side, v))", "v"),
        ("x >= left && x < right", "y >= left && y < right"),
        ("Math.max(0, v)", "v"),
        ("/ factor ** 2", "/ factor"),
    ],
)
def test_python_catches_a_fault_in_the_page(open_figure, right, wrong):
    figure = mixed()
    assert right in figure._esm
    figure._esm = figure._esm.replace(right, wrong, 1)
    with pytest.raises(AssertionError):
        check_charts(open_figure(figure, viewport=WIDE), mixed())


def drag(page, box, start, end):
    """Drag from one place of a box to another, both as shares of its sides."""
    for step, (x, y) in enumerate((start, end)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if step == 0:
            page.mouse.down()
    page.mouse.up()


def test_the_box_is_dragged_and_stops_at_the_edge(open_figure):
    page = open_figure(mixed(), viewport=WIDE)
    box = page.locator(".dlw-grip").bounding_box()
    drag(page, box, (0.7, 0.2), (0.7 - 3 / 8, 0.2 + 4 / 8))
    assert (values(page)["row"], values(page)["column"]) == (5, 3)
    drag(page, box, (0.5, 0.5), (0.99, 0.99))
    assert (values(page)["row"], values(page)["column"]) == (7, 7) and values(page)["λ"] == 0.4


def test_mixup_follows_the_pointer(open_figure):
    page = open_figure(mixed(start={"rule": "mixup", "λ": 0.4}), viewport=WIDE)
    drag(page, page.locator(".dlw-grip").bounding_box(), (0.4, 0.5), (0.8, 0.5))
    assert values(page)["λ"] == 0.8 and verdict(page).startswith("80 % of the first picture and 20 %")
    drag(page, page.locator(".dlw-ground").nth(1).bounding_box(), (0.5, 0.5), (0.1, 0.5))
    assert values(page)["λ"] == 0.1


def test_it_works_by_keys(open_figure):
    page = open_figure(mixed(), viewport=WIDE)
    page.get_by_role("slider", name="row").press("ArrowRight")
    page.get_by_role("slider", name="λ").press("ArrowLeft")
    assert values(page)["row"] == 2 and values(page)["λ"] == 0.38
    idle = page.locator(".dlw-idle")
    assert idle.count() == 0
    page.get_by_role("radio", name="mixup").check(force=True)
    assert values(page)["rule"] == "mixup" and idle.count() == 2  # row and column move nothing now


@pytest.mark.parametrize("width", [1200, 720, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    check_legible(open_figure(mixed(), viewport={"width": width, "height": 900}), width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(mixed(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(mixed())
    check_paper(page)
    assert "λ = 0.4" in page.locator(".dlw-state").inner_text()
