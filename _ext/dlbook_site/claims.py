"""The directive `{claims}`: every claim of the book, from the ledgers of the executed chapters.

`python scripts/claims.py _build/claims.json` gathers them before the site is built; the page is made new
whenever what that file says changes. What could have failed stands first, then equalities, recorded runs and
what papers report, each in the book's order. The claims of a chapter are behind one line: there are
thousands, and each is a link at which the keyboard stops. Rows that one loop made are one row, which opens.
"""

import hashlib
import json
from collections import Counter
from itertools import groupby
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from .folds import Fold
from .rendering import link_to

HASH = "claims_hash"
STATUS = {"verified": "verified", "recorded": "recorded", "cited": "cited"}
COLUMNS = {"name": 36, "predicted": 15, "measured": 18, "tolerance": 14, "source": 17}
HEADS = {"name": "Claim", "tolerance": "Margin"}
SECTIONS = {  # section -> title, what it is, the columns that it has no use for
    "claim": (
        "What could have failed",
        "Predictions and bounds: nature, or the random seeds, could have said no.",
        (),
    ),
    "equality": (
        "What has to be equal",
        "A count by formula and by code, our code and an independent one: equal up to rounding.",
        (),
    ),
    "recorded": (
        "What a larger run gave",
        "Recorded on the machine and the day that the source names.",
        ("predicted", "tolerance"),
    ),
    "cited": ("What papers report", "Not run here.", ("predicted", "tolerance")),
}
EMPTY = "No claims have been gathered yet: run `make book`, which executes the chapters first."


def read_claims(file):
    """The entries of all ledgers, each with its page; ExtensionError if the file is no list of ledgers.

    file: JSON as `scripts/claims.py` describes it.
    """
    try:
        chapters = json.loads(Path(file).read_text("utf8"))["chapters"]
        return [{**entry, "page": chapter["page"]} for chapter in chapters for entry in chapter["entries"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ExtensionError(
            f"{file}: expected the claims that `python scripts/claims.py` writes, got "
            f"{error!r}. Write them again."
        ) from error


def summary(entries):
    """One sentence: how many claims of each kind.

    >>> rows = [{"kind": "verified"}, {"kind": "cited"}]
    >>> summary([{"page": "a", "rows": rows}, {"page": "b", "rows": rows[:1]}])
    '3 claims in 2 chapters: 2 verified, 0 recorded, 1 cited.'
    """
    kinds = Counter(row["kind"] for entry in entries for row in entry["rows"])
    chapters = len({entry["page"] for entry in entries})
    parts = ", ".join(f"{kinds[kind]} {word}" for kind, word in STATUS.items())
    return f"{kinds.total():,} claims in {chapters} chapter{'s' * (chapters != 1)}: {parts}."


class Claims(SphinxDirective):
    """A sentence that counts the claims, and a table for each kind; the page's script adds the filter."""

    def run(self):
        file = Path(self.env.srcdir, self.config.claims_file)
        self.env.metadata[self.env.docname][HASH] = content_hash(file)
        entries = read_claims(file) if file.is_file() else []
        if not entries:
            return [nodes.paragraph("", *self.inline(EMPTY), classes=["claims-summary"])]
        self.env.metadata[self.env.docname]["claims"] = True
        kinds = {name: [entry for entry in entries if entry["section"] == name] for name in SECTIONS}
        parts = [self.section(name, found) for name, found in kinds.items() if found]
        return [nodes.paragraph("", summary(entries), classes=["claims-summary"]), *parts]

    def inline(self, text):
        """Markdown of one line as nodes."""
        return self.state.inline_text(text, self.lineno)[0]

    def section(self, name, entries):
        """All claims of one kind: a heading, what they are, and a folded table for each chapter."""
        title, words, left_out = SECTIONS[name]
        columns = [column for column in COLUMNS if column not in left_out]
        section = nodes.section(
            "", nodes.title("", title), nodes.paragraph("", words), ids=[f"claims-{name}"]
        )
        self.state.document.note_implicit_target(section, section)
        for page, found in groupby(entries, lambda entry: entry["page"]):
            section += self.chapter(name, page, list(found), columns)
        return section

    def chapter(self, section, page, entries, columns):
        """The table of a chapter's claims of one kind, folded; `name_chapters` puts its title on the line."""
        many = sum(len(entry["rows"]) for entry in entries)
        words = f"{many} claim{'s' * (many != 1)}"
        fold = Fold(label=page, words=words, classes=["claims-chapter"], page=page)
        heads = [nodes.Text(self.head(column, section)) for column in columns]
        rows = [row for entry in entries for row in self.rows(entry, columns)]
        fold += self.table(columns, rows, nodes.thead("", self.row(heads)))
        return fold

    def head(self, column, section):
        """What stands above a column."""
        told = {"recorded": "Result", "cited": "Reported"}
        return told.get(section, "Measured") if column == "measured" else HEADS.get(column, column.title())

    def table(self, columns, rows, *head):
        """A table of the book."""
        group = nodes.tgroup(cols=len(columns))
        group += [nodes.colspec(colwidth=COLUMNS[column]) for column in columns]
        group += [*head, nodes.tbody("", *rows)]
        return nodes.table("", group, classes=["dlbook-claims", "colwidths-given"])

    def rows(self, entry, columns):
        """One row; where it stands for several, a second one, folded, has them all."""
        first = self.row(self.cells(entry["shown"] | {"name": entry["words"]}, entry, columns))
        first["classes"] += ["claims-more"] * (len(entry["rows"]) > 1)
        yield first
        if len(entry["rows"]) > 1:
            rows = [self.row(self.cells(row, entry, columns)) for row in entry["rows"]]
            inside = Fold(label=f"all {len(rows)} of them", words="", classes=["fold-claims"])
            inside += self.table(columns, rows)
            yield nodes.row("", nodes.entry("", inside, morecols=len(columns) - 1), classes=["claims-all"])

    def row(self, cells):
        """A table row of inline nodes, or lists of them."""
        made = nodes.row()
        for cell in cells:
            made += nodes.entry("", nodes.paragraph("", "", *(cell if isinstance(cell, list) else [cell])))
        return made

    def cells(self, row, entry, columns):
        """One claim's cells."""
        made = {column: nodes.Text(row.get(column, "")) for column in columns}
        made["name"] = self.to_row(entry["page"], row.get("place", f"ledger-{entry['number']}"), row["name"])
        if row.get("citation"):
            made["source"] = [
                *self.inline(f"{{cite:t}}`{row['citation']}`"),
                nodes.Text(" " + row.get("source", "")),
            ]
        return [made[column] for column in columns]

    def to_row(self, page, place, words):
        """A link to the row in its chapter; the words alone if the book has no such page."""
        if page not in self.env.found_docs:
            return nodes.Text(words)
        return link_to(self.env.app.builder, self.env.docname, page, place, words)


def content_hash(file):
    """SHA-256 of a file, or "" where there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def outdated_by_claims(app, env, added, changed, removed):
    """The pages that list other claims than the file now holds."""
    now = content_hash(Path(app.srcdir, app.config.claims_file))
    return [page for page, metadata in env.metadata.items() if metadata.get(HASH, now) != now]


def name_chapters(app, doctree, docname):
    """Write the chapters' titles, all of which are known only now, on the lines of what is folded."""
    for fold in doctree.findall(Fold):
        if fold.get("page") in app.env.titles:
            fold["label"] = app.env.titles[fold["page"]].astext()


def add_filter(app, pagename, templatename, context, doctree):
    """Load the filter on the page that lists the claims, and nowhere else."""
    if app.env.metadata.get(pagename, {}).get("claims"):
        app.add_js_file("claims.mjs", defer="defer")


def connect(app):
    """Register the directive."""
    app.add_directive("claims", Claims)
    app.connect("env-get-outdated", outdated_by_claims)
    app.connect("doctree-resolved", name_chapters)
    app.connect("html-page-context", add_filter)
