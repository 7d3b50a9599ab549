"""Every check of the pages, shown a page with the fault that it is for: it has to find that one, and on a
good page none.
"""

import pytest

from tests.site.site_figures import unnumbered, wrong_settings
from tests.site.site_html import (
    broken_links,
    doubled,
    leftovers,
    missing_alt,
    poor_metadata,
    soup,
    thebe_or_cdn,
    wrong_launch_links,
)
from tests.site.site_server import Server
from tests.site.site_visit import visit

pytestmark = pytest.mark.browser

HERE = "https://ada.github.io/book/"
DESCRIPTION = "A page that shows what a good page is, in a sentence of sixty characters."
NOTEBOOK = "https://colab.research.google.com/github/ada/book/blob/notebooks/good.ipynb"
LAB = "https://mybinder.org/v2/gh/ada/book/notebooks?urlpath=lab/tree/good.ipynb"
GOOD = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Good</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><link rel="canonical" href="{HERE}good.html">
<meta name="description" content="{DESCRIPTION}"><meta property="og:title" content="Good"><meta property="og:site_name" content="Book">
<meta property="og:description" content="{DESCRIPTION}"><meta property="og:url" content="{HERE}good.html">
<meta property="og:image" content="{HERE}_static/og.png">
<script>document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";</script>
</head><body><header class="header-article"><a href="{NOTEBOOK}">Colab</a> <a href="{LAB}">Binder</a></header>
<main><article><h1 id="good">Good</h1><p>Text with <a href="#good">a link</a>.</p>BODY</article></main></body></html>"""

# name of the check in a visit, and what makes it speak
LIVE = {
    "console": "<script>console.error('something broke')</script>",
    "console-uncaught": "<script>setTimeout(() => { throw new Error('uncaught') })</script>",
    "foreign": '<img alt="A pixel" src="http://192.0.2.1/pixel.png">',
    "missing": '<img alt="A chart" src="lost.png">',
    "math": '<span class="math">\\(x\\)</span>',
    "math-error": '<span class="math"><mjx-container><mjx-merror '
    'data-mjx-error="Undefined">x</mjx-merror></mjx-container></span>',
    "width": '<div style="width: 2000px">wide</div>',
    "theme": "<script>document.documentElement.dataset.theme = 'sepia'</script>",
    "weight": "<p>" + "heavy " * 20 + "</p>",
    "axe": '<p style="color: #bbb; background: #fff">pale</p>',
    "captions": '<div tabindex="0" style="overflow-x: auto; width: 300px"><table style="width: 900px"><caption>'
    + "long " * 60
    + "</caption></table></div>",
    "axe-button": "<button></button>",
    "axe-narrow": "<style>b { color: #bbb } @media (min-width: 600px) { b { color: #000 } }</style><b>pale</b>",
    "width-narrow": '<div style="width: 600px">wide for a telephone</div>',
}
FOUND_BY = {  # where it is not the first word
    "width": "width 1400",
    "width-narrow": "width 400",
    "captions": "captions 400",
}
STATE = '{"state": {"m": {"state": {"spec": {"parameters": {"rate": [1, 2]}}}}}}'
FIGURE = (
    f'<script type="application/vnd.jupyter.widget-state+json">{STATE}</script><figure id="fig-a">'
    '<script type="application/vnd.jupyter.widget-view+json">{"model_id": "m"}</script>'
    "<figcaption>Figure 1 The rate</figcaption></figure>"
)
FILES = {
    "no alt": (missing_alt, '<img src="_images/a.png">'),
    "alt is a file": (missing_alt, '<img src="a.png" alt="_images/0f3c.png">'),
    "alt is a hash": (missing_alt, '<img src="a.png" alt="5d96eb695fafa59a98b7db725fd88682.svg">'),
    "role": (leftovers, "<p>see {numref}`fig-1`</p>"),
    "fence": (leftovers, "<p>```{note}</p>"),
    "colons": (leftovers, "<p>:::{note}</p>"),
    "remark": (leftovers, "<p>costs 3.5 of Adam. % number: exact, 5 * 64 / 128</p>"),
    "option": (leftovers, "<p>:label: eq-1</p>"),
    "message": (leftovers, '<div class="system-message">Unknown directive type</div>'),
    "id twice": (doubled, '<p id="content-a">a</p><p id="content-a">b</p>'),
    "no such figure": (wrong_settings, '<a href="#fig-none" data-set="rate=1">set</a>'),
    "no such value": (wrong_settings, FIGURE + '<a href="#fig-a" data-set="rate=3">set</a>'),
    "no number": (lambda page: unnumbered(page, "good.html"), FIGURE.replace("Figure 1", "A figure")),
    "no caption": (lambda page: unnumbered(page, "good.html"), FIGURE.replace("figure", "div")),
    "cdn": (thebe_or_cdn, '<script src="https://cdn.example.org/x.js"></script>'),
    "thebe": (thebe_or_cdn, '<script src="_static/sphinx-thebe.js"></script>'),
}
META = {
    "TeX": ("shows what", "shows $\\\\alpha$ what"),
    "no description": ('name="description"', 'name="nothing"'),
    "other site": (f"{HERE}good.html", "https://eve.example/good.html"),
    "no picture": ("_static/og.png", ""),
    "no title": ("<title>Good</title>", "<title></title>"),
}
LAUNCH = {
    "branch": ("blob/notebooks", "blob/main"),
    "source": ("good.ipynb", "good.md"),
    "interface": ("lab/tree", "tree"),
    "lost": (f'<a href="{LAB}">Binder</a>', ""),
}


@pytest.fixture
def write(tmp_path):
    """Write `good.html` with a body or a replacement; returns the folder."""

    def write(body="", old="", new=""):
        text = GOOD.replace("BODY", body)
        assert not old or old in text
        (tmp_path / "good.html").write_text(text.replace(old, new) if old else text, "utf8")
        return tmp_path

    return write


def look(browser, folder, **how):
    """The faults that a visit of `good.html` finds, by check."""
    with Server(folder) as server:
        found = visit(browser, server.address, "good.html", **how)
    return {check for check, faults in found.faults.items() if faults}


@pytest.mark.parametrize(("axe_width", "scheme"), [(1400, "light"), (400, "dark")])
def test_a_good_page_passes_every_visit(browser, write, axe_width, scheme):
    assert look(browser, write(), axe_width=axe_width, scheme=scheme) == set()


@pytest.mark.parametrize("fault", LIVE)
def test_a_visit_finds(browser, write, fault):
    how = {"budget": 100} if fault == "weight" else {}
    how |= {"axe_width": 400} if fault == "axe-narrow" else {}
    assert FOUND_BY.get(fault, fault.split("-")[0]) in look(browser, write(LIVE[fault]), **how)


def test_a_good_page_passes_every_check_of_files(write):
    good = (
        '<img src="a.svg" alt="Two curves that cross">' + FIGURE + '<a href="#fig-a" data-set="rate=2">2</a>'
    )
    page = soup(write(good), "good.html")
    assert not missing_alt(page) + thebe_or_cdn(page) + leftovers(page) + doubled(page)
    assert not wrong_settings(page) + unnumbered(page, "good.html")
    assert not poor_metadata(page, "good.html", HERE)
    assert not wrong_launch_links(page, "good.html", "ada/book", "notebooks", notebook=True)


@pytest.mark.parametrize("fault", FILES)
def test_a_check_of_files_finds(write, fault):
    check, body = FILES[fault]
    assert check(soup(write(body), "good.html"))


@pytest.mark.parametrize("fault", META)
def test_poor_metadata_finds(write, fault):
    assert poor_metadata(soup(write("", *META[fault]), "good.html"), "good.html", HERE)


@pytest.mark.parametrize("fault", LAUNCH)
def test_wrong_launch_links_finds(write, fault):
    page = soup(write("", *LAUNCH[fault]), "good.html")
    assert wrong_launch_links(page, "good.html", "ada/book", "notebooks", notebook=True)


def test_a_launch_link_on_a_page_that_is_no_notebook(write):
    assert wrong_launch_links(
        soup(write(), "good.html"), "good.html", "ada/book", "notebooks", notebook=False
    )


@pytest.mark.parametrize("link", ["lost.html", "#lost", "good.html#lost"])
def test_a_broken_link_is_found(write, link):
    assert broken_links(write())[0] == 0
    code, report = broken_links(write(f'<a href="{link}">link</a>'))
    assert code != 0 and "lost" in report
