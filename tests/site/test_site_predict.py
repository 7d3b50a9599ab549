"""Predict first: right, wrong, without a guess, kept over a reload, deleted; without a script, without a store, on paper.

Seeded faults, tried: a guess marked right whatever it is; a guess kept under the name of the page; the answer that stays
folded after a guess; a store that throws and takes the page with it.
"""

import re
from pathlib import Path

import pytest

from tests.site.site_visit import AXE, AXE_RULES, RUN_AXE

pytestmark = pytest.mark.browser
CHAPTER = "chapters/architectures/resnet.html"
PART = (Path(__file__).resolve().parents[2] / CHAPTER).parent  # the chapters of its part, in the source
MINE = "chapters/front/predictions.html"
DEPTH, NUMBER = "predict-resnet-depth", "predict-resnet-parameters"
BROKEN_STORE = """Object.defineProperty(window, "localStorage", {get() { throw new DOMException("no", "SecurityError"); }});"""


@pytest.fixture
def page(browser):
    """A page in a wide window, with a store of its own."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


def box(page, name=DEPTH):
    """One box of the chapter."""
    return page.locator(f'.predict-box[data-name="{name}"]')


def guess(page, choice, sure, name=DEPTH):
    """Choose by number, or enter, and say how sure."""
    if name == NUMBER:
        box(page, name).get_by_role("textbox").fill(choice)
    else:
        box(page, name).get_by_role("radio").nth(choice - 1).check()
    box(page, name).get_by_role("button", name=sure).click()


def kept(page):
    """What the browser has kept."""
    return page.evaluate("JSON.parse(localStorage.getItem('dlbook-predictions') ?? '{}')")


def is_open(page, name=DEPTH):
    return box(page, name).locator("details").evaluate("(details) => details.open")


def test_a_right_guess_opens_the_answer_and_is_marked_in_words(page, address):
    page.goto(f"{address}/{CHAPTER}")
    assert not is_open(page)
    guess(page, 3, "Certain")
    assert is_open(page)
    assert box(page).locator(".predict-verdict").inner_text().startswith("✓ Right. You were certain.")
    assert box(page).locator("li").nth(2).locator(".predict-mark").inner_text() == "✓ your guess, right"
    assert box(page).locator(".predict-mark").count() == 1
    made = kept(page)[DEPTH]
    assert (made["guess"], made["sure"], made["right"]) == ("3", "certain", True)
    assert page.evaluate("document.activeElement.className") == "predict-verdict"


def test_a_wrong_guess_says_so_and_shows_what_is_right(page, address):
    page.goto(f"{address}/{CHAPTER}")
    guess(page, 2, "Fairly sure")
    marks = [mark.inner_text() for mark in box(page).locator(".predict-mark").all()]
    assert marks == ["✗ your guess, not right", "✓ right"]
    assert "Not right. You were fairly sure." in box(page).locator(".predict-verdict").inner_text()
    assert kept(page)[DEPTH]["right"] is False


def test_sureness_without_a_choice_asks_for_one(page, address):
    page.goto(f"{address}/{CHAPTER}")
    box(page).get_by_role("button", name="Certain").click()
    assert "Choose an answer first" in box(page).locator(".predict-note").inner_text()
    assert not is_open(page) and kept(page) == {}
    assert page.evaluate("document.activeElement.type") == "radio"


def test_without_a_guess_the_answer_opens_and_nothing_is_kept(page, address):
    page.goto(f"{address}/{CHAPTER}")
    box(page).locator("summary").click()
    assert is_open(page) and kept(page) == {}
    assert "no guess is kept" in box(page).locator(".predict-verdict").inner_text()
    assert box(page).get_by_role("radio").first.is_disabled()


@pytest.mark.parametrize(
    ("entered", "right"), [("0", True), ("0.0", True), ("−0", True), ("1,000", False), ("1e-3", False)]
)
def test_a_number_is_entered(page, address, entered, right):
    page.goto(f"{address}/{CHAPTER}")
    guess(page, entered, "A guess", NUMBER)
    assert kept(page)[NUMBER]["right"] is right
    verdict = box(page, NUMBER).locator(".predict-verdict").inner_text()
    assert verdict.startswith("✓ Right." if right else "✗ Not right. It is 0.")


def test_what_is_no_number_is_asked_for_again(page, address):
    page.goto(f"{address}/{CHAPTER}")
    guess(page, "many", "A guess", NUMBER)
    field = box(page, NUMBER).get_by_role("textbox")
    assert field.get_attribute("aria-invalid") == "true" and kept(page) == {}
    guess(page, "0", "A guess", NUMBER)
    assert kept(page)[NUMBER]["right"] is True


def test_a_range_accepts_what_lies_in_it(page, address):
    name = "predict-activations-decades"
    for entered, right in (("11", True), ("9", True), ("13", True), ("8.9", False), ("14", False)):
        page.goto(f"{address}/chapters/convolution/activations.html")
        box(page, name).get_by_role("textbox").fill(entered)
        box(page, name).get_by_role("button", name="A guess").click()
        assert kept(page)[name]["right"] is right, entered
        box(page, name).get_by_role("button", name="Take this guess back").click()


def test_a_reload_keeps_the_guess_and_it_can_be_taken_back(page, address):
    page.goto(f"{address}/{CHAPTER}")
    guess(page, 2, "A guess")
    page.reload()
    assert "Not right. It was a guess." in box(page).locator(".predict-verdict").inner_text()
    assert box(page).get_by_role("radio").nth(1).is_checked()
    box(page).get_by_role("button", name="Take this guess back").click()
    assert kept(page) == {} and not is_open(page)
    guess(page, 3, "Certain")
    assert kept(page)[DEPTH]["right"] is True


def test_a_guess_by_keyboard_alone(page, address):
    page.goto(f"{address}/{CHAPTER}")
    box(page).get_by_role("radio").first.focus()
    for key in (" ", "ArrowDown", "ArrowDown", "Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    assert kept(page)[DEPTH] | {"on": ""} == {"guess": "3", "sure": "fairly", "right": True, "on": ""}


@pytest.mark.parametrize("text", ["nonsense", "[1]", '{"predict-resnet-depth": {"guess": {}}}', "null"])
def test_a_spoilt_store_does_not_break_the_page(page, address, text):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/{CHAPTER}")
    page.evaluate("(text) => localStorage.setItem('dlbook-predictions', text)", text)
    page.reload()
    guess(page, "0", "Certain", NUMBER)
    page.goto(f"{address}/{MINE}")
    assert "1 of 1 were right" in page.locator(".predictions-count").inner_text() and not errors


def test_a_store_that_throws_does_not_break_the_page(page, address):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(BROKEN_STORE)
    page.goto(f"{address}/{CHAPTER}")
    guess(page, 3, "Certain")
    assert (
        is_open(page) and "as long as the page is open" in box(page).locator(".predict-verdict").inner_text()
    )
    page.goto(f"{address}/{MINE}")
    assert "no predictions in this browser yet" in page.locator(".predictions-count").inner_text()
    assert not [error for error in errors if "predict" in error]


def test_my_page_counts_by_sureness_and_part_and_forgets(page, address):
    page.goto(f"{address}/{MINE}")
    assert "no predictions in this browser yet" in page.locator(".predictions-count").inner_text()
    page.goto(f"{address}/{CHAPTER}")
    guess(page, 3, "Certain")
    guess(page, "12", "Certain", NUMBER)
    guess(page, 3, "A guess", "predict-resnet-flow")
    page.goto(f"{address}/{MINE}")
    assert "2 of 3 were right." in page.locator(".predictions-count").inner_text()
    sure, parts = (table.locator("tbody tr") for table in page.locator(".predictions-table").all())
    assert [(row.locator("th").inner_text(), row.locator(".number").inner_text()) for row in sure.all()] == [
        ("A guess", "1 of 1"),
        ("Fairly sure", "none yet"),
        ("Certain", "1 of 2"),
    ]
    here = [row.inner_text().split("\t") for row in parts.all() if "Architectures" in row.inner_text()]
    boxes = sum(file.read_text("utf8").count("\n:name: predict-") for file in PART.glob("*.md"))
    assert here == [["Architectures", f"3 of {boxes}", "2 of 3", "1 of 1", "–", "1 of 2"]]
    assert [mark.inner_text() for mark in page.locator(".predictions-yours").all()] == [
        "✓right, certain",
        "✓right, a guess",
        "✗not right, certain",
    ]
    page.get_by_role("button", name="Delete all my guesses").click()
    page.get_by_role("button", name="Keep them").click()
    assert len(kept(page)) == 3
    page.get_by_role("button", name="Delete all my guesses").click()
    page.get_by_role("button", name="Yes, delete them").click()
    assert kept(page) == {} and page.locator(".predictions-yours").count() == 0
    assert "no predictions in this browser yet" in page.locator(".predictions-count").inner_text()


def test_the_list_leads_to_each_box(page, address, site):
    """The links are read off the page that the script has made; what they lead to, off the files."""
    page.goto(f"{address}/{MINE}")
    links = [link.get_attribute("href") for link in page.locator(".predictions-part li a").all()]
    assert len(links) >= 9
    for link in links:
        path, _, name = link.partition("#")
        text = (site / "chapters/front" / path).resolve().read_text("utf8")
        assert re.search(rf'<[^>]*class="[^"]*\bpredict\b[^"]*"[^>]*id="{name}"', text), link
    page.goto(f"{address}/chapters/front/{links[-1]}")
    assert page.locator(f"#{name}").evaluate("(e) => e.closest('.predict-box') !== null")


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (320, "dark")])
def test_answered_boxes_and_my_page_are_accessible(browser, address, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for path in (CHAPTER, MINE):
        page.goto(f"{address}/{path}")
        if path == CHAPTER:
            guess(page, 2, "Certain")
            guess(page, "many", "Certain", NUMBER)
            small = """[...document.querySelectorAll(".predict-box :is(label, button, .predict-number)")].filter((e) => e.offsetHeight && e.offsetHeight < 24).length"""
            assert page.evaluate(small) == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE)
        assert page.evaluate(RUN_AXE, AXE_RULES) == []
    context.close()


def test_without_a_script_it_is_a_question_and_a_folded_answer(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{CHAPTER}")
    for control in ("input", "button", ".predict-verdict"):
        assert not any(found.is_visible() for found in box(page).locator(control).all())
    assert box(page).locator("li").count() == 4 and box(page, NUMBER).locator(".predict-blank").is_visible()
    assert box(page).locator("ol").evaluate("(list) => getComputedStyle(list).listStyleType") == "decimal"
    assert not box(page).locator(".sd-summary-content").is_visible()
    box(page).locator("summary").click()
    assert box(page).locator(".sd-summary-content").is_visible()
    page.goto(f"{address}/{MINE}")
    assert page.locator(".predictions-part li a").count() >= 9
    context.close()


def test_paper_shows_the_plain_question_also_after_a_guess(page, address):
    page.goto(f"{address}/{CHAPTER}")
    guess(page, 2, "Certain")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    hidden = "input, .predict-sure, .predict-verdict, .predict-mark"
    assert not any(found.is_visible() for found in box(page).locator(hidden).all())
    assert box(page).locator("ol").evaluate("(list) => getComputedStyle(list).listStyleType") == "decimal"
    assert box(page, NUMBER).locator(".predict-blank").is_visible()
