"""The diagram on a built page, in a real Chromium: clicks, keyboard, bars, connecting lines, narrow, dark,
paper, axe.
"""

import importlib
import re

import pytest

pytestmark = pytest.mark.browser
STAGE, BLOCK = "4", "4.0"  # of ResNet-18: conv1, bn1, relu, maxpool, layer1 and its first block


def diagram(page):
    return page.locator(".dlw-diagram")


def button(page, path):
    return diagram(page).locator(f'button[data-path="{path}"]')


def names(page):
    """What the visible rows begin with."""
    return [
        text.strip()
        for text in diagram(page).locator(".dlw-block > .dlw-row > .dlw-name:visible").all_inner_texts()
    ]


def bars(page):
    return diagram(page).locator(".dlw-block > .dlw-row:visible .dlw-share").all_inner_texts()


def press_all(page):
    diagram(page).get_by_role("button", name="open all").click()


def test_the_stages_stand_in_order_with_shapes_and_costs(open_page):
    page = open_page()
    assert [name.split()[0] for name in names(page)] == [
        "conv1",
        "bn1",
        "relu",
        "maxpool",
        "layer1",
        "layer2",
        "layer3",
        "layer4",
        "mean",
        "fc",
    ]
    assert "11,689,512 parameters · 1,814,073,344 MACs · receptive field 435 px" in diagram(page).inner_text()
    row = re.sub(r"\s+", " ", button(page, STAGE).inner_text())
    assert all(text in row for text in ("layer1 Sequential", "64×56×56", "148 k", "462 M", "25 %"))


def test_a_click_opens_a_block_and_another_closes_it(open_page):
    page = open_page()
    stage = button(page, STAGE)
    assert stage.get_attribute("aria-expanded") == "false" and button(page, BLOCK).count() == 0
    stage.click()
    assert stage.get_attribute("aria-expanded") == "true"
    assert page.locator(f"#{stage.get_attribute('aria-controls')}").is_visible()
    assert [button(page, path).locator(".dlw-share").inner_text() for path in (STAGE, BLOCK)] == [
        "25 %",
        "25 %",
    ]  # of both copies
    assert (
        "BasicBlock × 2" in " ".join(names(page))
        and "this is the first of 2" not in diagram(page).inner_text()
    )
    button(page, BLOCK).click()
    assert [name for name in names(page) if name.startswith("conv2")] and "this is the first of 2" in diagram(
        page
    ).inner_text()
    shown = len(names(page))
    stage.click()
    assert stage.get_attribute("aria-expanded") == "false" and len(names(page)) == 10
    stage.click()
    assert len(names(page)) == shown  # what was open inside is open again


def test_keyboard_alone_opens_blocks_and_moves_the_bars(open_page):
    page = open_page()
    button(page, STAGE).focus()
    page.keyboard.press("Enter")
    assert button(page, STAGE).get_attribute("aria-expanded") == "true"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.path") == BLOCK
    page.keyboard.press("Space")
    assert button(page, BLOCK).get_attribute("aria-expanded") == "true"
    assert button(page, BLOCK).evaluate("el => getComputedStyle(el).outlineStyle") == "solid"
    before = bars(page)
    diagram(page).get_by_role("radio", name="MACs").focus()
    page.keyboard.press("ArrowLeft")
    assert diagram(page).get_by_role("radio", name="parameters").is_checked() and bars(page) != before


def test_the_bars_are_shares_of_the_whole(open_page):
    page = open_page()
    shares = {}
    for name in ("parameters", "MACs", "activations", "receptive field"):
        diagram(page).get_by_role("radio", name=name, exact=True).check(force=True)
        shares[name] = bars(page)
    assert shares["parameters"][7] == "72 %" and shares["MACs"][4:8] == ["25 %", "23 %", "23 %", "23 %"]
    assert shares["receptive field"] == [
        "7 px",
        "7 px",
        "7 px",
        "11 px",
        "43 px",
        "99 px",
        "211 px",
        "435 px",
        "–",
        "–",
    ]
    assert re.fullmatch(r"803 k · \d+ %", shares["activations"][4])
    width = (
        diagram(page)
        .locator(".dlw-fill")
        .nth(7)
        .evaluate("el => el.getBoundingClientRect().width / el.parentElement.getBoundingClientRect().width")
    )
    assert width == pytest.approx(1, abs=0.01)  # layer4 sees most
    page.wait_for_timeout(700)
    assert "receptive field" in diagram(page).locator("[aria-live]").inner_text()


def test_open_all_and_close_all(open_page):
    page = open_page()
    press_all(page)
    expanded = diagram(page).locator("button[aria-expanded]")
    assert (
        set(expanded.evaluate_all("all => all.map(el => el.ariaExpanded)")) == {"true"}
        and expanded.count() > 12
    )
    assert len(names(page)) > 60
    diagram(page).get_by_role("button", name="close all").click()
    assert len(names(page)) == 10


def test_a_shortcut_is_drawn_from_where_it_leaves_to_where_it_joins(open_page):
    page = open_page()
    press_all(page)
    inner = page.locator(f"#{button(page, BLOCK).get_attribute('aria-controls')}")
    assert (
        inner.locator(":scope > .dlw-wire-down").count()
        == inner.locator(":scope > .dlw-wire-in").count()
        == 1
    )
    top, end = (inner.locator(f":scope > .dlw-wire-{kind}").bounding_box() for kind in ("down", "in"))
    rows = inner.locator(":scope > ul > li")
    first, join = rows.first.bounding_box(), rows.filter(has_text="+ shortcut").bounding_box()
    assert top["y"] <= first["y"] + 5 and join["y"] < end["y"] + end["height"] < join["y"] + join["height"]
    assert "from bn2, the input" in rows.filter(has_text="+ shortcut").inner_text()
    projection = page.locator(f"#{button(page, '5.0').get_attribute('aria-controls')} > ul > li").filter(
        has_text="from bn2"
    )
    assert "from bn2, downsample" in projection.inner_text()


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_has_room_for_every_block(open_page, dark):
    page = open_page(dark=dark, viewport={"width": 400, "height": 800}, has_touch=True, is_mobile=True)
    button(page, STAGE).tap()
    press_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    outside = (
        diagram(page)
        .locator(".dlw-row:visible *")
        .evaluate_all("""all => all.filter(el => el.checkVisibility() && !el.closest('.dlw-key, svg'))
      .filter(el => { const row = el.closest('.dlw-row').getBoundingClientRect(), own = el.getBoundingClientRect();
        return own.right > row.right + 1 || own.left < row.left - 1; }).map(el => el.textContent)""")
    )
    assert outside == []
    boxes = (
        diagram(page)
        .locator("button:visible")
        .evaluate_all("all => all.map(el => el.getBoundingClientRect().height)")
    )
    assert min(boxes) >= 24


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 400])
def test_axe_finds_nothing_in_the_open_diagram(open_page, dark, width):
    axe = importlib.import_module(
        "axe_playwright_python.sync_playwright"
    )  # pinned in requirements.txt: never skipped
    page = open_page(dark=dark, viewport={"width": width, "height": 900})
    press_all(page)
    results = axe.Axe().run(page, context=".dlw-diagram", options={"preload": False})
    assert results.violations_count == 0, results.generate_report()


def test_paper_shows_the_blocks_without_the_switches(open_page):
    page = open_page(dark=True)
    page.emulate_media(media="print")
    assert not diagram(page).get_by_role("button", name="open all").is_visible()
    assert button(page, STAGE).is_visible()
    assert diagram(page).evaluate("el => getComputedStyle(el).backgroundColor") == "rgb(255, 255, 255)"


def test_resnet_18_fits_on_one_page_of_paper(open_page):
    """As open as in its chapter: the second stage, and its first block. A4 is 1,000 pixels high within its margins."""
    page = open_page(viewport={"width": 680, "height": 1000})
    button(page, "5").click()
    button(page, "5.0").click()
    tall = diagram(page).evaluate("el => el.offsetHeight")
    page.emulate_media(media="print")
    seen = diagram(page).evaluate("el => [el.offsetHeight, getComputedStyle(el).breakInside]")
    assert seen[0] < 1000 < tall and seen[1] == "avoid"


def test_without_javascript_a_list_stands_in_that_opens_too(open_page):
    page = open_page(java_script_enabled=False)
    still = page.locator(".dlbook-still").filter(has_text="ResNet-18")
    assert still.locator("summary").filter(has_text="layer1").is_visible()
    inside = still.locator("li").filter(has_text="BasicBlock × 2").last
    assert not inside.is_visible()
    still.locator("summary").filter(has_text="layer1").click()
    assert inside.is_visible()
