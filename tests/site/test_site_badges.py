"""The mark behind a number: it leads to its row, shows it, and is the row's number on paper; a number without a row
has a quieter one, to its cell; and the page of every claim.

Seeded faults, tried: a mark that names another row, a card without the margin, a target that a finger misses, a
card that lies on its own mark, a ledger that paper leaves folded, and quotations listed before what could have failed.
"""

import re

import pytest
from dlbook_site.own_scripts import toc

from tests.site.conftest import ROOT
from tests.site.site_html import heading, soup

pytestmark = pytest.mark.browser
CHAPTERS = ("convolution/activations", "architectures/resnet", "training/schedules", "semi/fixmatch")
PAGE = "chapters/convolution/activations.html"
CARD = "#hover-card:not([hidden])"
NUMBERS = re.compile(r"\d+(?:\.\d+)?(?:e[-+]\d+)?")


@pytest.fixture
def page(wide_page, address):
    """The chapter in a wide window, at the first mark of a measured number."""
    wide_page.goto(f"{address}/{PAGE}")
    mark(wide_page).scroll_into_view_if_needed()
    return wide_page


def mark(page):
    """The mark of what tanh reaches."""
    return page.locator(".in-ledger:has-text('89.9'), .in-ledger").nth(1).locator("a.ledger-badge")


def rounds_to(number, row):
    """Whether a number of the prose is one of a row's numbers, rounded as it stands."""
    found = NUMBERS.search(number.replace(",", ""))[0]
    half = 0.5000001 * 10 ** -len(found.partition(".")[2])
    others = NUMBERS.findall(row.get_text(" ").replace(",", ""))
    return any(abs(abs(float(other)) - float(found)) <= half for other in others)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_mark_leads_to_rows_of_the_page_and_the_rows_hold_the_number(site, chapter):
    html = soup(site, f"chapters/{chapter}.html")
    marks = html.select("a.ledger-badge")
    assert len(marks) >= 10
    same = []
    for badge in marks:
        rows = [html.find(id=place) for place in badge["data-rows"].split()]
        assert all(row and row.name == "tr" for row in rows) and badge["href"] == f"#{rows[0]['id']}"
        number = badge.parent.select_one(".pasted-text").get_text()
        same.append(any(rounds_to(number, row) for row in rows))
    assert sum(same) > len(same) / 2  # the others stand in the prose in another form, say as a difference


def test_the_pointer_on_the_number_shows_its_row(page):
    mark(page).locator("xpath=..").hover()
    page.wait_for_selector(CARD)
    told = page.locator(CARD).inner_text()
    assert "predicted" in told and "measured" in told and "margin" in told and "this run, 3 seeds" in told
    page.locator(CARD).hover()
    page.wait_for_timeout(600)  # longer than the card waits before it goes
    assert page.locator(CARD).count() == 1
    page.mouse.move(5, 5)
    page.wait_for_selector(CARD, state="detached")


def test_the_keyboard_shows_it_and_escape_puts_it_away(page):
    mark(page).evaluate("(a) => a.focus({focusVisible: true, preventScroll: true})")
    assert page.locator(CARD).count() == 1
    page.keyboard.press("Escape")
    assert page.locator(CARD).count() == 0


def test_a_mark_is_large_enough_and_moves_no_line(page):
    size = mark(page).bounding_box()
    assert size["width"] >= 20 and size["height"] >= 24
    heights = """(a) => { const line = a.closest("p"), before = line.offsetHeight; a.style.display = "none";
      const without = line.offsetHeight; a.style.display = ""; return [before, without]; }"""
    assert len(set(mark(page).evaluate(heights))) == 1


def test_a_tap_shows_the_row_and_the_next_one_opens_the_ledger(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    mark(page).scroll_into_view_if_needed()
    mark(page).tap()
    box = page.locator(CARD).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and not page.evaluate("location.hash")
    mark(page).tap()
    page.wait_for_function("location.hash.startsWith('#ledger-')")
    assert page.locator(":target").is_visible()
    context.close()


def test_no_card_lies_on_what_it_speaks_of(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 700})
    page = context.new_page()
    page.goto(f"{address}/chapters/convolution/lenet.html")
    several = page.locator("a.ledger-badge[data-rows*=' ']:visible")
    assert several.count() >= 3
    for badge in several.all()[:4]:
        for _ in range(2):  # what comes into sight for the first time may change its height
            badge.evaluate("(a) => a.scrollIntoView({block: 'center', behavior: 'instant'})")
            page.wait_for_timeout(300)  # the page's own scrolling puts a card away
        badge.evaluate("(a) => a.focus({focusVisible: true, preventScroll: true})")
        card, lines = page.locator(CARD).bounding_box(), badge.locator("xpath=..").bounding_box()
        assert card["y"] >= 0 and card["y"] + card["height"] <= 700
        assert card["y"] >= lines["y"] + lines["height"] or card["y"] + card["height"] <= lines["y"]
    context.close()


def test_without_scripts_the_mark_is_a_link_to_the_row(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    mark(page).click()
    assert re.search(r"#ledger-\d+", page.url) and page.locator("tr:target").is_visible()
    context.close()


def test_on_paper_the_mark_is_the_number_of_a_row_that_is_printed(page):
    page.emulate_media(media="print")
    number = mark(page).locator("sup")
    place = mark(page).get_attribute("href").removeprefix("#")
    assert number.is_visible() and number.inner_text() == place.split("-")[1]
    row = page.locator(f"#{place} .ledger-number")
    assert row.inner_text().strip() == number.inner_text()
    assert row.evaluate(
        "(e) => e.checkVisibility({contentVisibilityAuto: true}) && e.getClientRects().length > 0"
    )


def chapters(site):
    """The chapters with a ledger, parsed; a page of the reference may compute in cells that it does not show."""
    found = [path.relative_to(site).as_posix() for path in sorted(site.glob("chapters/*/*.html"))]
    found = [path for path in found if not path.startswith("chapters/front/")]
    pages = ((path, soup(site, path)) for path in found if "{glue:text}" in source_of(path))
    return [(path, html) for path, html in pages if html.select_one("table.dlbook-ledger")]


def source_of(path):
    """Text of a page's source."""
    file = ROOT / path.replace(".html", ".md")
    return file.read_text("utf8") if file.is_file() else ""


def unmarked(html):
    """Inserted numbers without a mark. A text without a digit is words only; a link leads elsewhere already."""
    numbers = [node for node in html.select(".pasted-text") if not node.select_one(".pasted-text")]
    return [
        number.get_text()
        for number in numbers
        if re.search(r"\d", number.get_text())
        and not number.find_parent("a")
        and "badge" not in " ".join((number.find_next_sibling("a") or {}).get("class", []))
    ]


def test_no_inserted_number_is_without_a_mark_and_each_quiet_one_leads_to_a_cell_of_the_page(site):
    pages = chapters(site)
    assert len(pages) >= 30
    assert {path: found for path, html in pages if (found := unmarked(html))} == {}
    for path, html in pages:
        cells = {cell["id"] for cell in html.select("div.cell[id^=cell-]")}
        targets = {link["href"].removeprefix("#") for link in html.select("a.computed-badge")}
        assert targets <= cells, path


def test_a_number_without_a_row_says_that_it_was_computed_and_opens_its_cell(page):
    quiet = page.locator("article p a.computed-badge").first
    quiet.scroll_into_view_if_needed()
    size = quiet.bounding_box()
    assert size["width"] >= 20 and size["height"] >= 24 and "computed" in quiet.get_attribute("aria-label")
    quiet.evaluate("(a) => a.focus({focusVisible: true, preventScroll: true})")
    assert "Computed here, not predicted" in page.locator(CARD).inner_text()
    place = quiet.get_attribute("href").removeprefix("#")
    number = re.sub(r"\D", "", place)
    page.keyboard.press("Enter")
    page.wait_for_function("(place) => location.hash === '#' + place", arg=place)
    assert (
        number and page.locator(f"#{place} details[open] pre, #{place} > .cell_input pre").first.is_visible()
    )
    page.emulate_media(media="print")
    assert quiet.is_hidden()


def test_a_finger_sees_first_what_the_quiet_mark_is(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    quiet = page.locator("article p a.computed-badge").first
    quiet.scroll_into_view_if_needed()
    quiet.tap()
    assert page.locator(CARD).is_visible() and not page.evaluate("location.hash")
    quiet.tap()
    page.wait_for_function("location.hash.startsWith('#cell-')")
    context.close()


def in_order(site):
    """Titles of the chapters in the order of the table of contents."""
    files = [page.relative_to(ROOT).with_suffix(".html").as_posix() for page in toc.pages(ROOT)]
    heads = [heading(site, file) for file in files if file.startswith("chapters/")]
    return [head.find_all(string=True, recursive=False)[-1].strip() for head in heads]


def test_every_claim_lists_first_what_could_have_failed_in_the_book_s_order(site):
    html = soup(site, "chapters/front/claims.html")
    sections = html.select("section[id^=claims-]")
    assert [section["id"] for section in sections] == [
        "claims-claim",
        "claims-equality",
        "claims-recorded",
        "claims-cited",
    ]
    order = in_order(site)
    for section in sections[:2]:
        titles = [
            label.get_text() for label in section.select("details.claims-chapter > summary .fold-label")
        ]
        assert len(titles) >= 11 and titles == [title for title in order if title in titles]
    for fold in html.select("details.claims-chapter"):
        inside = len(fold.select("table table tbody > tr"))
        rows = fold.table.tbody.find_all("tr", recursive=False)
        alone = [row for row in rows if not {"claims-more", "claims-all"} & set(row.get("class", []))]
        assert int(fold.select_one(".fold-words").get_text().split()[0]) == inside + len(alone)
    recorded = sections[2].get_text()
    assert "recorded 20" in recorded and "CPU" in recorded and "The zoo" in recorded
    tables = sections[2].select("details.claims-chapter > * > table, details.claims-chapter > table")
    assert tables and all(len(table.tbody.find_all("tr", recursive=False)) <= 8 for table in tables)


def test_the_filter_finds_a_row_inside_a_folded_group(wide_page, address):
    page = wide_page
    page.goto(f"{address}/chapters/front/claims.html")
    page.locator(".claims-filter input").fill("plain44_cifar")
    count = page.locator(".claims-count").inner_text()
    assert re.fullmatch(r"[1-3] of \d+ shown", count)
    assert page.locator("#claims-cited").is_hidden() and page.locator("#claims-equality").is_visible()
    fold = page.locator("#claims-equality details.claims-chapter:visible")
    assert fold.count() == 1 and fold.get_attribute("open") is not None
    page.locator(".claims-filter input").fill("")
    assert page.locator("details.claims-chapter[open]").count() == 0
    by_hand = page.locator("#claims-claim details.claims-chapter").first
    by_hand.locator("summary").first.click()
    page.locator(".claims-filter select").last.select_option(index=2)
    assert by_hand.is_hidden() and page.locator("details.claims-chapter:visible").count() >= 1
    page.locator(".claims-filter select").last.select_option(index=0)
    assert page.locator("details.claims-chapter[open]").count() == 1
