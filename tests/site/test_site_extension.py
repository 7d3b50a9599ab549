"""The site's own Sphinx extension, part by part, without a browser."""

import doctest
import json
import queue
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from dlbook_site import (
    address,
    assets,
    badges,
    book_map,
    claims,
    definitions,
    docstrings,
    failures,
    folds,
    freshness,
    gathered,
    icons,
    map_wide,
    pages,
    predictions,
    review,
    search,
    sitemap,
)
from docutils import nodes
from sphinx.errors import ConfigError, ExtensionError


@pytest.mark.parametrize(
    "module",
    [address, badges, book_map, claims, definitions, docstrings, folds, icons, map_wide, predictions, search],
)
def test_doctests(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("url", ["https://github.com/ada/book", "https://github.com/ada/book/"])
def test_addresses_follow_from_the_repository(url):
    here = address.Repository.parse(url)
    assert (here.url, here.site) == ("https://github.com/ada/book", "https://ada.github.io/book/")
    assert here.binder("notebooks", "chapters/a").endswith(
        "/gh/ada/book/notebooks?urlpath=lab/tree/chapters/a.ipynb"
    )


def test_a_user_page_has_no_folder():
    assert address.Repository.parse("https://github.com/Ada/ada.github.io").site == "https://ada.github.io/"


@pytest.mark.parametrize(
    "url", ["", None, "https://github.com/ada", "git@github.com:ada/book", "https://gitlab.com/ada/book"]
)
def test_another_form_of_address_is_an_error(url):
    with pytest.raises(ConfigError, match="OWNER/NAME"):
        address.Repository.parse(url)


def test_derived_addresses_do_not_overwrite():
    config = SimpleNamespace(
        html_theme_options={"repository_url": "https://github.com/ada/book"},
        html_baseurl="https://ada.org/",
        ogp_site_url="",
        ogp_image="",
    )
    address.derive_addresses(None, config)
    assert (config.html_baseurl, config.ogp_site_url, config.ogp_image) == (
        "https://ada.org/",
        "https://ada.org/",
        "https://ada.org/_static/og.png",
    )


FIXED = [
    ('<script src="_static/scripts/fontawesome.js?digest=1"></script>', ""),
    ('<img src="../_images/a.svg" alt="a">', '<img loading="lazy" src="../_images/a.svg" alt="a">'),
    ('<div role="list" class="citation-list">', '<div class="citation-list">'),
    (
        '<a class="reference internal" href="a.html">A</a><details open><summary>',
        'aria-label="Sections of A"',
    ),
    ('<section id="solution-content">', "<section>"),
    (
        '<span class="caption-number">Exercise 1.2 </span> (Two limits of f(x) (derive))</p>',
        "Exercise 1.2</span> · Two limits of f(x) · derive</p>",
    ),
    (
        '>Solution to<a href="#b"> Exercise 1.2 (Two limits (derive))</a></p>',
        '>Solution to <a href="#b">Exercise 1.2 · Two limits · derive</a></p>',
    ),
]


@pytest.mark.parametrize(("before", "after"), FIXED)
def test_pages_are_mended_once(before, after):
    once = pages.fix(before)
    assert after in once and once != before
    assert pages.fix(once) == once


def test_a_file_is_copied_only_if_it_differs(tmp_path):
    source, target = tmp_path / "a", tmp_path / "b/a"
    source.write_text("one")
    assets.copy_if_changed(source, target)
    before = target.stat().st_mtime_ns
    assets.copy_if_changed(source, target)
    assert target.stat().st_mtime_ns == before
    source.write_text("two")
    assets.copy_if_changed(source, target)
    assert target.read_text() == "two"


def test_icons_of_pages_are_kept(tmp_path):
    (tmp_path / "a.html").write_text('<i class="fa-solid fa-rocket"></i>')
    names = icons.icons_in(tmp_path.rglob("*.html"))
    assert "fa-rocket" in names and "fa-ghost" not in names and "fa-bars" in names


def test_a_changed_style_sheet_makes_every_page_new(tmp_path):
    (tmp_path / "_static").mkdir()
    style = tmp_path / "_static/custom.css"
    style.write_text("a{}")
    env, app = SimpleNamespace(found_docs={"a", "b"}), SimpleNamespace(srcdir=tmp_path)
    outdated = lambda added: freshness.outdated_by_own_files(app, env, added, set(), set())
    assert outdated({"a", "b"}) == []  # the first build reads all pages anyway
    assert outdated(set()) == []
    style.write_text("b{}")
    assert outdated(set()) == ["a", "b"]
    assert outdated(set()) == []


def rows(path, text):
    """Write a file of claims and read it."""
    path.write_text(text, "utf8")
    return claims.read_claims(path)


def test_claims_are_read_with_their_page(tmp_path):
    entry = {"number": 1, "rows": [{"kind": "verified", "name": "two"}]}
    ledger = {"chapters": [{"page": "chapters/a", "chapter": "a", "entries": [entry]}]}
    assert rows(tmp_path / "c.json", json.dumps(ledger)) == [entry | {"page": "chapters/a"}]


def test_a_ledger_says_what_its_fold_holds():
    table = (
        '<tr id="ledger-1" class="ledger-verified" data-more><tr class="ledger-single">'
        '<tr id="ledger-1-1" class="ledger-verified" data-inserts="a-x"><tr id="ledger-1-2" class="ledger-verified">'
        '<tr id="ledger-2" class="ledger-cited" data-inserts="a-y a-x">'
    )
    assert badges.told(table) == "1 checked, 1 quoted; 3 rows in all"
    assert badges.rows_by_name(table) == {
        "a-x": [("ledger-1-1", "verified"), ("ledger-2", "cited")],
        "a-y": [("ledger-2", "cited")],
    }


@pytest.mark.parametrize("text", ["", "[]", '{"chapters": 3}', '{"chapters": [{"entries": []}, {}]}'])
def test_a_wrong_file_of_claims_says_how_to_mend_it(tmp_path, text):
    with pytest.raises(ExtensionError, match="Write them again"):
        rows(tmp_path / "c.json", text)


def test_changed_claims_make_their_page_new(tmp_path):
    file = tmp_path / "claims.json"
    app = SimpleNamespace(srcdir=tmp_path, config=SimpleNamespace(claims_file="claims.json"))
    env = SimpleNamespace(metadata={"list": {claims.HASH: claims.content_hash(file)}, "other": {}})
    assert claims.outdated_by_claims(app, env, set(), set(), set()) == []
    file.write_text("{}")
    assert claims.outdated_by_claims(app, env, set(), set(), set()) == ["list"]


def test_files_are_short():
    folder = Path(address.__file__).parent
    assert all(len(file.read_text("utf8").splitlines()) < 300 for file in folder.glob("*.py"))


@pytest.mark.parametrize("written, listed", [(["b.html"], ["a.html", "b.html", "search.html"]), ([], [])])
def test_a_build_of_one_page_lists_all_pages(written, listed):
    links = queue.Queue()
    for link in [*written, "search.html"] if written else []:
        links.put((link, None))
    app = SimpleNamespace(
        builder=SimpleNamespace(format="html"),
        sitemap_links=links,
        env=SimpleNamespace(found_docs={"b", "a"}),
    )
    sitemap.list_every_page(app, None)
    assert [links.get_nowait()[0] for _ in range(links.qsize())] == listed


def test_the_box_of_a_failed_chapter_stands_below_its_title():
    failure = {
        "where": "code cell 2 of 3",
        "error": "ValueError: no",
        "alone": "python scripts/execute.py a.md",
    }
    text = failures.with_box("---\nx: 1\n---\n# A title\n\n# no second box\n", failure)
    assert text.startswith("---\nx: 1\n---\n# A title\n\n`````{admonition}") and text.count("admonition") == 1
    assert "Code cell 2 of 3 stopped" in text and "ValueError: no" in text and "execute.py a.md" in text


def asked(choices=3, blank="", name="predict-a-b", right="2"):
    """A section with the box of a prediction and its answer; right: None for no answer."""
    question = nodes.paragraph("", "", nodes.Text(f"Which? {blank}"))
    box = nodes.admonition(
        "", question, classes=["predict"], names=[name] if name else [], ids=["predict-a-b"]
    )
    if choices:
        items = [nodes.list_item("", nodes.paragraph("", f"choice {i}")) for i in range(choices)]
        box += nodes.enumerated_list("", *items)
    answer = nodes.container("", nodes.paragraph("", "So."))
    if right is not None:
        answer["answer"] = right
    nodes.section("", box, answer)
    return box


def test_a_prediction_holds_its_box_and_its_answer():
    made = predictions.prediction(asked())
    assert (made["name"], made["right"], made["low"]) == ("predict-a-b", "2", "")
    assert [choice["number"] for choice in made.findall(predictions.Choice)] == [1, 2, 3]
    assert made[1]["answer"] == "2" and len(made.parent) == 1
    number = predictions.prediction(asked(0, "____ layers", right="9 to 13"))
    assert (number["right"], number["low"], number["high"]) == ("", "9", "13")
    assert predictions.question(number[0]).astext() == "Which? "


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"right": "4"}, "the number of one of 3 choices"),
        ({"right": "two"}, "the number of one of 3 choices"),
        ({"right": None}, "an {answer} after the box"),
        ({"name": ""}, "a name of the box"),
        ({"choices": 0}, "a numbered list of choices or a blank"),
        ({"choices": 0, "blank": "____", "right": "many"}, "a number, or `low to high`"),
        ({"choices": 0, "blank": "____", "right": "3 to 2"}, "a number, or `low to high`"),
    ],
)
def test_a_prediction_that_cannot_be_answered_is_told(wrong, told):
    with pytest.raises(ValueError, match=f"expected {re.escape(told)}"):
        predictions.prediction(asked(**wrong))


def test_what_is_gathered_follows_the_contents_and_makes_its_page_new():
    tree = SimpleNamespace(caption="Part", files=lambda: ["b", "a", "none"])
    env = SimpleNamespace(metadata={"list": {}, "a": {}}, external_site_map=SimpleNamespace())
    env.external_site_map.root = SimpleNamespace(subtrees=[tree])
    gathered.mark(env, "list", "predictions")
    gathered.keep(env, "predictions", "a", [("x", nodes.paragraph("", "old"))])
    gathered.keep(env, "predictions", "b", [("y", nodes.paragraph("", "other"))])
    assert [page for page, _ in gathered.by_part(env, "predictions")[0][1]] == ["b", "a"]
    assert gathered.changed(None, env) == ["list"] and gathered.changed(None, env) == []
    gathered.keep(env, "predictions", "a", [("x", nodes.paragraph("", "new"))])
    assert gathered.changed(None, env) == ["list"]
    gathered.purge(None, env, "a")
    assert gathered.changed(None, env) == ["list"] and "a" not in gathered.kept(env, "predictions")


def test_the_cards_of_a_page_stand_together_and_are_kept(monkeypatch):
    cards = [review.Card("", review.Question("", f"{i}?"), review.Reply(""), name=f"card-{i}") for i in "ab"]
    section = nodes.section("", cards[0], nodes.comment("", "between"), cards[1])
    document = SimpleNamespace(
        findall=section.findall, settings=SimpleNamespace(env=None), language_code="en"
    )
    transform = review.GroupCards.__new__(review.GroupCards)
    transform.document = document
    document.settings.env = SimpleNamespace(docname="chapters/a")
    transform.apply()
    assert [child["name"] for child in section[0]] == ["card-a", "card-b"]
    assert [name for name, *_ in gathered.kept(document.settings.env, "cards")["chapters/a"]] == [
        "card-a",
        "card-b",
    ]
