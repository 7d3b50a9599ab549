"""The map of the book and the ways through it: every chapter is on the map, arrows follow the chapters' heads.

Seeded faults, tried: an arrow from a chapter to what it needs; hours that count listings as text.
"""

import re
from pathlib import Path

import pytest
from dlbook_site import map_wide, ways

from tests.site.site_html import soup

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
PITCH = map_wide.BOX + map_wide.GAP
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
    every = {(need, name) for name, found in wanted.items() for need in found if need in wanted}
    drawn = {}
    for form in (".map-narrow", ".map-wide"):
        boxes = {link["data-page"]: link for link in page.select(f".dlbook-map {form} a")}
        assert len(wanted) >= 4 and set(boxes) == set(wanted)
        paths = page.select(f".dlbook-map {form} .arrows path")
        drawn[form] = {(path["data-from"], path["data-to"]) for path in paths}
        assert len(drawn[form]) == len(paths)
    assert drawn[".map-narrow"] == every and drawn[".map-wide"] < every
    assert followed(drawn[".map-wide"]) == followed(every)
    assert all((site / "chapters/front" / link["href"]).resolve().is_file() for link in boxes.values())


def followed(arrows):
    """All pairs that a chain of arrows joins."""
    found = set(arrows)
    while more := {(a, d) for a, b in found for c, d in arrows if b == c} - found:
        found |= more
    return found


IN_BOXES = """() => { const boxes = [...document.querySelectorAll(".map-wide a")].map((a) => [a.dataset.page, a.querySelector("rect").getBBox()]);
  return [...document.querySelectorAll(".map-wide .arrows path")].flatMap((path) => {
    const steps = Array.from({ length: path.getTotalLength() / 2 }, (_, i) => path.getPointAtLength(2 * i + 1));
    return boxes.filter(([, box]) => steps.some(({ x, y }) => x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height)).map(([page]) => [path.dataset.from, path.dataset.to, page]); }); }"""
TOO_WIDE = """() => [...document.querySelectorAll(".map-wide a")].filter((a) => { const box = a.querySelector("rect").getBBox(), words = a.querySelector("text").getBBox();
  return words.x + words.width > box.x + box.width - 4 || words.y < box.y || words.y + words.height > box.y + box.height; }).map((a) => a.dataset.page)"""


def test_a_wide_page_shows_all_of_it_and_no_arrow_runs_through_a_box(wide_page, address):
    wide_page.goto(f"{address}/chapters/front/ways.html")
    seen = wide_page.locator(".dlbook-map").evaluate(
        "(map) => ({ width: map.clientWidth, all: map.scrollWidth, drawn: map.querySelector('.map-wide').viewBox.baseVal.width, form: map.querySelector('.map-wide').clientWidth })"
    )
    assert seen["all"] <= seen["width"] and seen["drawn"] <= 1000
    assert seen["form"] >= 0.95 * seen["drawn"]  # not smaller than drawn: its letters would be too small
    assert wide_page.evaluate(IN_BOXES) == [] and wide_page.evaluate(TOO_WIDE) == []


def test_the_arrows_of_a_box_stand_out(wide_page, address):
    wide_page.goto(f"{address}/chapters/front/ways.html")
    here = "chapters/architectures/resnet"
    own = ".map-wide .arrows path.own"
    assert wide_page.locator(own).count() == 0
    wide_page.locator(f".map-wide a[data-page='{here}']").focus()
    ends = wide_page.locator(own).evaluate_all("(all) => all.map((p) => [p.dataset.from, p.dataset.to])")
    assert len(ends) >= 3 and all(here in pair for pair in ends)


def test_twice_as_many_chapters_still_fit():
    pages = [f"chapter-{i}" for i in range(60)]
    parts = [(f"Part {i}", pages[7 * i : 7 * i + 7]) for i in range(9)]
    needs = {page: [pages[i // 2]] * (i > 0) + [pages[-1 - i]] * (i < 20) for i, page in enumerate(pages)}
    placed = map_wide.Layout(parts, needs)
    assert placed.size[0] <= 1000 and len(placed.boxes) == 60
    gaps = [(x - 2) % PITCH - map_wide.BOX for x in placed.trunks.values()]
    assert all(0 < gap < map_wide.GAP for gap in gaps)
    assert all(len(here) == len(set(here)) for here in tips_by_page(placed).values())


def tips_by_page(placed):
    """Page -> where each of its arrows ends."""
    found = {}
    for (_, page), tip in placed.ends.items():
        found.setdefault(page, []).append(tip)
    return found


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
    assert map_wide.nearest_needs(loop) == {"a": ["b"], "b": ["a"]}
