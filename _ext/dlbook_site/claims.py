"""The directive `{claims}`: every claim of the book, from the ledgers of the executed chapters.

`python -m dlbook.book.claims _build/claims.json` gathers them before the site is built; the page is made new
whenever what that file says changes.
"""

import hashlib
import json
from collections import Counter
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

HASH = "claims_hash"
STATUS = {"verified": "verified", "recorded": "recorded", "cited": "cited"}
COLUMNS = (
    ("Claim", 30),
    ("Predicted", 12),
    ("Measured or reported", 16),
    ("Tolerance", 10),
    ("Source", 14),
    ("Status", 8),
    ("Chapter", 10),
)
EMPTY = "No claims have been gathered yet: run `make book`, which executes the chapters first."


def read_claims(file):
    """The rows of all ledgers, each with its page. Raises ExtensionError if the file is no list of ledgers.

    file: JSON, `{"chapters": [{"page": docname, "rows": [{"kind", "name", "predicted", "measured", ...}]}]}`.
    """
    try:
        chapters = json.loads(Path(file).read_text("utf8"))["chapters"]
        return [{**row, "page": chapter["page"]} for chapter in chapters for row in chapter["rows"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ExtensionError(
            f"{file}: expected the claims that `python -m dlbook.book.claims` writes, got "
            f"{error!r}. Write them again."
        ) from error


def summary(rows):
    """One sentence: how many claims of each kind.

    >>> summary([{"kind": "verified", "page": "a"}, {"kind": "cited", "page": "b"}])
    '2 claims in 2 chapters: 1 verified, 0 recorded, 1 cited.'
    """
    kinds = Counter(row["kind"] for row in rows)
    chapters = len({row["page"] for row in rows})
    parts = ", ".join(f"{kinds[kind]} {word}" for kind, word in STATUS.items())
    return f"{len(rows)} claims in {chapters} chapter{'s' * (chapters != 1)}: {parts}."


class Claims(SphinxDirective):
    """A sentence that counts the claims, and a table of them; the page's script adds the filter."""

    def run(self):
        file = Path(self.env.srcdir, self.config.claims_file)
        self.env.metadata[self.env.docname][HASH] = content_hash(file)
        rows = read_claims(file) if file.is_file() else []
        if not rows:
            return [nodes.paragraph("", *self.inline(EMPTY), classes=["claims-summary"])]
        self.env.metadata[self.env.docname]["claims"] = True
        return [nodes.paragraph("", summary(rows), classes=["claims-summary"]), self.table(rows)]

    def inline(self, text):
        """Markdown of one line as nodes."""
        return self.state.inline_text(text, self.lineno)[0]

    def table(self, rows):
        """The table of all rows, as any other table of the book."""
        group = nodes.tgroup(cols=len(COLUMNS))
        group += [nodes.colspec(colwidth=width) for _, width in COLUMNS]
        group += nodes.thead("", self.row([nodes.Text(name) for name, _ in COLUMNS]))
        group += nodes.tbody("", *(self.row(self.cells(row)) for row in rows))
        return nodes.table("", group, classes=["dlbook-claims"])

    def row(self, cells):
        """A table row of inline nodes, or lists of them."""
        made = nodes.row()
        for cell in cells:
            inline = cell if isinstance(cell, list) else [cell]
            made += nodes.entry("", nodes.paragraph("", "", *inline))
        return made

    def cells(self, row):
        """One claim's cells, in the order of COLUMNS."""
        texts = [nodes.Text(row.get(key, "")) for key in ("name", "predicted", "measured", "tolerance")]
        source = [nodes.Text(row.get("source", ""))]
        if row.get("citation"):
            source = [*self.inline(f"{{cite:t}}`{row['citation']}`"), nodes.Text(" " + row.get("source", ""))]
        status = nodes.inline("", STATUS[row["kind"]], classes=["claim-status", f"claim-{row['kind']}"])
        return [*texts, source, status, self.link(row["page"])]

    def link(self, page):
        """A link to the chapter, under its title; the page's name alone if the book has no such page."""
        if page not in self.env.found_docs:
            return nodes.Text(page)
        return addnodes.pending_xref(
            "",
            nodes.inline("", page),
            refdomain="std",
            reftype="doc",
            refexplicit=False,
            reftarget=f"/{page}",
            refdoc=self.env.docname,
            refwarn=True,
        )


def content_hash(file):
    """SHA-256 of a file, or "" where there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def outdated_by_claims(app, env, added, changed, removed):
    """The pages that list other claims than the file now holds."""
    now = content_hash(Path(app.srcdir, app.config.claims_file))
    return [page for page, metadata in env.metadata.items() if metadata.get(HASH, now) != now]


def add_filter(app, pagename, templatename, context, doctree):
    """Load the filter on the page that lists the claims, and nowhere else."""
    if app.env.metadata.get(pagename, {}).get("claims"):
        app.add_js_file("claims.mjs", defer="defer")


def connect(app):
    """Register the directive."""
    app.add_directive("claims", Claims)
    app.connect("env-get-outdated", outdated_by_claims)
    app.connect("html-page-context", add_filter)
