"""Nothing that is read moves while a page loads: text when its font comes, what stands below a figure when it starts.

Seeded faults, tried: without the links that ask for the fonts first, and without the fonts that stand in, four of the
six pages move by 0.2 (a test below does that); a figure that keeps 60 pixels too few, or none, is found.
"""

import re

import pytest

pytestmark = pytest.mark.browser

BOUND = 0.05  # of the window, as browsers count it
WATCH = """() => {
  window.moved = [];
  new PerformanceObserver((list) => window.moved.push(...list.getEntries().map((entry) => entry.value))).observe({type: "layout-shift", buffered: true});
}"""
STARTED = """() => document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]').length
  === document.querySelectorAll('[data-widget]:not([data-widget="loading"])').length"""
# Figures that are higher than the place that was kept for them, or leave a tenth of it empty.
MISFITS = """() => [...document.querySelectorAll("[data-widget=ready]")].flatMap((place) => {
  const kept = parseFloat(getComputedStyle(place).minHeight), card = place.firstElementChild, style = getComputedStyle(card);
  const high = card.offsetHeight + parseFloat(style.marginTop) + parseFloat(style.marginBottom);
  return kept && high <= kept + 1 && high > 0.9 * kept ? [] : [`${card.innerText.slice(0, 40)}: ${high}, kept ${kept}`]; })"""


def load(browser, address, path, width, change=lambda page: lambda: None):
    """Open a page and wait until its figures have started; `change` may hold something back, and lets it go then."""
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(f"({WATCH})()")
    release = change(page)
    page.goto(f"{address}/{path}", wait_until="domcontentloaded")
    page.wait_for_function(STARTED)
    release()
    page.wait_for_load_state()
    page.wait_for_timeout(500)
    return page


@pytest.mark.parametrize("width", [1920, 1400, 390])
def test_nothing_moves_while_the_page_loads(browser, address, path, width):
    page = load(browser, address, path, width)
    moved, misfits = page.evaluate("window.moved"), page.evaluate(MISFITS)
    page.context.close()
    assert sum(moved) < BOUND, moved
    assert misfits == []


def test_fonts_that_come_late_without_a_stand_in_are_seen(browser, address):
    """The seeded fault: the same page as it would be without what this file tests."""

    def change(page):
        fonts = []
        page.route(re.compile(r"dlbook-.*woff2"), lambda route: fonts.append(route))
        page.route("**/custom.css*", lambda route: rewrite(route, r"local\([^)]*\)", "local(none)"))
        page.route("**/*.html", lambda route: rewrite(route, r'<link rel="preload" as="font"[^>]*>', ""))
        return lambda: [route.continue_() for route in fonts]

    page = load(browser, address, "chapters/training/schedules.html", 1400, change)
    moved = sum(page.evaluate("window.moved"))
    page.context.close()
    assert moved > BOUND


def rewrite(route, pattern, text):
    """Answer with the file, changed."""
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub(pattern, text, answer.text()))
