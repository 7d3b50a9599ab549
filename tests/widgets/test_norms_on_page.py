"""Norms in a real Chromium: every choice against Python, pointer, keys, width, axe, paper."""

import re

import pytest

from tests.widgets.live import check_axe, check_legible, check_paper
from tests.widgets.norms_checks import made

pytestmark = pytest.mark.browser

NUMBER = r"(−?\d+(?:\.\d+)?(?:e−?\d+)?)"


def told(page):
    words = page.locator(".dlw-verdict").inner_text()
    found = re.findall(NUMBER, words.split("column")[-1].split("place")[-1])
    return int(words.split()[0]), [float(one.replace("−", "-")) for one in found if one]


def agrees(figure, page):
    """Whether the page tells Python's numbers for every kind, with groups and with fewer images."""
    for kind in figure.spec["parameters"]["normalisation"]:
        for groups, images in ((1, 3), (2, 2), (4, 1)):
            values = {
                "normalisation": kind,
                "groups": groups,
                "images in the batch": images,
                "show": "before",
            }
            page.evaluate("(values) => window.model.set('values', values)", values)
            expected, (count, numbers) = figure.told(values), told(page)
            wanted = [expected[name] for name in ("mean", "deviation", "before", "after")]
            if kind in ("layer", "RMS"):
                numbers = numbers[1:]  # the column
            if kind == "RMS":
                wanted = wanted[1:]
            if count != expected["count"] or numbers != pytest.approx(wanted, rel=6e-3, abs=6e-3):
                return False
    return True


def test_the_page_tells_what_python_does(open_figure):
    figure = made(cell=(1, 2, 1, 3))
    assert agrees(figure, open_figure(figure))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("n * groups + Math.floor(c / size)", "n * groups + (c % groups)"),
        ("n * C + c : (n * H + h)", "c : (n * H + h)"),
        ('kind === "RMS" ? 0 :', 'kind === "RMS" ? 1 :'),
        ("(images * block.length) / shape[0]", "block.length"),
    ],
)
def test_a_faulty_page_is_caught(open_figure, old, new):
    figure = made(cell=(1, 2, 1, 3))
    assert figure._esm.count(old) == 1
    figure._esm = figure._esm.replace(old, new)
    assert not agrees(figure, open_figure(figure))


def test_a_click_chooses_the_cell_under_it(open_figure):
    figure = made()
    page = open_figure(figure, viewport={"width": 1000, "height": 900})
    box = page.locator(".dlw-block").bounding_box()
    across, down = box["width"] / 4, box["height"] / 3
    for image, channel, row, column in ((2, 3, 2, 4), (0, 0, 0, 0), (1, 2, 1, 3)):
        x = box["x"] + across * (channel + (column + 0.5) / 5 * 12 / 13)
        y = box["y"] + down * (image + (row + 0.5) / 3 * 12 / 13)
        page.mouse.click(x, y)
        places = page.evaluate("[window.model.get('row'), window.model.get('column')]")
        assert places == [image * 3 + row, channel * 5 + column]
        words = page.locator(".dlw-block").get_attribute("aria-valuetext")
        assert words.startswith(
            f"image {image + 1}, channel {channel + 1}, row {row + 1}, column {column + 1}"
        )


def test_keys_move_the_cell_and_stop_at_the_batchs_edge(open_figure):
    page = open_figure(made(cell=(0, 0, 0, 0), start={"images in the batch": 2}))
    grip = page.get_by_role("slider", name="cell")
    for key in ("ArrowLeft", "ArrowRight", "End", "PageDown", "PageDown", "ArrowDown"):
        grip.press(key)
    assert page.evaluate("[window.model.get('row'), window.model.get('column')]") == [5, 6]
    page.wait_for_timeout(700)
    assert page.locator("[aria-live]").inner_text() == page.locator(".dlw-verdict").inner_text()


def test_groups_are_marked_where_they_move_nothing(open_figure):
    page = open_figure(made())
    control = page.locator(".dlw-control", has_text="groups")
    assert "dlw-idle" in control.get_attribute("class")
    page.get_by_role("radio", name="group").check(force=True)
    assert "dlw-idle" not in control.get_attribute("class")


@pytest.mark.parametrize("width", [1200, 720, 390])
def test_it_fits_and_its_words_are_legible(open_figure, width):
    check_legible(open_figure(made(), viewport={"width": width, "height": 900}), width)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(made(), dark=dark))


def test_paper_is_white_and_tells_the_state(open_figure):
    page = open_figure(made())
    check_paper(page)
    assert page.locator(".dlw-state").inner_text().startswith("normalisation = batch, groups = ")
