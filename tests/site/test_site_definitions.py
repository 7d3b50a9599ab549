"""Definitions: beside the paragraph on a wide page, on a card on a narrow one, readable without scripts and on paper; and
the glossary.

Seeded faults, tried: a note that a wide figure covers, a card over a term whose note is in sight, and a glossary that
leaves a term out.
"""

import re
from functools import cache

import pytest
from dlbook_site.definitions import place_of

from tests.site.conftest import ROOT
from tests.site.site_html import soup

pytestmark = pytest.mark.browser
PAGE = "chapters/convolution/activations.html"
CARD = "#hover-card:not([hidden])"
COVERED = """() => [...document.querySelectorAll(".term-note")].filter((note) => note.checkVisibility()).flatMap((note) => {
  const a = note.getBoundingClientRect();
  return [...document.querySelectorAll(".dlbook-widget, .dlbook-still, .term-note, article p")].filter((other) => {
    const b = other.getBoundingClientRect();
    return !note.contains(other) && !other.contains(note) && other.checkVisibility()
      && b.top < a.bottom - 1 && b.bottom > a.top + 1 && b.left < a.right - 1 && b.right > a.left + 1;
  }).map((other) => `${note.id} and ${other.className || other.textContent.slice(0, 40)}`);
})"""


def opened(browser, address, width, path=PAGE, **options):
    """A page in a window of a width."""
    page = browser.new_context(viewport={"width": width, "height": 900}, **options).new_page()
    page.goto(f"{address}/{path}")
    return page


def term(page, place):
    """The first mark of a term."""
    return page.locator(f"article a.term[href$='#{place}']").first


def test_a_wide_page_has_notes_in_the_margin_that_cover_nothing(browser, address):
    page = opened(browser, address, 1720)
    page.wait_for_timeout(1500)
    shown = page.locator(".term-note:visible")
    assert shown.count() >= 6
    box, text = shown.first.bounding_box(), page.locator("article section > p").first.bounding_box()
    assert box["x"] >= text["x"] + text["width"] and box["x"] + box["width"] <= 1720
    assert page.evaluate(COVERED) == []
    term(page, "term-saturation").hover()
    page.wait_for_timeout(500)
    assert page.locator(CARD).count() == 0  # it stands beside it
    page.context.close()


def test_a_narrow_page_shows_the_definition_at_a_tap(browser, address):
    page = opened(browser, address, 390, has_touch=True, is_mobile=True)
    assert page.locator(".term-note:visible").count() == 0
    term(page, "term-saturation").scroll_into_view_if_needed()
    term(page, "term-saturation").tap()
    told, box = page.locator(CARD).inner_text(), page.locator(CARD).bounding_box()
    assert told.startswith("saturation") and "is flat" in told
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.keyboard.press("Escape")
    assert page.locator(CARD).count() == 0
    page.context.close()


def test_without_scripts_and_on_paper_it_stands_beside_the_paragraph(browser, address):
    for options, media in (({"java_script_enabled": False}, "screen"), ({}, "print")):
        page = opened(browser, address, 900, **options)
        page.emulate_media(media=media)
        assert page.locator("#term-saturation").is_visible()
        page.context.close()


def test_the_glossary_has_every_term_by_the_alphabet_and_leads_to_its_place(site):
    pages = sorted(page for page in (ROOT / "chapters").rglob("*.md") if not page.name.startswith("_"))
    defined = [
        t.strip()
        for page in pages
        for t in re.findall(r"^```\{define\} *(.+)$", page.read_text("utf8"), re.M)
    ]
    html = soup(site, "chapters/front/glossary.html")
    entries = html.select("dl.glossary dt")
    assert len(defined) >= 40
    assert [e.get_text().rstrip("#") for e in entries] == sorted(defined, key=str.lower)
    parsed = cache(lambda file: soup(site, f"chapters/front/{file}"))  # a chapter takes a second
    for entry in entries:
        link = entry.find_next_sibling("dd").select_one(".glossary-place a")["href"]
        file, _, place = link.partition("#")
        assert place == place_of(entry.get_text().rstrip("#")) == entry["id"]
        assert parsed(file).find(id=place)


def test_the_search_finds_a_term(site):
    assert "which lets its loss count or leaves it out" in (site / "search-index.js").read_text("utf8")
