"""Readers without JavaScript, and readers who open the built page as a file.

Seeded faults, tried: `data-theme="auto"`, as the theme writes it, has no colours; a module is refused by the browser
on a page that is a file; such a page without fonts that may come late is set in others.
"""

import pytest

pytestmark = pytest.mark.browser

COLOURS = """() => {
  const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
  return {page: of("body", "backgroundColor"), box: of(".bd-article .sd-card", "backgroundColor"),
          edge: of(".bd-article .sd-card", "borderTopColor"), button: of(".cover-actions a", "backgroundColor")};
}"""


@pytest.fixture
def plain(browser):
    """A page of a browser that runs no script."""
    context = browser.new_context(java_script_enabled=False, color_scheme="light")
    yield context.new_page()
    context.close()


def test_the_colours_are_the_same_without_a_script(browser, plain, address):
    plain.goto(f"{address}/index.html")
    context = browser.new_context(color_scheme="light")
    scripted = context.new_page()
    scripted.goto(f"{address}/index.html")
    assert plain.evaluate(COLOURS) == scripted.evaluate(COLOURS)
    context.close()


def test_the_theme_is_right_before_the_theme_s_own_script_runs(browser, address):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.route("**/pydata-sphinx-theme.js*", lambda route: route.abort())
    page.goto(f"{address}/index.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    context.close()


def test_the_pictures_stand_without_a_script(plain, address):
    plain.goto(f"{address}/index.html")
    assert plain.locator(".dlbook-still svg").first.is_visible()


def test_a_page_that_is_a_file_is_alive(browser, site):
    context = browser.new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto((site / "index.html").as_uri())
    page.wait_for_selector('[data-widget="ready"]', timeout=20_000)
    figure = page.locator('[data-widget="ready"]').first
    before = figure.locator(".dlw-verdict").inner_text()
    figure.get_by_role("radio", name="with shortcuts").check(force=True)
    assert figure.locator(".dlw-verdict").inner_text() != before
    assert not errors
    context.close()


def fonts(page, selector):
    """Names of the fonts that the first such element is drawn with."""
    chromium = page.context.new_cdp_session(page)
    chromium.send("DOM.enable")
    chromium.send("CSS.enable")
    root = chromium.send("DOM.getDocument")["root"]["nodeId"]
    node = chromium.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    return {
        font["familyName"] for font in chromium.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    }


@pytest.mark.parametrize("served", [True, False])
def test_a_page_has_the_book_s_fonts_served_and_as_a_file(browser, address, site, served):
    context = browser.new_context()
    page = context.new_page()
    page.goto(
        f"{address}/chapters/front/preface.html"
        if served
        else (site / "chapters/front/preface.html").as_uri()
    )
    page.wait_for_timeout(500)
    assert (fonts(page, ".bd-article p"), fonts(page, ".bd-article h1")) == (
        {"dlbook Serif"},
        {"dlbook Sans"},
    )
    context.close()
