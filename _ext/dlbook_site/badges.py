"""Marks each number of the prose that stands in the chapter's ledger, and folds the ledger.

The ledger's table says itself which numbers it holds: `data-inserts` of a row has the names that
`{glue:text}` quotes. Behind such a number stands a small mark, a link to the row; `_static/cards.mjs` shows
the row beside it, and on paper it is the row's number. So prose and table cannot disagree, and a notebook
knows nothing of it.

A number without a row was computed by the chapter's run all the same, and nothing was predicted of it. It has
a quieter mark, which leads to the cell that keeps it.
"""

import re
from html import escape

import pybtex.plugin
from docutils import nodes
from myst_nb.core.execute import base
from myst_nb.ext.glue import extract_glue_data
from myst_nb.ext.glue.roles import PasteTextRole
from myst_nb.ext.glue.utils import RetrievalError, retrieve_glue_data
from sphinx.transforms.post_transforms import SphinxPostTransform

from .folds import fold

LEDGER = 'class="dlbook-table dlbook-ledger"'
ROW = re.compile(
    r'<tr id="(?P<place>[\w-]+)" class="ledger-(?P<kind>\w+)"'
    r'(?: data-more| data-inserts="(?P<names>[^"]*)")?>'
)
WORK = re.compile(r'<cite data-work="([\w-]+)">(.*?)</cite>')
DIGIT = re.compile(r"\d")  # a text without one is words only, and words have no mark
CELL = "dlbook_cell"  # where an output's metadata keep the number of its cell
WORDS = {"verified": "checked", "recorded": "recorded", "cited": "quoted"}


class Inserted(PasteTextRole):
    """The role `{glue:text}`, which remembers what it quotes."""

    def run(self):
        """As in myst-nb; the number gets its name."""
        made, messages = super().run()
        name = self.text.partition(":")[0]
        for node in made:
            node["insertion"] = name
            node["cell"] = cell_of(self.document, name)
        return made, messages


def number_cells(notebook, *others):
    """As myst-nb's `extract_glue_data`; what a cell keeps for the prose gets the cell's number."""
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if "scrapbook" in output.get("metadata", {}):
                output["metadata"][CELL] = index
    return extract_glue_data(notebook, *others)


def cell_of(document, name):
    """The number of the cell that keeps `name`, or None where the page does not have it."""
    try:
        return retrieve_glue_data(document, name).metadata.get(CELL)
    except RetrievalError:
        return None


class Badge(nodes.Inline, nodes.TextElement):
    """The mark behind a number. places: ids of its rows; kind: of the first row."""


def visit_badge(self, node):
    """Write the mark: a link to the first row, whose number stands there on paper."""
    first, kind = node["places"][0], node["kind"]
    number = first.split("-")[1]
    self.body.append(
        f'<a class="ledger-badge badge-{kind}" href="#{first}" data-rows="{" ".join(node["places"])}" '
        f'aria-label="{WORDS[kind]}: row {number} of the ledger"><sup>{number}</sup></a>'
    )


def depart_badge(self, node):
    """Nothing is left to write."""


class CellMark(nodes.Inline, nodes.TextElement):
    """The mark behind a number without a row. place: id of its cell."""


def visit_cell_mark(self, node):
    """Write the mark: a link to the cell."""
    self.body.append(
        f'<a class="computed-badge" href="#{node["place"]}" aria-label="computed, not predicted: its cell">'
    )


def depart_cell_mark(self, node):
    """End the link."""
    self.body.append("</a>")


def rows_by_name(table):
    """The rows of a ledger's HTML by the numbers that they hold.

    >>> rows_by_name('<tr id="ledger-2" class="ledger-cited" data-inserts="a-x a-y"><th>')
    {'a-x': [('ledger-2', 'cited')], 'a-y': [('ledger-2', 'cited')]}
    """
    found = {}
    for row in ROW.finditer(table):
        for name in (row["names"] or "").split():
            found.setdefault(name, []).append((row["place"], row["kind"]))
    return found


def told(table):
    """What the folded ledger holds, in words."""
    kinds = [row["kind"] for row in ROW.finditer(table) if not re.fullmatch(r"ledger-\d+-\d+", row["place"])]
    single = table.count('class="ledger-single"')
    more = len(list(ROW.finditer(table))) - single
    counts = [f"{kinds.count(kind)} {word}" for kind, word in WORDS.items() if kind in kinds]
    return f"{', '.join(counts)}; {more} rows in all" if single else ", ".join(counts)


def mark(number, badge, kind):
    """Put a mark behind a number, so that no line ends between the two. kind: class of both together."""
    both = nodes.inline("", classes=[kind])
    number.replace_self(both)
    both += [number, badge]


def inside(node, *kinds):
    """Whether a node stands in one of these kinds of node."""
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


class MarkNumbers(SphinxPostTransform):
    """Marks the numbers of one page, links the works that its ledger cites, and folds it."""

    default_priority = 140  # before code is folded
    formats = ("html",)

    def run(self, **kwargs):
        """See the class."""
        tables = [raw for raw in self.document.findall(nodes.raw) if LEDGER in raw.astext()]
        for table in tables:
            self.dress(table)
        if tables:  # the page is a chapter
            self.mark_others()

    def mark_others(self):
        """Mark the numbers that have no row. In a link, which leads elsewhere, there is room for no other."""
        containers = self.document.findall(nodes.container)
        cells = {cell["cell_index"]: cell for cell in containers if cell.get("nb_element") == "cell_code"}
        for number in list(self.document.findall(nodes.inline)):
            cell = cells.get(number.get("cell"))
            if cell is None or not DIGIT.search(number.astext()) or "in-ledger" in number.parent["classes"]:
                continue
            if not inside(number, nodes.reference, nodes.title):
                place = f"cell-{number['cell']}"
                cell["ids"] = list(dict.fromkeys([*cell["ids"], place]))
                mark(number, CellMark(place=place), "computed-here")

    def dress(self, table):
        """Do it for one ledger."""
        text = table.astext()
        rows = rows_by_name(text)
        for number in list(self.document.findall(nodes.inline)):
            if found := rows.get(number.get("insertion")):
                badge = Badge(places=[place for place, _ in found], kind=found[0][1])
                mark(number, badge, "in-ledger")
        table.replace_self(made := nodes.raw("", WORK.sub(self.link, text), format="html"))
        fold([made], "All rows", told(text), "ledger")

    def link(self, work):
        """A cited work as a link into the bibliography; as it stands, if that does not have it."""
        key, words = work[1], work[2]
        for found in self.env.get_domain("cite").citations:
            if found.key == key:
                page = found.bibliography_key.docname
                address = self.app.builder.get_relative_uri(self.env.docname, page)
                plain = pybtex.plugin.find_plugin("pybtex.backends", "plaintext")()
                entry = found.tooltip_entry or found.formatted_entry
                title = escape(entry.text.render(plain).replace("\\url ", ""))
                return f'<a href="{address}#{found.citation_id}" title="{title}">{words}</a>'
        return words


def replace_role(app, config):
    """Put the role that remembers in the place of myst-nb's, before the domains are made."""
    base.extract_glue_data = number_cells
    app.add_role_to_domain("glue", "text", Inserted(), override=True)


def connect(app):
    """Register role, mark and transform."""
    app.add_node(Badge, html=(visit_badge, depart_badge))
    app.add_node(CellMark, html=(visit_cell_mark, depart_cell_mark))
    app.add_post_transform(MarkNumbers)
    app.connect("config-inited", replace_role)
