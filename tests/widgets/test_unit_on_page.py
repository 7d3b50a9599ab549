"""Unit in a real Chromium: every output cell against torch, keys, pointer, walk, axe, widths, paper.

Seeded faults, tried by a test: a kernel that is flipped, padding on the wrong side, a stride that is not taken.
"""

import json

import numpy as np
import pytest

from tests.widgets.live import check_axe, check_legible, check_paper
from tests.widgets.unit_checks import SETTINGS, by_torch, unit

pytestmark = pytest.mark.browser

COMPUTE = """async ([code, spec, bytes, settings]) => {
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { default: unit } = await import(address);
  const pixels = Float64Array.from(bytes, (byte) => byte / 255);
  return settings.map((values) => [...unit.output(spec, pixels, values).values]);
}"""
FAULTS = {
    "a flipped kernel": (
        "spec.kernels[values.kernel].flat();",
        "spec.kernels[values.kernel].flat().reverse();",
    ),
    "padding on the wrong side": ("row * stride - padding + a", "row * stride + a"),
    "no stride": ("column * stride - padding + b", "column - padding + b"),
}


def differences(page, old="", new=""):
    """The largest difference between the page's output and torch's, for each setting."""
    figures = [unit(start=setting) for setting in SETTINGS]
    code = str(figures[0]._esm)
    assert not old or code.count(old) >= 1
    values = [figure.values for figure in figures]
    given = page.evaluate(
        COMPUTE,
        [
            code.replace(old, new) if old else code,
            figures[0].spec,
            figures[0]._bytes.ravel().tolist(),
            values,
        ],
    )
    return [
        float(np.abs(np.array(one) - by_torch(figure).numpy().ravel()).max())
        for one, figure in zip(given, figures, strict=True)
    ]


def test_every_cell_in_the_page_is_what_torch_gives(open_figure):
    page = open_figure(unit())
    assert max(differences(page)) < 1e-5
    for fault, (old, new) in FAULTS.items():
        assert max(differences(page, old, new)) > 1e-2, fault


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def board(page):
    return page.get_by_role("slider", name="output cell")


def told(value):
    return f"{value:.3f}".replace("-", "−")


def test_what_is_drawn_is_what_was_computed(open_figure):
    """The output's picture, pixel by pixel: blue above zero, red below, as opaque as the value is large."""
    figure = unit(start={"operation": "convolution", "kernel": "uneven", "stride": 2})
    page = open_figure(figure)
    seen = np.array(
        page.evaluate("""async () => {
      const image = new Image(); image.src = document.querySelector(".dlw-board-output image").getAttribute("href"); await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height }), context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      return [image.width, ...context.getImageData(0, 0, image.width, image.height).data];
    }""")
    )
    expected = by_torch(figure).numpy()
    cells = seen[1:].reshape(*expected.shape, 4)
    assert seen[0] == len(expected)
    assert np.abs(cells[..., 3] - 255 * (np.abs(expected) / np.abs(expected).max()) ** 0.8).max() <= 1
    strong = cells[..., 3] > 60
    assert ((cells[..., 2] > cells[..., 0]) == (expected > 0))[strong].all()


@pytest.mark.parametrize("setting", SETTINGS[:9], ids=lambda s: " ".join(map(str, s.values())))
def test_the_chosen_cell_is_told_in_full(open_figure, setting):
    figure = unit(start=setting, cell=(2, 1))
    page = open_figure(figure)
    value = told(by_torch(figure)[2, 1])
    assert verdict(page).endswith(f"{value}.") and "Output row 3, column 2: " in verdict(page)
    assert value in page.locator(".dlw-zoom").inner_text()
    assert board(page).get_attribute("aria-valuetext") == f"row 3, column 2: {value}"


def test_products_of_the_table_are_those_of_the_window(open_figure):
    figure = unit(start={"operation": "convolution", "kernel": "uneven", "padding": 1}, cell=(0, 4))
    page = open_figure(figure)
    cells = [
        [float(text.replace("×", "").replace("−", "-")) for text in cell.split("\\n")]
        for cell in page.locator(".dlw-products td").evaluate_all(
            "all => all.map(td => [...td.querySelectorAll('span')].map(s => s.textContent).join('\\\\n'))"
        )
    ]
    window = np.pad(figure.pictures()[0], 1)[0:3, 4:7].ravel()
    weights = np.ravel(figure.spec["kernels"]["uneven"])
    assert np.array(cells) == pytest.approx(np.stack([window, weights, window * weights], 1), abs=0.0051)
    assert page.locator(".dlw-outside").count() == 3


def test_keys_walk_over_the_output_with_one_tab_stop(open_figure):
    figure = unit(cell=(5, 5))
    page = open_figure(figure)
    assert page.locator(".dlw-stage [tabindex]").count() == 1
    board(page).press("ArrowRight")
    board(page).press("ArrowDown")
    assert "row 7, column 7" in verdict(page)
    board(page).press("Home")
    assert "row 7, column 1:" in verdict(page)
    assert page.evaluate("[window.model.get('row'), window.model.get('column')]") == [6, 0]
    page.wait_for_timeout(700)
    assert page.locator("[aria-live]").inner_text() == verdict(page)
    page.evaluate("window.model.set({ row: 2, column: 3 })")
    assert "row 3, column 4" in verdict(page)
    for name in ("cell to the left", "cell above", "cell below", "cell to the right", "one cell further"):
        page.get_by_role("button", name=name).click()
    assert "row 3, column 5" in verdict(page)


def test_a_finger_or_the_mouse_picks_a_cell_in_both_pictures(open_figure):
    page = open_figure(
        unit(start={"operation": "convolution", "kernel": "uneven"}), viewport={"width": 1000, "height": 800}
    )
    box = page.locator(".dlw-board-output").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.02 + 3, box["y"] + box["height"] / 2)
    assert "row 12, column 1:" in verdict(page)
    box = page.locator(".dlw-board-input").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert verdict(page).startswith(("Output row 12, column 12", "Output row 11, column 11"))


def test_the_window_walks_pauses_and_stands_still_where_less_motion_is_asked_for(open_figure):
    page = open_figure(unit(), reduced_motion="no-preference")
    assert page.locator(".dlw-unit").get_by_role("button", name="play: the window walks").is_visible()
    page.get_by_role("button", name="play: the window walks").click()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="pause").click()
    first = board(page).get_attribute("aria-valuenow")
    page.wait_for_timeout(300)
    assert int(first) > 1 and board(page).get_attribute("aria-valuenow") == first
    page.get_by_role("button", name="one cell further").click()
    assert int(board(page).get_attribute("aria-valuenow")) == int(first) + 1
    still = open_figure(unit())
    assert not still.get_by_role("button", name="play: the window walks").is_visible()


def test_only_the_controls_of_the_operation_are_shown(open_figure):
    page = open_figure(unit())
    names = lambda: page.locator(".dlw-controls > :visible").locator("label[for], legend").all_inner_texts()
    assert names() == ["operation", "photograph", "kernel", "stride", "padding", "dilation"]
    page.get_by_label("operation").select_option("batch norm")
    assert names() == ["operation", "photograph", "γ", "β"]
    assert (
        json.loads(page.evaluate("JSON.stringify(window.model.get('values'))"))["operation"] == "batch norm"
    )


def test_another_grid_shows_the_same_place_of_the_photograph(open_figure):
    page = open_figure(unit(cell=(12, 18), start={"operation": "batch norm"}))
    page.get_by_label("operation").select_option("attention")
    assert "in row 3, column 4 gives" in verdict(page)


@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_and_its_targets_are_large(open_figure, width):
    page = open_figure(unit(start={"operation": "batch norm"}), viewport={"width": width, "height": 900})
    check_legible(page, width)
    page.get_by_label("operation").select_option("average pooling")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = page.locator(".dlw :is(button, input, select):visible").evaluate_all(
        "all => all.map(el => (el.closest('.dlw-radio') ?? el).getBoundingClientRect()).map(r => Math.min(r.width, r.height))"
    )
    assert len(boxes) > 12 and min(boxes) >= 24


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("number", [1, 4, 6, 7, 9])
def test_axe_finds_nothing(open_figure, dark, number):
    check_axe(open_figure(unit(start=SETTINGS[number]), dark=dark))


def test_paper_is_white_without_buttons(open_figure):
    check_paper(open_figure(unit()))


@pytest.mark.parametrize(("width", "inside"), [(1000, 966), (824, 790), (374, 332)])
def test_the_place_that_is_kept_is_large_enough(open_figure, width, inside):
    figure = unit(start={"operation": "convolution", "kernel": "uneven"})
    page = open_figure(figure, viewport={"width": width + 16, "height": 900})
    high = page.locator(".dlw").evaluate("el => el.offsetHeight + 15")
    assert 0.9 * figure.height(inside) < high <= figure.height(inside) + 8
