"""Scatter: its Python side, and in a real Chromium: mouse, menu, keyboard, touch, switches, dark, narrow, no
JavaScript.
"""

import functools
import http.server
import json
import threading
from pathlib import Path

import pytest

from dlbook.widgets import STATE_LIMIT, Axis, Point, Scatter

ROOT = Path(__file__).resolve().parents[2]
AXES = [
    Axis("size", log=True, unit="millions", better="low"),
    Axis("accuracy", unit="%", better="high"),
    Axis("year"),
]
POINTS = [
    Point("a", "small", {"size": 1, "accuracy": 60, "year": 2012}, "Reported in Table 1."),
    Point("b", "large", {"size": 100, "accuracy": 80, "year": 2016}),
    Point("c", "large", {"size": 10, "year": 2014}),
    Point("d", "small", {"size": 3, "accuracy": 71.25, "year": 2013}),
    Point("the earliest of all", "large", {"accuracy": 65, "year": 2011}),
]
TEXTS = {"title": "Four nets", "description": "Size against accuracy of four nets."}


def scatter(**changes) -> Scatter:
    return Scatter(**{**TEXTS, "axes": AXES, "points": POINTS, **changes})


def test_axes_groups_and_points():
    figure = scatter(start={"up": "year"})
    assert figure.values == {"across": "size", "up": "year"} and figure.visible == ["small", "large"]
    assert [point["name"] for point in figure.drawn()] == ["a", "b", "c", "d"]
    figure.values = {"up": "accuracy"}
    assert [point["name"] for point in figure.drawn()] == ["a", "b", "d"]
    figure.selected = "d"
    figure.visible = ["large"]
    assert (figure.selected, figure.visible) == ("d", ["large"])


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"axes": AXES[:1]}, "two or more"),
        ({"axes": [AXES[0]] * 2}, "different names"),
        ({"points": []}, "one or more"),
        ({"points": [POINTS[0]] * 2}, r"repeated: \['a'\]"),
        ({"points": [Point("a", "g", {"weight": 1})]}, "names of axes, got 'weight'"),
        ({"points": [Point("a", "g", {"size": 0})]}, "positive, finite number on the axis 'size'"),
        ({"points": [Point("a", "g", {"year": float("nan")})]}, "finite number"),
        ({"start": {"up": "weight"}}, "expected one of"),
        ({"selected": "z"}, "name of a point, got 'z'"),
        ({"title": ""}, "expected a title, got none"),
        (
            {
                "points": [
                    Point(f"{i:04}", "g", {"size": i + 1}, f"{i * i * 7919:x} {i**5:x}") for i in range(2500)
                ]
            },
            "KiB of state",
        ),
    ],
)
def test_what_is_wrong_is_told(changes, words):
    with pytest.raises(ValueError, match=words):
        scatter(**changes)


def test_a_value_keeps_more_figures_than_are_shown():
    figure = scatter(points=[Point("a", "g", {"size": 2.34949, "accuracy": 60})])
    assert figure.points[0]["values"] == {"size": 2.34949, "accuracy": 60}


def test_unknown_groups_are_told():
    with pytest.raises(ValueError, match="names of groups"):
        scatter().visible = ["medium"]


def test_state_and_still_picture():
    figure = scatter()
    still = figure.still()
    assert figure.state_size() < STATE_LIMIT
    assert (
        still.count("<title>") == 3
        and "size (millions)" in still
        and TEXTS["description"] in still
        and "small" in still
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Address of a page with the figure as the book embeds it, and nothing else."""
    folder = tmp_path_factory.mktemp("scatter")
    figure = scatter()
    bundle, _ = figure._repr_mimebundle_()
    state = {
        "version_major": 2,
        "version_minor": 0,
        "state": {
            figure.model_id: {
                "model_name": "AnyModel",
                "model_module": "anywidget",
                "model_module_version": "*",
                "state": figure.get_state(),
            }
        },
    }
    embedded = json.dumps(state, sort_keys=True, default=str).replace("</", "<\\/")
    (folder / "host.mjs").write_text((ROOT / "_static/host.mjs").read_text("utf8"), "utf8")
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><meta '
        'name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        "<title>Scatter</title><style>body { margin: 8px } html[data-theme=dark] body { "
        "background: #14181e; color: #ced6dd }"
        " html[data-theme=dark] { --pst-color-background: #14181e; --pst-color-text-base: #ced6dd; "
        '--pst-color-text-muted: #9ca4af }</style><body><main class="bd-content">'
        f'<div class="cell_output"><div class="text_html">{bundle["text/html"]}</div></div></main>'
        f'<script type="application/vnd.jupyter.widget-state+json">{embedded}</script><script '
        'type="module" src="host.mjs"></script>',
        "utf8",
    )
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.func.log_message = lambda *args: None
    handler.func.extensions_map = {**handler.func.extensions_map, ".mjs": "text/javascript"}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()


@pytest.fixture
def open_page(browser, address):
    """Function that opens the page; an error in the console fails the test."""
    contexts, errors = [], []

    def open_page(dark=False, **options):
        context = browser.new_context(**{"viewport": {"width": 900, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        if dark:
            page.evaluate("document.documentElement.dataset.theme = 'dark'")
        if options.get("java_script_enabled", True):
            page.wait_for_selector("[data-widget=ready] .dlw-point")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def names(page):
    return page.locator(".dlw-point").evaluate_all("all => all.map(el => el.dataset.point)")


@pytest.mark.browser
def test_hover_picks_the_nearest_point(open_page):
    page = open_page()
    page.locator('[data-point="b"]').hover()
    assert (
        "large" in page.locator(".dlw-reader table").inner_text()
        and page.locator(".dlw-name").text_content() == "b"
    )
    assert page.locator(".dlw-reader select").input_value() == "b"


@pytest.mark.browser
def test_keyboard_alone_reaches_every_point_and_axis(open_page):
    page = open_page()
    page.get_by_role("button", name="next point").focus()
    seen = []
    for _ in range(3):
        page.keyboard.press("Enter")
        seen.append(page.locator(".dlw-reader select").input_value())
    assert seen == ["a", "b", "d"]
    assert "71.25" in page.locator(".dlw-reader").inner_text()
    page.get_by_role("group", name="up").get_by_role("radio", name="accuracy").focus()
    page.keyboard.press("ArrowRight")
    assert names(page) == ["a", "b", "c", "d"] and "year" in page.locator("svg.dlw-plot").get_attribute(
        "aria-label"
    )


@pytest.mark.browser
def test_the_places_are_those_of_the_numbers(open_page):
    page = open_page()
    x = {
        name: page.locator(f'[data-point="{name}"] path').evaluate(
            "el => el.transform.baseVal.getItem(0).matrix.e"
        )
        for name in "abd"
    }
    y = {
        name: page.locator(f'[data-point="{name}"] path').evaluate(
            "el => el.transform.baseVal.getItem(0).matrix.f"
        )
        for name in "abd"
    }
    assert (x["d"] - x["a"]) / (x["b"] - x["a"]) == pytest.approx(0.2386, abs=2e-3)  # log10(3) / log10(100)
    assert (y["d"] - y["a"]) / (y["b"] - y["a"]) == pytest.approx(0.5625, abs=2e-3)


@pytest.mark.browser
def test_switches_hide_groups(open_page):
    page = open_page()
    small = page.get_by_role("button", name="small")
    small.click()
    assert names(page) == ["b"] and small.get_attribute("aria-pressed") == "false"
    page.get_by_role("button", name="all", exact=True).click()
    assert names(page) == ["a", "b", "d"]
    page.get_by_role("button", name="none", exact=True).click()
    assert names(page) == []


@pytest.mark.browser
def test_a_family_is_one_line_and_stands_alone_while_its_name_is_pointed_at(open_page):
    page = open_page()
    faded = "all => all.filter(el => el.classList.contains('dlw-faded')).map(el => el.dataset.point)"
    assert page.locator("path.dlw-family").count() == 1, "a and d; of c there is no accuracy"
    small = page.get_by_role("button", name="small")
    small.hover()
    assert page.locator(".dlw-point").evaluate_all(faded) == ["b"]
    page.mouse.move(5, 5)
    assert page.locator(".dlw-point").evaluate_all(faded) == []
    small.focus()
    assert page.locator(".dlw-point").evaluate_all(faded) == ["b"]
    stairs = page.locator(".dlw-frontier").get_attribute("d")
    assert stairs.count("V") == 2, "a, d and b: each larger and better than the one before"
    page.get_by_role("group", name="across").get_by_role("radio", name="year").check(force=True)
    assert page.locator(".dlw-frontier").count() == 0, "no year is better than another"


@pytest.mark.browser
def test_the_name_of_a_point_at_the_edge_covers_no_number_of_the_axis(open_page):
    page = open_page(viewport={"width": 400, "height": 800})
    page.get_by_role("group", name="across").get_by_role("radio", name="year").check(force=True)
    page.locator(".dlw-reader select").select_option("the earliest of all")
    box = "el => { const { left, right } = el.getBoundingClientRect(); return [left, right]; }"
    name, right = page.locator(".dlw-name").evaluate(box)
    ends = [el.evaluate(box)[1] for el in page.locator("svg.dlw-plot text[text-anchor=end]").all()]
    assert ends and name >= max(ends) and right <= 400


@pytest.mark.browser
def test_a_point_that_is_not_drawn_is_not_told(open_page):
    page = open_page()
    page.locator('[data-point="b"]').hover()
    page.mouse.move(5, 5)
    assert "large" in page.locator(".dlw-reader table").inner_text()
    page.get_by_role("button", name="large").click()
    assert page.locator(".dlw-reader tr").count() == 0
    assert page.locator(".dlw-reader select").input_value() == ""
    page.get_by_role("button", name="large").click()
    assert "large" in page.locator(".dlw-reader table").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
def test_narrow_touch(open_page, dark):
    page = open_page(dark, viewport={"width": 400, "height": 800}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.locator('[data-point="d"]').tap()
    assert page.locator(".dlw-reader select").input_value() == "d"
    name, plot = page.locator(".dlw-name").bounding_box(), page.locator("svg.dlw-plot").bounding_box()
    assert name["x"] >= plot["x"] and name["x"] + name["width"] <= plot["x"] + plot["width"]


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
def test_accessible(open_page, dark):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(dark)
    page.locator('[data-point="b"]').hover()
    ignored = {"page-has-heading-one", "region", "landmark-one-main"}
    found = [v["id"] for v in Axe().run(page).response["violations"] if v["id"] not in ignored]
    assert found == []


@pytest.mark.browser
def test_without_javascript_the_still_picture_stands(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator(".dlbook-still svg[role=img]").count() == 1
