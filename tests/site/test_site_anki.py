"""The deck for Anki, opened as what it is, a zip with a database; and the scheduler's file, which is the published one.

Seeded faults, tried: numbers of decks from Python's own hash, which differ from run to run; formulas with dollars; a card
lost on the way.
"""

import doctest
import hashlib
import re
import sqlite3
import zipfile
from pathlib import Path

import pytest
from dlbook_site import anki
from docutils import nodes

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "_static" / "vendor" / "ts-fsrs"


def opened(deck, folder):
    """The notes, [(guid, fields)], and the names of the decks, of an .apkg file."""
    with zipfile.ZipFile(deck) as found:
        found.extract("collection.anki2", folder)
    with sqlite3.connect(folder / "collection.anki2") as base:
        (names,) = base.execute("select decks from col").fetchone()
        notes = base.execute("select guid, flds from notes order by id").fetchall()
        (cards,) = base.execute("select count(*) from cards").fetchone()
    assert cards == len(notes)
    return notes, set(re.findall(r'"name": "([^"]+)"', names))


def book(answer=None):
    """A part with one chapter of two cards."""
    words = nodes.paragraph(
        "", "", nodes.Text("It is "), nodes.math("", "a < b"), nodes.Text(" & "), nodes.literal("", "x")
    )
    cards = [
        ("card-a-one", nodes.inline("", "Which?"), nodes.container("", answer or words)),
        ("card-a-two", nodes.inline("", "Why?"), words),
    ]
    return [("Part", [("a", cards)])]


def test_the_numbers_of_anki_are_always_the_same():
    assert doctest.testmod(anki).attempted and not doctest.testmod(anki).failed


def test_a_deck_holds_each_card_as_anki_reads_it(tmp_path):
    decks, pictures = anki.decks(book(), {"a": "Chapter"})
    anki.genanki.Package(decks).write_to_file(tmp_path / "deck.apkg", timestamp=anki.WRITTEN)
    notes, names = opened(tmp_path / "deck.apkg", tmp_path)
    assert "dlbook::Part::Chapter" in names and not pictures
    assert [fields.split("\x1f") for _, fields in notes] == [
        ["Which?", "<p>It is \\(a &lt; b\\) &amp; <code>x</code></p>"],
        ["Why?", "<p>It is \\(a &lt; b\\) &amp; <code>x</code></p>"],
    ]
    again, _ = anki.decks(book(nodes.paragraph("", "Other words.")), {"a": "Chapter"})
    assert [note.guid for note in again[0].notes] == [guid for guid, _ in notes]
    assert again[0].deck_id == decks[0].deck_id


def test_a_picture_goes_into_the_deck():
    decks, pictures = anki.decks(book(nodes.image("", uri="data/a.png", alt="A line")), {"a": "Chapter"})
    assert pictures == ["data/a.png"] and decks[0].notes[0].fields[1] == '<img src="a.png" alt="A line">'


def test_the_scheduler_is_the_published_file():
    rows = re.findall(
        r"\| `([\w.-]+)` \| `[\w./-]+` \| `([0-9a-f]{64})` \|", (VENDOR / "README.md").read_text("utf8")
    )
    assert {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name, _ in rows} == dict(rows)
    assert {file.name for file in VENDOR.iterdir()} == {name for name, _ in rows} | {"README.md"}


@pytest.mark.browser
def test_the_book_s_deck_has_every_card_of_the_page(site, tmp_path):
    page = (site / "chapters/front/review.html").read_text("utf8")
    notes, names = opened(site / anki.DECK, tmp_path)
    count = page.count('class="review-card"')
    assert len(notes) == len({guid for guid, _ in notes}) == count >= 4 * 8
    text = "".join(fields for _, fields in notes)
    assert text.count("\\(") == text.count("\\)") >= 20 and "$" not in text
    assert {name for name in names if name.startswith("dlbook::")} >= {
        "dlbook::Architectures::Residual networks"
    }
