"""Figures for everybody: how often they speak, that their tables say what they show, and what a reader's own colours leave of them.

What each would find (faults that nobody has seeded yet): a live region written at every change; a table of another setting; the theme's key "/"; a switch that
only its ground tells.
"""

import pytest

pytestmark = pytest.mark.browser
CHAPTER = "chapters/training/schedules.html"
COUNT = """(el) => { window.spoken = 0; new MutationObserver(() => { window.spoken += 1; }).observe(el, {childList: true, characterData: true, subtree: true}); }"""


@pytest.fixture(scope="module")
def page(browser, address):
    """A chapter with its figures alive, for readers who ask for no less motion."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/{CHAPTER}")
    page.wait_for_function("!document.querySelector('[data-widget=loading]')")
    yield page
    context.close()


def test_a_dragged_slider_speaks_once(page):
    figure = page.locator(".dlw-curves").first
    figure.locator("[aria-live]").evaluate(COUNT)
    figure.locator("input[type=range]").first.evaluate(
        """(range) => { for (let i = 0; i < 20; i++) { range.value = i % (Number(range.max) + 1); range.dispatchEvent(new Event("input")); } }"""
    )
    page.wait_for_function("spoken")  # half a second after the last word, later on a busy machine
    page.wait_for_timeout(1000)
    assert page.evaluate("spoken") == 1


def test_what_plays_is_silent_until_it_rests(page):
    figure = page.locator(".dlw-bowl").first
    figure.scroll_into_view_if_needed()
    figure.get_by_role("button", name="back to the start").click()
    page.wait_for_timeout(2500)  # until what the start says has been said, on a busy machine too
    figure.locator("[aria-live]").evaluate(COUNT)
    figure.get_by_role("button", name="play").click()
    page.wait_for_timeout(2500)
    assert page.evaluate("spoken") == 0
    figure.get_by_role("button", name="pause").click()
    page.wait_for_function("spoken")  # half a second after the last word, later on a busy machine
    page.wait_for_timeout(1000)
    assert page.evaluate("spoken") == 1


def test_the_table_says_what_the_curves_show_and_follows_them(page):
    figure = page.locator(".dlw-curves").first
    figure.locator(".dlw-table > summary").click()
    table = figure.get_by_role("table")
    rows = table.locator("tbody tr")
    assert rows.count() >= 10
    x = rows.last.locator("th").inner_text()
    figure.get_by_role("textbox", name="read at").fill(x)
    figure.get_by_role("textbox", name="read at").press("Enter")
    page.wait_for_timeout(800)
    chips = [text.strip() for text in figure.locator(".dlw-chip[aria-pressed=true] > b").all_inner_texts()]
    slopes = figure.locator(".dlw-chip[aria-pressed=true] i b").count()
    cells = rows.last.locator("td").all_inner_texts()
    assert chips and (cells[::2] if slopes else cells) == chips
    heads = table.locator("thead th").all_inner_texts()
    assert len(heads) == 1 + len(cells) and len(set(heads)) == len(heads)


def test_a_key_alone_takes_nobody_away(page):
    page.evaluate("document.activeElement.blur()")
    for key in "/sh?":
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement === document.body"), key


def test_colours_of_the_reader_s_own_leave_states_and_stages(page):
    page.emulate_media(forced_colors="active")
    grounds = page.locator(".code-switch label > span").evaluate_all(
        "(all) => all.map((e) => getComputedStyle(e).backgroundColor)"
    )
    assert len(set(grounds)) == 2
    stages = page.locator(".dlw-stage").evaluate_all(
        "(all) => all.map((e) => [getComputedStyle(e).forcedColorAdjust, getComputedStyle(e).backgroundColor])"
    )
    assert stages and all(stage == ["none", "rgb(11, 15, 23)"] for stage in stages)
    page.emulate_media(forced_colors="none")
