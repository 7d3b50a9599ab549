"""The review: which chapters are asked, when a card comes back, by keyboard, without a script or a store; what is carried.

Seeded faults, tried: every grade taken for "good"; a second grade of the day that moves the date; cards of chapters that
nobody has chosen; keys that work without the focus; a due day compared with the wrong sign.
"""

import json
from datetime import date, timedelta

import pytest

from tests.site.site_visit import AXE, AXE_RULES, RUN_AXE

pytestmark = pytest.mark.browser
CHAPTER = "chapters/semi/fixmatch.html"
REVIEW = "chapters/front/review.html"
PAGE = "chapters/semi/fixmatch"
TODAY = date(2026, 12, 1)
BROKEN_STORE = """Object.defineProperty(window, "localStorage", {get() { throw new DOMException("no", "SecurityError"); }});"""
FIRST = {"1": 1, "2": 2, "3": 3, "4": 8}  # days after the first grade, of FSRS-6 at a retention of 0.9


@pytest.fixture
def page(browser):
    """A page in a wide window, with a store and a clock of its own."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, timezone_id="Europe/Berlin")
    page = context.new_page()
    page.clock.set_fixed_time(f"{TODAY}T10:00:00Z")
    yield page
    context.close()


def kept(page):
    """What the browser has kept."""
    return page.evaluate("JSON.parse(localStorage.getItem('dlbook-review') ?? '{}')")


def due(card):
    """In how many days a card comes back."""
    return (date.fromisoformat(card["due"][:10]) - TODAY).days


def add(page, address, chapter=CHAPTER):
    """Say that a chapter was read, and go to the review."""
    page.goto(f"{address}/{chapter}")
    page.get_by_role("button", name="I have read this chapter").click()
    page.goto(f"{address}/{REVIEW}")


def names(page, chapter=PAGE):
    """The names of a chapter's cards, in their order."""
    cards = page.locator(f'details.review-cards[data-page="{chapter}"] .review-card')
    return cards.evaluate_all("(cards) => cards.map((card) => card.dataset.name)")


def lead(page):
    return page.locator(".review-lead").inner_text()


def test_a_chapter_is_asked_once_its_reader_says_so(page, address):
    page.goto(f"{address}/{REVIEW}")
    assert lead(page) == "No chapter is in your review yet."
    add(page, address)
    assert lead(page) == "12 cards today: 12 new." and list(kept(page)["chapters"]) == [PAGE]
    page.goto(f"{address}/{CHAPTER}")
    assert "In your review since 1 December 2026" in page.locator(".review-add").inner_text()
    page.get_by_role("button", name="Take them out of my review").click()
    assert kept(page)["chapters"] == {}


def test_each_grade_moves_the_date_as_fsrs_says(page, address):
    add(page, address)
    page.get_by_role("button", name="Begin").click()
    shown = names(page)
    for key, days in FIRST.items():
        page.keyboard.press(" ")
        grade = page.locator(".review-grade").nth(int(key) - 1)
        assert ("tomorrow" if days == 1 else f"{days} days") in grade.inner_text()
        page.keyboard.press(key)
    cards = kept(page)["cards"]
    assert [due(cards[name]) for name in shown[:4]] == list(FIRST.values()) and len(cards) == 4
    page.clock.set_fixed_time(
        f"{TODAY + timedelta(days=3)}T06:00:00Z"
    )  # the first to come back: three of the four
    page.reload()
    assert lead(page) == "11 cards today: 3 due, 8 new."
    page.get_by_role("button", name="Begin").click()
    asked = page.locator(".review-question").inner_text()
    page.locator('details.review-cards[data-page="chapters/semi/fixmatch"] > summary').click()
    assert asked == page.locator(f'[data-name="{shown[0]}"] summary').inner_text()  # the longest waiting


def test_what_was_forgotten_comes_once_more_and_practice_moves_no_date(page, address):
    add(page, address)
    page.get_by_role("button", name="Begin").click()
    first = page.locator(".review-question").inner_text()
    page.keyboard.press(" ")
    page.keyboard.press("1")
    before = kept(page)["cards"][names(page)[0]]
    for _ in range(11):
        assert page.locator(".review-question").inner_text() != first
        page.keyboard.press(" ")
        page.keyboard.press("3")
    assert page.locator(".review-question").inner_text() == first
    assert "12 of 12" in page.locator(".review-where").inner_text()
    page.keyboard.press(" ")
    page.keyboard.press("4")
    assert kept(page)["cards"][names(page)[0]] == before
    assert (
        lead(page) == "Nothing is due today."
        and page.locator(".review-said").inner_text() == "12 cards done."
    )
    assert "2 December 2026" in page.locator(".review-board").inner_text()
    assert page.evaluate("document.activeElement.className") == "review-lead"


def test_keys_work_on_the_stage_alone(page, address):
    add(page, address)
    page.get_by_role("button", name="Begin").click()
    page.keyboard.press("3")  # before the answer is shown
    assert kept(page)["cards"] == {}
    page.keyboard.press(" ")
    page.locator(".review-choose input").first.focus()
    page.keyboard.press("3")
    assert kept(page)["cards"] == {}
    page.locator(".review-grade").nth(2).focus()
    page.keyboard.press("Enter")
    assert len(kept(page)["cards"]) == 1


def test_the_mouse_does_all_that_the_keyboard_does(page, address):
    add(page, address)
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Show the answer").click()
    page.get_by_role("button", name="Easy").click()
    assert due(kept(page)["cards"][names(page)[0]]) == 8
    page.get_by_role("button", name="Stop for now").click()
    assert lead(page) == "11 cards today: 11 new."


def test_twenty_new_cards_a_day_are_enough(page, address):
    page.goto(f"{address}/{REVIEW}")
    for box in page.locator(".review-choose input").all():
        box.check()
    assert lead(page) == "20 cards today: 20 new."
    page.get_by_role("button", name="Begin").click()
    for _ in range(20):
        page.keyboard.press(" ")
        page.keyboard.press("4")
    assert (
        lead(page) == "Nothing is due today."
        and "wait for tomorrow" in page.locator(".review-board").inner_text()
    )
    page.clock.set_fixed_time(f"{TODAY + timedelta(days=1)}T10:00:00Z")
    page.reload()
    assert lead(page) == "20 cards today: 20 new."


def test_the_live_region_speaks_at_the_end_alone(page, address):
    add(page, address)
    page.evaluate("""() => { window.told = []; new MutationObserver(() => told.push(document.querySelector(".review-said").textContent))
        .observe(document.querySelector(".review-said"), {childList: true, characterData: true, subtree: true}); }""")
    page.get_by_role("button", name="Begin").click()
    for _ in range(12):
        page.keyboard.press(" ")
        page.keyboard.press("3")
    assert [words for words in page.evaluate("told") if words] == ["12 cards done."]


def test_what_is_kept_travels_as_a_file_and_can_be_deleted(page, address, tmp_path):
    add(page, address)
    page.get_by_role("button", name="Begin").click()
    page.keyboard.press(" ")
    page.keyboard.press("3")
    before = kept(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export my review").click()
    file = tmp_path / "review.json"
    download.value.save_as(file)
    assert json.loads(file.read_text()) == before
    page.get_by_role("button", name="Delete my review").click()
    page.get_by_role("button", name="Yes, delete them").click()
    assert kept(page) == {} and lead(page) == "No chapter is in your review yet."
    other = tmp_path / "other.json"
    for content in ("[]", "no", "null", '{"cards": 3}'):
        other.write_text(content)
        page.locator(".kept-buttons input").set_input_files(other)
        page.wait_for_function(
            "document.querySelector('.review-said').textContent.startsWith('Expected a file')"
        )
        assert kept(page) == {}
    page.locator(".kept-buttons input").set_input_files(file)
    page.wait_for_function(
        "document.querySelector('.review-said').textContent === 'Your review was imported.'"
    )
    assert kept(page) == before


@pytest.mark.parametrize(
    "text",
    ["nonsense", "[]", '{"chapters": 3, "cards": [1]}', '{"cards": {"card-fixmatch-mean": {"due": "x"}}}'],
)
def test_a_spoilt_store_does_not_break_the_page(page, address, text):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/{REVIEW}")
    page.evaluate("(text) => localStorage.setItem('dlbook-review', text)", text)
    page.reload()
    page.locator(".review-choose input").last.check()
    page.get_by_role("button", name="Begin").click()
    page.keyboard.press(" ")
    page.keyboard.press("3")
    assert not errors and page.locator(".review-question").count() == 1


def test_a_store_that_throws_does_not_break_the_page(page, address):
    page.add_init_script(BROKEN_STORE)
    page.goto(f"{address}/{REVIEW}")
    page.locator(".review-choose input").last.check()
    page.get_by_role("button", name="Begin").click()
    page.keyboard.press(" ")
    page.keyboard.press("3")
    assert "is lost with the page" in page.locator(".review-said").inner_text()
    assert page.locator(".review-where").inner_text().endswith("2 of 12")


@pytest.mark.parametrize(("width", "scheme"), [(1400, "dark"), (320, "light")])
def test_each_step_is_accessible(browser, address, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{address}/{REVIEW}")
    page.locator(".review-choose input").first.check()
    page.evaluate(AXE)
    for step in ("overview", "question", "answer"):
        if step == "question":
            page.get_by_role("button", name="Begin").click()
        if step == "answer":
            page.keyboard.press(" ")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = """[...document.querySelectorAll(".review-stage button, .review-choose, .review-carry button, details.review-cards > summary")]
            .filter((e) => e.offsetHeight && e.offsetHeight < 24).map((e) => e.outerHTML)"""
        assert page.evaluate(small) == []
        assert page.evaluate(RUN_AXE, AXE_RULES) == [], step
    context.close()


def test_without_a_script_the_cards_are_a_folded_list(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{CHAPTER}")
    card = page.locator("div.review-cards .review-card").first
    assert not page.locator(".review-add").is_visible() and not card.locator(".review-reply").is_visible()
    card.locator("summary").click()
    assert card.locator(".review-reply").is_visible()
    page.goto(f"{address}/{REVIEW}")
    assert (
        page.locator("details.review-cards > summary").first.inner_text().startswith("What deep learning is")
    )
    page.locator("details.review-cards > summary").first.click()
    assert page.locator(".review-card summary").first.is_visible()
    context.close()


def test_paper_shows_the_cards_with_their_answers(page, address):
    page.goto(f"{address}/{CHAPTER}")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert all(reply.is_visible() for reply in page.locator("div.review-cards .review-reply").all())
    assert not page.locator(".review-add").is_visible()
