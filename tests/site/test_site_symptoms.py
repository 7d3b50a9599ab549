"""The page of symptoms: every bug of every clinic, under each symptom that its first paragraph names.

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
