"""What to read next: the chapters whose needs the reader has all read, in words and on the map; without a script the pages are as ever.

Seeded faults, tried: a chapter offered of whose needs one is unread; a read chapter offered again; a mark that stays
when the chapter is taken out; a link from the wrong root; a chapter's end that speaks before it was read.
"""

import json

import pytest

pytestmark = pytest.mark.browser
WAYS = "chapters/front/ways.html"
FIRST, SECOND, THIRD = (
    "chapters/foundations/deep-learning",
    "chapters/foundations/perceptron",
    "chapters/semi/fixmatch",
)
BESIDE = "chapters/architectures/resnet"


@pytest.fixture
def page(browser):
    """A page in a wide window with a store of its own; foreign requests and errors fail the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if request.method != "GET" else None)
    yield page
    context.close()
    assert not faults


@pytest.fixture
def needs(site):
    """Page -> the chapters that it needs, as the site's file says."""
    text = (site / "_static/chapters.js").read_text("utf8")
    return {page: row[2] for page, row in json.loads(text.split("=", 1)[1].rstrip().rstrip(";")).items()}


def say_read(page, address, *chapters):
    """Keep that chapters were read, as their buttons do."""
    page.goto(f"{address}/{WAYS}")
    state = {"chapters": dict.fromkeys(chapters, "2026-11-28"), "cards": {}, "begun": {}}
    page.evaluate("(state) => localStorage.setItem('dlbook-review', JSON.stringify(state))", state)
    page.reload()


def offered(page):
    """The chapters that the place offers, in its order; each link leads to its page."""
    links = page.locator(".dlbook-next li a").evaluate_all("(all) => all.map((a) => a.href)")
    return [link.split("/", 3)[3].removesuffix(".html") for link in links if not link.endswith(WAYS)]


def states(page):
    """Page -> what the map says of it: "read", "next" or ""; the word on the box says the same."""
    boxes = page.locator(".dlbook-map a").evaluate_all(
        "(all) => all.map((a) => [a.dataset.page, a.dataset.state, a.querySelector('.hours').textContent])"
    )
    assert all(words.endswith(f" · {state}") if state else "·" not in words for _, state, words in boxes)
    return {name: state for name, state, _ in boxes}


@pytest.mark.parametrize("read", [(FIRST,), (FIRST, SECOND), (THIRD,), (BESIDE, FIRST)])
def test_what_is_offered_needs_only_what_was_read(page, address, needs, read):
    say_read(page, address, *read)
    wanted = [name for name, before in needs.items() if name not in read and set(before) <= set(read)]
    assert offered(page) == wanted[:4] and wanted
    expected = {name: "read" if name in read else "next" if name in wanted else "" for name in needs}
    assert states(page) == expected
    assert f"You have read {len(read)} of {len(needs)} chapters" in page.locator(".dlbook-next").inner_text()
    if len(wanted) > 4:
        assert f"{len(wanted) - 4} more" in page.locator(".dlbook-next").inner_text()
    for link in page.locator(".dlbook-next a").all():
        assert page.request.get(link.evaluate("(a) => a.href")).ok


def test_before_anything_is_read_the_page_says_how_and_where_to_begin(page, address, needs):
    page.goto(f"{address}/{WAYS}")
    assert "When you have read a chapter" in page.locator(".dlbook-next").inner_text()
    assert offered(page) == [name for name, before in needs.items() if not before][:4]
    assert set(states(page).values()) == {""}
    page.goto(f"{address}/index.html")
    assert not page.locator(".dlbook-next").inner_text()


def test_all_read(page, address, needs):
    say_read(page, address, *needs, "chapters/gone/long-ago")
    assert page.locator(".dlbook-next").inner_text() == "You have read every chapter that stands."
    assert set(states(page).values()) == {"read"}


def test_the_end_of_a_chapter_offers_what_builds_on_it_once_it_is_read(page, address, needs):
    page.goto(f"{address}/{FIRST}.html")
    place = page.locator(".dlbook-next")
    assert not place.inner_text() and place.get_attribute("role") == "status"
    page.get_by_role("button", name="I have read this chapter").click()
    assert place.inner_text().startswith("Next you can read:")
    found = offered(page)
    builds = [FIRST in needs[name] for name in found]
    assert builds[0] and builds == sorted(builds, reverse=True) and FIRST not in found
    page.goto(f"{address}/index.html")
    assert set(offered(page)) <= set(needs) - {FIRST} and offered(page)
    page.go_back()
    page.get_by_role("button", name="Take them out of my review").click()
    assert not place.inner_text()
    page.goto(f"{address}/{WAYS}")
    assert set(states(page).values()) == {""}


def test_another_window_is_heard_and_a_spoilt_store_breaks_nothing(page, address):
    say_read(page, address, FIRST)
    other = page.context.new_page()
    other.goto(f"{address}/{SECOND}.html")
    other.get_by_role("button", name="I have read this chapter").click()
    page.wait_for_function(f"document.querySelector('[data-page=\"{SECOND}\"]').dataset.state === 'read'")
    other.get_by_role("button", name="Take them out of my review").click()
    page.wait_for_function(f"document.querySelector('[data-page=\"{SECOND}\"]').dataset.state === 'next'")
    page.evaluate("localStorage.setItem('dlbook-review', '[3')")
    page.reload()
    assert set(states(page).values()) == {""}


def test_without_a_script_nothing_is_there(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for path in (WAYS, "index.html", f"{FIRST}.html"):
        page.goto(f"{address}/{path}")
        place = page.locator(".dlbook-next")
        assert place.count() == 1 and not place.is_visible()
    context.close()
