"""A citation's card: by pointer, keyboard and touch, what it says, and how it goes away.

Seeded faults, tried: a card that the pointer cannot reach, one that Escape leaves open, and a first tap that leaves the
page.
"""

import pytest

pytestmark = pytest.mark.browser
PAGE = "chapters/semi/fixmatch.html"
CARD = "#hover-card:not([hidden])"


@pytest.fixture
def page(wide_page, address):
    """The chapter in a wide window, at a citation."""
    wide_page.goto(f"{address}/{PAGE}")
    citation(wide_page).scroll_into_view_if_needed()
    return wide_page


def test_a_first_tap_shows_it_in_a_browser_whose_click_does_not_say_what_pressed(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.add_init_script(
        "delete PointerEvent.prototype.pointerType; Object.defineProperty(PointerEvent.prototype, 'pointerType', { get() { return this.type === 'click' ? undefined : 'touch'; } })"
    )
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    citation(page).tap()
    assert page.locator(CARD).count() == 1 and page.url.endswith(PAGE)
    page.keyboard.press("Escape")
    assert page.locator(CARD).count() == 0
    citation(page).evaluate("(a) => a.click()")  # as the keyboard does it: nothing has pressed
    page.wait_for_url("**/bibliography.html*")
    context.close()


def citation(page):
    """The first citation of FixMatch's paper."""
    return page.locator("article a[data-work*='FixMatch']").first


def test_the_pointer_shows_the_card_and_reaches_it(page):
    citation(page).hover()
    page.wait_for_selector(CARD)
    told = page.locator(CARD)
    assert "Kihyuk Sohn" in told.inner_text() and "2020" in told.inner_text()
    assert told.locator("a").get_attribute("href") == "https://arxiv.org/abs/2001.07685"
    told.locator("a").hover()
    page.wait_for_timeout(600)  # longer than the card waits before it goes
    assert told.count() == 1
    box = told.bounding_box()
    assert (
        box["x"] >= 0
        and box["x"] + box["width"] <= 1400
        and box["y"] >= 0
        and box["y"] + box["height"] <= 900
    )
    page.mouse.move(5, 5)
    page.wait_for_selector(CARD, state="detached")


def test_the_keyboard_shows_it_enters_it_and_escape_puts_it_away(page):
    citation(page).evaluate("(a) => a.focus({focusVisible: true, preventScroll: true})")
    assert (
        page.locator(CARD).count() == 1 and citation(page).get_attribute("aria-describedby") == "hover-card"
    )
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#hover-card') !== null")
    page.keyboard.press("Escape")
    assert page.locator(CARD).count() == 0 and citation(page).get_attribute("aria-describedby") is None


def test_a_first_tap_shows_it_and_a_second_one_follows_the_link(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    citation(page).scroll_into_view_if_needed()
    citation(page).tap()
    box = page.locator(CARD).bounding_box()
    assert PAGE in page.url and box["x"] >= 0 and box["x"] + box["width"] <= 390
    citation(page).tap()
    page.wait_for_url("**/bibliography.html#*")
    context.close()


def test_without_scripts_the_title_stays(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    assert "Kihyuk Sohn" in page.locator("article a[title*='FixMatch']").first.get_attribute("title")
    context.close()
