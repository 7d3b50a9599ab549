"""The reference of the package: every public name has its place, says who uses it, and the search finds it.

Seeded faults, tried: modules below the second level are left out; members without a docstring come before others
and hide them; the search leaves functions out; pseudo-code runs together into a paragraph.
"""

import importlib
import inspect
import json

import pytest
from dlbook_site import api
from sphinx.util.inventory import InventoryFile

from tests.site.conftest import ROOT
from tests.site.site_html import soup

pytestmark = pytest.mark.browser


def public(module):
    """Names of the functions and classes that a module defines for others."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    own = [getattr(module, name) for name in names]
    return {
        f"{module.__name__}.{thing.__qualname__}"
        for thing in own
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__ == module.__name__
    }


@pytest.fixture(scope="module")
def places(site):
    """Name -> address, of all that the reference describes."""
    with (site / "objects.inv").open("rb") as file:
        found = InventoryFile.load(file, "", lambda base, uri: uri)
    return {name: entry[2] for kind in found if kind.startswith("py:") for name, entry in found[kind].items()}


def test_every_public_name_has_its_place(places):
    modules = [importlib.import_module(name) for name in api.modules(ROOT) if name != "dlbook.cli.__main__"]
    wanted = set().union(*map(public, modules))
    assert len(modules) > 200 and len(wanted) > 700
    assert not sorted(name for name in wanted if name not in places)


def test_a_method_says_its_paper_its_errors_and_who_uses_it(site):
    page = soup(site, "api/dlbook.semi.fixmatch.html")
    assert page.select_one("article a[href$='chapters/semi/fixmatch.html']")
    blocks = [block.get_text() for block in page.select("article pre")]
    assert any("for b = 1..mu B:\n    q_b" in block for block in blocks), "the pseudo-code keeps its lines"
    assert any("class FixMatch(Method)" in block for block in blocks), "the source stands on the page"
    assert page.find("p", string="Departures from the paper")
    links = [link["href"] for link in page.select("article a.external")]
    assert any("/blob/main/dlbook/semi/fixmatch.py#L" in link for link in links)


def test_the_index_leads_to_every_module(site):
    links = [link["href"] for link in soup(site, "chapters/front/api.html").select("article li a")]
    assert {link.rpartition("/")[2] for link in links} == {f"{name}.html" for name in api.modules(ROOT)}


def test_the_search_finds_a_class_by_its_name(site):
    text = (site / "search-index.js").read_text("utf8").partition(" = ")[2].rstrip().rstrip(";")
    rows = {(page, heading): place for page, place, _, heading, *_ in json.loads(text)}
    assert rows["api/dlbook.semi.fixmatch.html", "FixMatch"] == "dlbook.semi.fixmatch.FixMatch"
    assert ("api/dlbook.nn.initialisation.html", "FixMatch") not in rows
