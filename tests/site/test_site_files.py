"""The written files: texts for images, descriptions, launch links, leftovers, links, sitemap, one address."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.site.site_figures import unnumbered, wrong_settings
from tests.site.site_html import (
    INDEXES,
    broken_links,
    content_pages,
    doubled,
    leftovers,
    missing_alt,
    pages,
    poor_metadata,
    soup,
    thebe_or_cdn,
    wrong_launch_links,
)

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def here(settings):
    """The repository of `_config.yml`."""
    from dlbook_site.address import Repository

    return Repository.parse(settings["repository"]["url"])


def source_of(path):
    """Text of the page's source."""
    file = ROOT / path.replace(".html", ".md")
    return file.read_text("utf8") if file.is_file() else ""


def test_a_page_as_it_is_written(site, path, here, settings):
    """Everything that is read off one page, which is parsed once. An index has no description."""
    page, source = soup(site, path), source_of(path)
    branch = settings["sphinx"]["config"]["notebook_branch"]
    notebook = "kernelspec:" in source[:600]
    found = {
        "texts of images": missing_alt(page),
        "left of the Markdown": leftovers(page),
        "description": [] if path in INDEXES else poor_metadata(page, path, here.site),
        "launch links": wrong_launch_links(page, path, f"{here.owner}/{here.name}", branch, notebook),
        "scripts": thebe_or_cdn(page),
        "ids": doubled(page),
        "links that set a figure": wrong_settings(page),
        "numbers of figures": unnumbered(page, path),
    }
    assert not {name: faults for name, faults in found.items() if faults}


def test_no_option_of_a_command_lost_its_two_hyphens(site):
    """A dash straight before a letter was "--" in the source: such a command fails when it is pasted."""
    dash = re.compile(r"(?:^|[\s(>\"'\[])[\u2013\u2014][a-z].{0,30}", re.MULTILINE)
    found = {path: dash.findall(Path(site, path).read_text("utf8")) for path in pages(site)}
    assert not {path: words for path, words in found.items() if words}


def test_every_link_and_fragment_resolves(site):
    code, report = broken_links(site)
    assert code == 0, report[-4000:]


def test_sitemap_lists_every_page(site, here):
    tree = ElementTree.parse(site / "sitemap.xml")
    listed = {node.text for node in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert {url.removeprefix(here.site) for url in listed} == set(content_pages(site))


def test_titles_differ(site):
    texts = [Path(site, path).read_text("utf8") for path in content_pages(site)]
    titles = [re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1].strip() for text in texts]
    assert len(set(titles)) == len(titles)


def test_each_work_is_linked_once_and_names_keep_their_capitals(site):
    works = soup(site, "chapters/front/bibliography.html").select("div.citation")
    assert works and all(len(work.select("a.external")) <= 1 for work in works)
    for link in (link for work in works for link in work.select("a")):
        link.decompose()
    text = " ".join(work.get_text(" ") for work in works)
    assert "MobileNets" in text and "Mobilenets" not in text and "imagenet" not in text


@pytest.mark.parametrize(
    "name",
    ["_static/og.png", "_static/favicon.svg", "_static/logo.svg", "_static/logo-dark.svg", "search-index.js"],
)
def test_file_is_there(site, name):
    assert (site / name).stat().st_size > 100


def test_the_address_stands_in_one_place(settings):
    """The sources of the site name the repository in `_config.yml` once, and nowhere else."""
    address = settings["repository"]["url"].removeprefix("https://")
    sources = [
        ROOT / "_config.yml",
        ROOT / "_toc.yml",
        ROOT / "index.md",
        *(ROOT / "_ext").rglob("*.py"),
        *(ROOT / "_static").glob("*.*"),
        *(ROOT / "chapters").rglob("*.md"),
    ]
    count = {file.name: file.read_bytes().count(address.encode()) for file in sources}
    assert {name: number for name, number in count.items() if number} == {"_config.yml": 1}
