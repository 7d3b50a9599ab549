"""The written files: texts for images, descriptions, launch links, leftovers, links, sitemap, one address."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.site.site_html import (
    INDEXES,
    broken_links,
    content_pages,
    leftovers,
    missing_alt,
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


def test_images_have_texts(site, path):
    assert not missing_alt(soup(site, path))


def test_nothing_is_left_of_the_markdown(site, path):
    assert not leftovers(soup(site, path))


def test_page_describes_itself(site, path, here):
    if path in INDEXES:
        pytest.skip("an index has no description")
    assert not poor_metadata(soup(site, path), path, here.site)


def test_launch_links(site, path, here, settings):
    notebook = "kernelspec:" in source_of(path)[:600]
    branch = settings["sphinx"]["config"]["notebook_branch"]
    assert not wrong_launch_links(soup(site, path), path, f"{here.owner}/{here.name}", branch, notebook)


def test_no_foreign_or_dead_scripts(site, path):
    assert not thebe_or_cdn(soup(site, path))


def test_every_link_and_fragment_resolves(site):
    code, report = broken_links(site)
    assert code == 0, report[-4000:]


def test_sitemap_lists_every_page(site, here):
    tree = ElementTree.parse(site / "sitemap.xml")
    listed = {node.text for node in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert {url.removeprefix(here.site) for url in listed} == set(content_pages(site))


def test_titles_differ(site):
    titles = [soup(site, path).title.get_text(strip=True) for path in content_pages(site)]
    assert len(set(titles)) == len(titles)


def test_each_id_is_there_once(site, path):
    ids = [node["id"] for node in soup(site, path).select("article [id]")]
    assert not {name for name in ids if ids.count(name) > 1 and "content" in name}


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
