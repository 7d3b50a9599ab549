"""The switch Read / Read with code: what it folds, that it is remembered, that nothing flashes, that it needs no mouse.

Seeded faults, tried: folds opened by the deferred script alone, which a browser may paint closed first; a cell of
checks that the switch opens; a page that jumps when what stands above the reader opens.
"""

import pytest

pytestmark = pytest.mark.browser
CHAPTER = "chapters/convolution/activations.html"
FOLDS = """() => Object.fromEntries(["code", "checks", "setup"].map((kind) => {
  const folds = [...document.querySelectorAll(`details.fold-${kind}`)];
  return [kind, folds.every((fold) => fold.open) ? "open" : folds.some((fold) => fold.open) ? "some" : "folded"];
}))"""
SHARE = """() => {
  const article = document.querySelector("article"), kinds = "div.cell_input, div[class*='highlight-python']";
  const shown = [...article.querySelectorAll(kinds)].filter((code) => code.checkVisibility() && !code.closest("details:not([open])"));
  return shown.reduce((sum, code) => sum + code.offsetHeight, 0) / article.offsetHeight;
}"""
READ = {"code": "folded", "checks": "folded", "setup": "folded"}


@pytest.fixture
def page(browser):
    """A page in a wide window, with a store of its own."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


def test_reading_shows_what_teaches_and_folds_the_rest(page, address):
    page.goto(f"{address}/{CHAPTER}")
    assert page.evaluate(FOLDS) == READ
    teaching = page.locator(".tag_teach .highlight")
    assert teaching.count() >= 4 and all(teaching.nth(i).is_visible() for i in range(teaching.count()))
    assert page.evaluate(SHARE) < 1 / 3


def test_with_code_is_remembered_and_opens_no_bookkeeping(page, address):
    page.goto(f"{address}/{CHAPTER}")
    page.get_by_role("radio", name="Read with code").click()
    assert page.evaluate(FOLDS) == READ | {"code": "open"}
    page.route("**/reading.mjs*", lambda route: route.abort())  # what opens before the page is painted
    page.reload(wait_until="domcontentloaded")
    assert page.evaluate(FOLDS) == READ | {"code": "open"}
    assert page.evaluate("document.documentElement.dataset.code") == "code"


def test_the_keyboard_works_the_switch(page, address):
    page.goto(f"{address}/{CHAPTER}")
    page.get_by_role("radio", name="Read", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOLDS)["code"] == "open"
    assert page.get_by_role("radio", name="Read with code").is_checked()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(FOLDS) == READ


def test_what_the_reader_looks_at_stays(page, address):
    page.goto(f"{address}/{CHAPTER}")
    page.wait_for_function("!document.querySelector('[data-widget=loading]')")
    top = "(id) => document.getElementById(id).getBoundingClientRect().top"
    page.evaluate("(id) => document.getElementById(id).scrollIntoView()", "bug-clinic")
    page.wait_for_timeout(1200)
    before = page.evaluate(top, "bug-clinic")
    box = page.get_by_role("radio", name="Read with code").bounding_box()
    page.mouse.click(box["x"] + 9, box["y"] + 9)  # Playwright's own click scrolls the page first
    page.wait_for_timeout(300)
    assert page.evaluate(top, "bug-clinic") == pytest.approx(before, abs=40)


def test_a_tap_on_the_name_of_its_exercise_opens_a_solution(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/{CHAPTER}")
    solution = page.locator(".solution.dropdown").first
    name = solution.locator(".admonition-title > a")
    name.scroll_into_view_if_needed()
    x, y = name.evaluate(
        "(a) => { const { x, y, width, height } = a.getClientRects()[0]; return [x + width / 2, y + height / 2]; }"
    )
    page.touchscreen.tap(x, y)
    page.wait_for_function(
        "!document.querySelector('.solution.dropdown').classList.contains('toggle-hidden')"
    )
    assert not errors and "#" not in page.url
    context.close()


def test_without_a_script_code_opens_by_hand(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{CHAPTER}")
    assert not page.locator(".code-switch").is_visible()
    fold = page.locator("details.fold-code").first
    assert not fold.locator(".highlight").is_visible()
    fold.locator("summary").click()
    assert fold.locator(".highlight").is_visible()
    context.close()
