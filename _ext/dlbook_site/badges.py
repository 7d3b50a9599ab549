"""Marks each number of the prose that stands in the chapter's ledger, and folds the ledger.

The ledger's table says itself which numbers it holds: `data-inserts` of a row has the names that
`{glue:text}` quotes. Behind such a number stands a small mark, a link to the row; `_static/cards.mjs` shows
the row beside it, and on paper it is the row's number. So prose and table cannot disagree, and a notebook
knows nothing of it.
"""

import re
from html import escape

import pybtex.plugin
from docutils import nodes
from myst_nb.ext.glue.roles import PasteTextRole
from sphinx.transforms.post_transforms import SphinxPostTransform

from .folds import fold

LEDGER = 'class="dlbook-table dlbook-ledger"'
ROW = re.compile(
    r'<tr id="(?P<place>[\w-]+)" class="ledger-(?P<kind>\w+)"'
    r'(?: data-more| data-inserts="(?P<names>[^"]*)")?>'
)
WORK = re.compile(r'<cite data-work="([\w-]+)">(.*?)</cite>')
WORDS = {"verified": "checked", "recorded": "recorded", "cited": "quoted"}


class Inserted(PasteTextRole):
    """The role `{glue:text}`, which remembers what it quotes."""

    def run(self):
        """As in myst-nb; the number gets its name."""
        made, messages = super().run()
        for node in made:
            node["insertion"] = self.text.partition(":")[0]
        return made, messages


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


def mark(number, rows):
    """Put the mark behind a number, so that no line ends between the two."""
    both = nodes.inline("", classes=["in-ledger"])
    number.replace_self(both)
    badge = Badge(places=[place for place, _ in rows], kind=rows[0][1])
    both += [number, badge]


class MarkNumbers(SphinxPostTransform):
    """Marks the numbers of one page, links the works that its ledger cites, and folds it."""

    default_priority = 140  # before code is folded
    formats = ("html",)

    def run(self, **kwargs):
        """See the class."""
        for table in list(self.document.findall(nodes.raw)):
            if LEDGER in table.astext():
                self.dress(table)

    def dress(self, table):
        """Do it for one ledger."""
        text = table.astext()
        rows = rows_by_name(text)
        for number in list(self.document.findall(nodes.inline)):
            if number.get("insertion") in rows:
                mark(number, rows[number["insertion"]])
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
    app.add_role_to_domain("glue", "text", Inserted(), override=True)


def connect(app):
    """Register role, mark and transform."""
    app.add_node(Badge, html=(visit_badge, depart_badge))
    app.add_post_transform(MarkNumbers)
    app.connect("config-inited", replace_role)
