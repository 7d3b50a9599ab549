"""The map of the book, `{book-map}`, and a way through it, `{way}`, from what the chapters' heads say.

A chapter's head ("At a glance") links to what one reads before it. The map draws an arrow for each of these
links; a way is a list of chapters with the hours that each takes.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from . import gathered
from .book_map import drawing, halves
from .rendering import link_to
from .run_time import FILE

STORE = "heads"
WORDS_A_MINUTE = 130  # a text with formulas and code is read at about half the pace of a story
MINUTES_AN_EXERCISE = 20


@dataclass(frozen=True)
class Head:
    """What the map knows of a chapter. needs: pages that its head links to; words, exercises: how many."""

    page: str
    title: str
    needs: tuple
    words: int
    exercises: int

    def hours(self, run_seconds):
        """Hours to read, to run and to solve, rounded to a half.

        >>> Head("a", "A", (), words=4000, exercises=6).hours(run_seconds=60)
        2.5
        """
        minutes = self.words / WORDS_A_MINUTE + self.exercises * MINUTES_AN_EXERCISE + run_seconds / 60
        return max(0.5, round(minutes / 30) / 2)


class BookMap(SphinxDirective):
    """The place of the map."""

    def run(self):
        gathered.mark(self.env, self.env.docname, STORE)
        return [nodes.container("", classes=["dlbook-map"])]


class Way(SphinxDirective):
    """A way: its chapters, one a line, as paths from the root of the book."""

    has_content = True

    def run(self):
        gathered.mark(self.env, self.env.docname, STORE)
        way = nodes.container("", classes=["dlbook-way"])
        way["pages"] = [line.strip() for line in self.content if line.strip()]
        for page in way["pages"]:
            if page not in self.env.found_docs:
                raise self.error(f"expected chapters of the book, got {page!r}; see _toc.yml")
        return [way]


def head_of(env, doctree):
    """The head of the page that was read, or None where it has none."""
    boxes = doctree.findall(nodes.admonition)
    glance = next((box for box in boxes if "glance" in box["classes"]), None)
    if glance is None:
        return None
    links = next(glance.findall(nodes.list_item)).findall(addnodes.pending_xref)
    needs = [link["reftarget"] for link in links if link["reftarget"] in env.found_docs]
    words = sum(len(text.split()) for text in doctree.findall(nodes.Text) if not is_code(text))
    exercises = sum(type(node).__name__.startswith("exercise_title") for node in doctree.findall())
    title = next(doctree.findall(nodes.title)).astext()
    return Head(env.docname, title, tuple(dict.fromkeys(needs)), words, exercises)


def is_code(text):
    """Whether a piece of text stands in a listing, an output or a comment."""
    return isinstance(text.parent, nodes.literal_block | nodes.math_block | nodes.raw | nodes.comment)


def collect(app, doctree):
    """Keep the head of a page that was read."""
    head = head_of(app.env, doctree)
    gathered.keep(app.env, STORE, app.env.docname, [(head,)] if head else [])


def heads(env):
    """All heads in the book's order: page -> head."""
    return {head.page: head for _, found in by_part(env) for head in found}


def by_part(env):
    """The heads of each part of the book that has some: [(name, heads)]."""
    return [(name, [found[0][0] for _, found in pages]) for name, pages in gathered.by_part(env, STORE)]


def run_seconds(env):
    """Page -> processor seconds of its recorded run."""
    file = Path(env.srcdir, FILE)
    known = json.loads(file.read_text("utf8"))["chapters"] if file.is_file() else {}
    return {page: record["processor_seconds"] for page, record in known.items()}


def hours(env):
    """Page -> hours of every chapter with a head."""
    seconds = run_seconds(env)
    return {page: head.hours(seconds.get(page, 0)) for page, head in heads(env).items()}


def in_hours(hours):
    """A number of hours in words.

    >>> in_hours(1.0), in_hours(2.5)
    ('1 hour', '2½ hours')
    """
    return f"{halves(hours)} hour{'s' * (hours > 1)}"


def fill(app, doctree, docname):
    """Draw the map and write the ways of a page that has them."""
    if not gathered.gathers(app.env, docname, STORE):
        return
    times = hours(app.env)
    for place in list(doctree.findall(nodes.container)):
        if "dlbook-map" in place["classes"]:
            address = lambda page: app.builder.get_relative_uri(docname, page)
            place += nodes.raw("", drawing(by_part(app.env), times, address), format="html")
        if "dlbook-way" in place["classes"]:
            place += way(app, docname, place["pages"], times)


def way(app, docname, pages, hours):
    """A numbered list of chapters, and the hours of all."""
    rows = []
    for page in pages:
        link = link_to(app.builder, docname, page, words=app.env.titles[page].astext())
        time = f" · {in_hours(hours[page])}" if page in hours else ""
        rows.append(nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(time)), page=page))
    total = in_hours(sum(hours.get(page, 0) for page in pages))
    return [nodes.enumerated_list("", *rows), nodes.paragraph("", f"Together {total}.")]


def connect(app):
    """Register the directives."""
    app.add_directive("book-map", BookMap)
    app.add_directive("way", Way)
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", fill, priority=400)
