"""Interactive figures on the built pages: their place and size.

Seeded fault, tried: with `overflow: auto` on the output a figure is cut at the column and its plot does not stay in sight.
"""

import pytest

from tests.site.site_visit import SETTLE

pytestmark = pytest.mark.browser

EXPLORER = "chapters/convolution/activations.html"
EDGES = """() => { const box = (s) => document.querySelector(s).getBoundingClientRect();
  const card = box("#fig-activations-explorer .dlw"), plot = box("#fig-activations-explorer .dlw-plot");
  return { left: card.left, right: card.right, top: plot.top, bottom: plot.bottom,
    column: box("article section > p").width, contents: box(".bd-sidebar-secondary").left, bar: box(".bd-sidebar-primary").right }; }"""


def test_an_address_sets_the_figure_and_shows_it_as_wide_as_there_is_room(browser, address):
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/search.html")
    page.goto(f"{address}/{EXPLORER}#fig=explorer&alpha=2&on=ELU")
    page.evaluate(SETTLE)
    page.wait_for_timeout(500)
    chips = page.locator('#fig-activations-explorer .dlw-chip[aria-pressed="true"] > span')
    assert chips.all_inner_texts() == ["ELU"]
    seen = page.evaluate(EDGES)
    assert 0 <= seen["top"] < seen["bottom"] <= 900, seen
    assert seen["bar"] <= seen["left"] and seen["right"] <= seen["contents"], seen
    assert seen["right"] - seen["left"] > seen["column"] + 30, seen
    page.set_viewport_size({"width": 1920, "height": 900})
    page.wait_for_timeout(300)
    seen = page.evaluate(EDGES)
    assert seen["right"] - seen["left"] == pytest.approx(1000, abs=1) and seen["right"] <= seen["contents"]
    context.close()


def test_a_telephone_gets_the_narrow_form_of_a_chart_and_the_plot_stays_in_sight(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/{EXPLORER}")
    page.evaluate(SETTLE)
    for form, shown in (("wide", False), ("narrow", True)):
        images = page.locator(f"article img.{form}-form")
        assert images.count() and images.first.is_visible() == shown
    control = page.locator("#fig-activations-explorer").get_by_role("slider", name="read at x")
    control.evaluate("el => scrollBy(0, el.getBoundingClientRect().bottom - innerHeight + 300)")
    page.wait_for_timeout(200)
    seen = page.evaluate(EDGES)
    assert seen["top"] >= 50 and seen["bottom"] <= control.bounding_box()["y"], seen
    context.close()
