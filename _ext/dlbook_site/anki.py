"""The review cards as a deck for Anki, written beside the pages; formulas are TeX that Anki's MathJax sets.

A note is known by its card's name, a deck by its title, so that a later deck updates an earlier one and keeps
what Anki has learnt of the reader.
"""

import hashlib
import html
from pathlib import Path

import genanki
from docutils import nodes

from . import gathered

DECK = "dlbook-cards.apkg"
BOOK = "dlbook"
WRITTEN = 1_790_000_000.0  # seconds; one time for every deck, so that equal cards are equal notes
INLINE = {nodes.emphasis: "i", nodes.strong: "b", nodes.literal: "code", nodes.paragraph: "p"}
BLOCKS = {nodes.bullet_list: "ul", nodes.enumerated_list: "ol", nodes.list_item: "li"}
CSS = ".card { font: 20px/1.5 Georgia, serif; text-align: left; max-width: 34em; margin: 1em auto; }"


def number(text):
    """The number that Anki knows a deck or a model by: always the same for a text.

    >>> number("dlbook"), number("dlbook") == number("other")
    (1818591656, False)
    """
    return (1 << 30) + int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % (1 << 30)


def as_html(node, pictures):
    """A node in the HTML of a note. pictures: a list that gets the addresses of what has to be packed too."""
    if isinstance(node, nodes.Text):
        return html.escape(str(node), quote=False)
    if isinstance(node, nodes.math | nodes.math_block):
        left, right = ("\\(", "\\)") if isinstance(node, nodes.math) else ("\\[", "\\]")
        return left + html.escape(node.astext(), quote=False) + right
    if isinstance(node, nodes.image):
        pictures.append(node["uri"])
        return f'<img src="{Path(node["uri"]).name}" alt="{html.escape(node.get("alt", ""))}">'
    inside = "".join(as_html(child, pictures) for child in node.children)
    tag = (INLINE | BLOCKS).get(type(node))
    return f"<{tag}>{inside}</{tag}>" if tag else inside


def model():
    """How a note is shown: the question, and below it the answer."""
    template = {"name": "Card", "qfmt": "{{Question}}", "afmt": '{{FrontSide}}<hr id="answer">{{Answer}}'}
    fields = [{"name": "Question"}, {"name": "Answer"}]
    return genanki.Model(number(f"{BOOK} card"), f"{BOOK} card", fields=fields, templates=[template], css=CSS)


def decks(parts, titles):
    """One deck a chapter, and the pictures of all. parts: of `gathered.by_part`; titles: by page."""
    form, made, pictures = model(), [], []
    for caption, pages in parts:
        for page, cards in pages:
            name = "::".join((BOOK, caption, titles[page]))
            deck = genanki.Deck(number(name), name)
            for card, *sides in cards:
                fields = [as_html(side, pictures) for side in sides]
                deck.add_note(genanki.Note(model=form, fields=fields, guid=genanki.guid_for(BOOK, card)))
            made.append(deck)
    return made, pictures


def write(app, exception):
    """Write the deck after the pages."""
    if exception or app.builder.format != "html":
        return
    titles = {page: title.astext() for page, title in app.env.titles.items()}
    found, pictures = decks(gathered.by_part(app.env, "cards"), titles)
    media = [str(Path(app.srcdir, picture)) for picture in pictures]
    if found:
        genanki.Package(found, media_files=media).write_to_file(Path(app.outdir, DECK), timestamp=WRITTEN)


def connect(app):
    """Listen to Sphinx."""
    app.connect("build-finished", write)
