"""The rows of a ledger, and the table that a notebook displays of them.

>>> LedgerRow("cited", "top-1 error", measured="24.7 %", citation="he2016deep", source="Table 4").status
'reported, not run here'
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

from dlbook.book.tables import Table

MIME = "application/vnd.dlbook.ledger+json"
KEY = re.compile(r"([a-z-]+?)(\d{4})([a-z0-9]*)")
COLUMNS = ("claim", "predicted", "measured", "tolerance", "source", "status")


@dataclass(frozen=True)
class LedgerRow:
    """Hold one line of the ledger, all as text.

    Args:
        kind: "verified", "recorded" or "cited".
        citation: a key of references.bib.
    """

    kind: str
    name: str
    predicted: str = ""
    measured: str = ""
    tolerance: str = ""
    source: str = ""
    citation: str = ""

    @property
    def status(self) -> str:
        """The row's standing in words."""
        return {"verified": "✓ verified here", "recorded": "recorded run", "cited": "reported, not run here"}[
            self.kind
        ]


class Shown:
    """Show the ledger in a notebook: HTML for readers, text elsewhere, JSON beside it for the page of
    claims.
    """

    def __init__(self, chapter: str, rows: list[LedgerRow]) -> None:
        self.chapter, self.rows = chapter, rows

    def table(self) -> Table:
        """The rows as an accessible table, with the standing of each in words."""
        cells = tuple(
            (row.name, row.predicted, row.measured, row.tolerance, _source(row), row.status)
            for row in self.rows
        )
        caption = "Ledger: what this chapter predicts, and what its run measured"
        return Table(
            COLUMNS, cells, (False, True, True, True, False, False), caption, "dlbook-table dlbook-ledger"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict[str, str], dict[str, Any]]:
        """The table, and in the output's metadata the rows: as a mime type of its own, myst-nb would warn of
        it.
        """
        rows = {"schema": 1, "chapter": self.chapter, "rows": [asdict(row) for row in self.rows]}
        shown = self.table()
        return {"text/html": shown.html(), "text/plain": repr(shown)}, {MIME: rows}

    def __repr__(self) -> str:
        return repr(self.table())


def _source(row: LedgerRow) -> str:
    """ "eq. (3)", or "He 2016, Table 4" for a citation."""
    if not row.citation:
        return row.source
    match = KEY.fullmatch(row.citation)
    author = match[1].replace("-", " ").title()
    return ", ".join(filter(None, [f"{author} {match[2]}", row.source]))
