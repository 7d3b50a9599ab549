"""Nothing that is read moves while a page loads: text when its font comes, what stands below a figure when it starts.

Seeded faults, tried: fonts that are used whenever they come (`font-display: swap`) move fifteen pages by 0.02 to 0.24 where they come
late, and more without the fonts that stand in (a test below does that); a figure that keeps 60 pixels too few, or none, is found.
"""

import re

import pytest

from tests.site.site_turns import turn

pytestmark = pytest.mark.browser

WIDE = (1400, 1920)
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


@pytest.mark.parametrize("width", ["wide", 390])
def test_nothing_moves_while_the_page_loads(browser, address, path, width):
    for pixels in turn(path, WIDE) if width == "wide" else [width]:
        check_nothing_moves(browser, address, path, pixels)


def check_nothing_moves(browser, address, path, width):
    """Load a page in a window of `width` pixels, and see."""
    page = load(browser, address, path, width)
    moved, misfits = page.evaluate("window.moved"), page.evaluate(MISFITS)
    page.context.close()
    assert sum(moved) < BOUND, moved
    assert misfits == []


def late_fonts(page):
    """Hold the fonts back until everything else of the page has started, and the fonts have been asked for."""
    held, let = [], []

    def font(route):
        route.continue_() if let else held.append(route)

    def release():
        for _ in range(100):  # a slow machine asks late
            if held:
                break
            page.wait_for_timeout(100)
        assert held, "no font was asked for"
        let.append(True)
        for route in held:
            route.continue_()
        page.evaluate("document.fonts.ready.then(() => 0)")

    page.route(re.compile(r"dlbook-.*woff2"), font)
    return release


def swapped_without_stand_in(page):
    """The seeded fault: fonts that come late and are used at once, and nothing of their width before."""
    page.route(
        "**/custom.css*", lambda route: rewrite(route, r"local\([^)]*\)|optional;", swap_and_no_stand_in)
    )
    return late_fonts(page)


def swap_and_no_stand_in(match):
    """What the style sheet says instead."""
    return "swap;" if match.group() == "optional;" else "local(none)"


@pytest.mark.parametrize("late, moves", [(late_fonts, False), (swapped_without_stand_in, True)])
def test_fonts_that_come_late_move_nothing(browser, address, late, moves):
    page = load(browser, address, "chapters/training/schedules.html", 1400, late)
    moved = sum(page.evaluate("window.moved"))
    page.context.close()
    assert (moved > BOUND) == moves, moved


def rewrite(route, pattern, text):
    """Answer with the file, changed."""
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub(pattern, text, answer.text()))
