"""Augmented in a real Chromium: every pixel against Python, pointer, keys, width, axe, paper."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from dlbook.widgets import augmented_rules as rules
from tests.widgets.augmented_checks import STRENGTHS, made
from tests.widgets.live import check_axe, check_legible, check_paper

pytestmark = pytest.mark.browser


def result(page):
    """What the page shows as the result, [side, side, 3] of levels."""
    address = page.locator(".dlw-hold svg svg image").nth(1).get_attribute("href")
    return np.array(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGB"), float)


def agrees(figure, page):
    """Whether each pixel is Python's, at most one level away by rounding, for every augmentation."""
    for kind in rules.KINDS:
        for picture, strength, mode in zip(
            ("colours", "grey") * 3, STRENGTHS, ("bilinear", "nearest", "bilinear") * 2, strict=False
        ):
            values = {
                "picture": picture,
                "augmentation": kind,
                "strength": strength,
                "interpolation": mode,
            }
            page.evaluate("(values) => window.model.set('values', values)", values)
            off = np.abs(result(page) - 255 * figure.shown(values))
            if off.max() > 0.51:
                return False
    return True


def test_the_page_shows_what_python_does(open_figure):
    figure = made()
    assert agrees(figure, open_figure(figure))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-Math.sin(Math.PI * s), 0, Math.sin", "Math.sin(Math.PI * s), 0, -Math.sin"),
        ("(1 - down) * right]", "down * right]"),
        ('kind === "contrast" ? mean : greyAt(i)', "greyAt(i)"),
        ("+ (s / 2) * draw.normal()", "+ s * draw.normal()"),
        ("[5, 3, 1].map", "[5, 1, 3].map"),
        ("[row - half, row + half", "[row - half, row + half + 1"),
        ("side - wide)", "side)"),
        ("SEED = 5", "SEED = 6"),
    ],
)
def test_a_faulty_page_is_caught(open_figure, old, new):
    figure = made()
    assert figure._esm.count(old) == 1
    figure._esm = figure._esm.replace(old, new)
    assert not agrees(figure, open_figure(figure))


def test_a_click_chooses_the_pixel_under_it(open_figure):
    page = open_figure(made(), viewport={"width": 1000, "height": 900})
    box = page.locator(".dlw-grip").bounding_box()
    for row, column in ((0, 0), (5, 11), (11, 3)):
        page.mouse.click(
            box["x"] + box["width"] * (column + 0.5) / 12, box["y"] + box["height"] * (row + 0.5) / 12
        )
        assert page.evaluate("[window.model.get('row'), window.model.get('column')]") == [row, column]
        assert f"row {row}, column {column} of the result" in page.locator(".dlw-verdict").inner_text()


def test_each_pixel_of_a_smaller_picture_can_be_reached(open_figure):
    figure = made(start={"picture": "grey"}, place=(0, 0))
    page = open_figure(figure)
    for number in range(7):
        assert f"row 0, column {number} of the result" in page.locator(".dlw-verdict").inner_text()
        page.get_by_role("slider", name="pixel of the result").press("ArrowRight")


def test_keys_move_the_pixel_and_stop_at_the_edge(open_figure):
    page = open_figure(made(place=(0, 0)))
    grip = page.get_by_role("slider", name="pixel of the result")
    for key in ("ArrowLeft", "ArrowRight", "End", "End", "PageDown", "ArrowDown"):
        grip.press(key)
    assert page.evaluate("[window.model.get('row'), window.model.get('column')]") == [9, 11]
    page.wait_for_timeout(700)
    assert page.locator("[aria-live]").inner_text() == page.locator(".dlw-verdict").inner_text()


def test_the_words_tell_the_place_that_is_asked(open_figure):
    figure = made(start={"augmentation": "shift", "strength": 0.5}, place=(4, 8))
    page = open_figure(figure)
    words = page.locator(".dlw-verdict").inner_text()
    assert words.startswith("Moved by 3 pixels to the right.") and "asks row 4.00, column 5.00" in words
    page.evaluate("window.model.set('column', 1)")
    assert "Nothing is there" in page.locator(".dlw-verdict").inner_text()


def test_controls_that_move_nothing_are_marked(open_figure):
    page = open_figure(made())
    idle = lambda name: "dlw-idle" in page.locator(".dlw-control", has_text=name).get_attribute("class")
    assert not idle("interpolation") and not idle("strength")
    page.locator("select").select_option("hue")
    assert idle("interpolation") and not idle("strength")
    page.locator("select").select_option("flip")
    assert idle("interpolation") and idle("strength")


@pytest.mark.parametrize("width", [1200, 720, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    check_legible(open_figure(made(), viewport={"width": width, "height": 900}), width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(made(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(made())
    check_paper(page)
    assert page.locator(".dlw-state").inner_text().startswith("picture = colours, augmentation = ")
