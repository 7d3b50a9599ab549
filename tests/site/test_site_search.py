"""The search: prose by section, the best first, also on a page that is a file.

Seeded faults, tried: an index with the code in it; headings that count no more than the text, and a bibliography
that is not last, find it before FixMatch's section; a magnifier on top of the first letter.
"""

import json

import pytest

pytestmark = pytest.mark.browser
FIRST = "document.querySelector('.search-results a')?.getAttribute('href')"


@pytest.fixture
def page(browser):
    """A page in a wide window."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("confirmation bias", "chapters/semi/fixmatch.html#"),
        ("gelu", "chapters/convolution/activations.html"),
        ("Bottleneck", "chapters/architectures/resnet.html#"),
        ("pseudo-lab", "chapters/semi/fixmatch.html"),
    ],
)
def test_the_first_hit_is_the_section_that_is_about_it(page, address, words, place):
    page.goto(f"{address}/search.html?q={words}")
    assert page.evaluate(FIRST).startswith(place)
    hit = page.locator(".search-results li").first
    assert hit.locator("mark").first.inner_text().lower() in words.lower()
    hit.locator("a").click()
    page.wait_for_load_state("load")
    assert place.partition("#")[0] in page.url
    assert not page.get_by_text("Hide Search Matches").count()


def test_a_class_is_found_by_its_name(page, address):
    page.goto(f"{address}/search.html?q=FixMatch")
    links = page.locator(".search-results a").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
    assert links.index("api/dlbook.semi.fixmatch.html#dlbook.semi.fixmatch.FixMatch") < 5


def test_all_words_have_to_be_there_and_typing_searches(page, address):
    page.goto(f"{address}/search.html")
    field = page.get_by_role("searchbox", name="Words to look for, in the text of all chapters")
    field.fill("shortcut")
    many = page.locator(".search-results li").count()
    field.fill("shortcut zebra")
    assert many > 3 and page.locator(".search-results li").count() == 0
    assert "Nothing" in page.locator(".search-count").inner_text()
    assert page.url.endswith("?q=shortcut%20zebra")


def test_both_boxes_lead_there_and_their_lens_covers_no_letter(page, address):
    page.goto(f"{address}/index.html")
    page.locator(".search-button-field").click()
    field = page.locator("#pst-search-dialog input[name=q]")
    lens = page.locator("#pst-search-dialog .fa-magnifying-glass").bounding_box()
    start = field.bounding_box()["x"] + float(
        field.evaluate("(e) => parseFloat(getComputedStyle(e).paddingLeft)")
    )
    assert lens["x"] + lens["width"] <= start
    field.fill("momentum")
    field.press("Enter")
    page.wait_for_url("**/search.html?q=momentum")
    assert page.locator(".search-results li").count() > 0


def test_a_file_searches_too_and_no_code_is_indexed(page, site):
    page.goto((site / "search.html").as_uri() + "?q=gelu")
    assert page.evaluate(FIRST)
    text = (site / "search-index.js").read_text("utf8").partition(" = ")[2].rstrip().rstrip(";")
    indexed = " ".join(row[4] for row in json.loads(text) if not row[0].startswith("api/"))
    assert "ledger.check(" not in indexed and "import torch" not in indexed and "page.insert(" not in indexed
    assert (site / "_static/search.mjs").stat().st_size < 6000
