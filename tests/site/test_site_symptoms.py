"""The page of symptoms: every bug of every clinic, under each symptom that its first paragraph names.

No symptom is without a bug, and no list is too long to look through.

Seeded faults, tried: the first of several symptoms alone is kept; the link leads to the page, not to the bug;
symptoms that no chapter has yet stay.
"""

import re
from pathlib import Path

import pytest

from tests.site.site_html import soup

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
BUG = re.compile(r"^### (?P<title>.+)\n(?:(?!^##).*\n)*?\*\*Symptom: (?P<seen>[^*]+)\.\*\*", re.M)
LONGEST = 24  # bugs under one symptom; what has more is split by cause
STRAIGHT = str.maketrans("“”‘’", "\"\"''")  # quotation marks as the sources have them
CODE = str.maketrans("", "", "`")  # the marks of code, which the page shows as its letters' shape


def told():
    """(symptom, title of the bug) of the chapters' sources."""
    bugs = [bug for page in ROOT.glob("chapters/*/*.md") for bug in BUG.finditer(page.read_text("utf8"))]
    return {
        (form.strip(), bug["title"].strip().translate(CODE))
        for bug in bugs
        for form in bug["seen"].split(";")
    }


def test_every_bug_stands_under_what_one_sees(site):
    page = soup(site, "chapters/front/symptoms.html")
    shown, addresses = set(), []
    for section in page.select("section.symptom"):
        form = section.h2.find(string=True).strip().lower()
        links = section.select("li > p:first-child > a")
        assert links, f"nothing stands under {form}"
        shown |= {(form, link.get_text(strip=True).translate(STRAIGHT)) for link in links}
        addresses += [link["href"] for link in links]
    assert len(shown) > 10 and shown == told()
    assert all("#" in address for address in addresses)
    assert len(page.select("#pst-page-navigation-heading-2 ~ nav a, .page-toc a")) == len(
        {f for f, _ in shown}
    )


def test_each_symptom_that_the_page_is_to_have_is_there_and_none_is_too_long(site):
    source = (ROOT / "chapters/front/symptoms.md").read_text("utf8")
    wanted = re.search(r"```\{symptoms\}\n(.*?)\n```", source, re.S)[1].splitlines()
    assert "A resumed run differs" in wanted
    sections = soup(site, "chapters/front/symptoms.html").select("section.symptom")
    assert [section.h2.find(string=True).strip() for section in sections] == wanted
    assert all(1 <= len(section.select("li > p:first-child > a")) <= LONGEST for section in sections)
