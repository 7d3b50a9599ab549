"""The map of the book and the ways through it: every chapter is on the map, arrows follow the chapters' heads.

Seeded faults, tried: an arrow from a chapter to what it needs; hours that count listings as text.
"""

import re
from pathlib import Path

import pytest
from dlbook_site import book_map, ways

from tests.site.site_html import soup

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
NEED = re.compile(r"\]\(([\w./-]+)\.md\)")


def needs():
    """Page -> the chapters that the first line of its head links to, from the sources."""
    found = {}
    for file in sorted(ROOT.glob("chapters/*/*.md")):
        if line := re.search(r"- \*\*Before you start\*\*:(.*)", file.read_text("utf8")):
            links = [(file.parent / link).resolve() for link in NEED.findall(line[1])]
            found[_page(file.with_suffix(""))] = [_page(link) for link in links]
    return found


def _page(path):
    return path.relative_to(ROOT).as_posix()


def test_every_chapter_is_on_the_map_and_each_need_is_an_arrow(site):
    wanted, page = needs(), soup(site, "chapters/front/ways.html")
    count = sum(need in wanted for found in wanted.values() for need in found)
    for form in (".map-narrow", ".map-wide"):
        boxes = {link["data-page"]: link for link in page.select(f".dlbook-map {form} a")}
        assert len(wanted) >= 4 and set(boxes) == set(wanted)
        assert len(page.select(f".dlbook-map {form} .arrows path")) == count > 0
    left = {name: float(link.rect["x"]) for name, link in boxes.items()}
    assert all(left[need] < left[name] for name in wanted for need in wanted[name] if need in left)
    assert all((site / "chapters/front" / link["href"]).resolve().is_file() for link in boxes.values())


def test_a_way_says_its_hours(site):
    lists = soup(site, "chapters/front/ways.html").select(".dlbook-way")
    assert len(lists) == 4
    for way in lists:
        single = [
            part for item in way.select("li") for part in re.findall(r"· (\d*½?) hour", item.get_text())
        ]
        total = re.search(r"Together (\d*½?) hour", way.get_text())[1]
        value = lambda text: float(text.replace("½", ".5"))
        assert single and sum(map(value, single)) == value(total) > 0


def test_a_telephone_shows_every_chapter_without_scrolling_sideways(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/chapters/front/ways.html")
    boxes = page.locator(".dlbook-map a:visible").evaluate_all(
        "(all) => all.map((box) => [box.dataset.page, box.querySelector('rect').getBoundingClientRect().right, box.querySelector('text').getBoundingClientRect().right])"
    )
    context.close()
    assert sorted(name for name, _, _ in boxes) == sorted(needs())
    assert all(words < edge <= 390 for _, edge, words in boxes)


def test_a_circle_of_needs_has_an_end():
    loop = [ways.Head("a", "A", ("b",), 1, 0), ways.Head("b", "B", ("a",), 1, 0)]
    assert set(book_map.columns(loop)) == {"a", "b"}
