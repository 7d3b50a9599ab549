"""The rows of a ledger, and the table that a notebook displays of them.

>>> LedgerRow("cited", "top-1 error", measured="24.7 %", citation="he2016deep", source="Table 4").status
'reported, not run here'
"""

import re
from dataclasses import dataclass
from html import escape
from typing import Any

MIME = "application/vnd.dlbook.ledger+json"
SCHEMA = 2
KEY = re.compile(r"([a-z-]+?)(\d{4})([a-z0-9]*)")
COLUMNS = ("claim", "predicted", "measured", "margin", "source", "status")
TEXTS = ("kind", "name", "predicted", "measured", "tolerance", "source", "citation")
CAPTION = "Ledger: what this chapter predicts, and what its run measured"


@dataclass(frozen=True)
class LedgerRow:
    """Hold one line of the ledger, all that is shown as text.

    Args:
        kind: "verified", "recorded" or "cited".
        tolerance: how far it is off and how far it might be, or the margin that a comparison leaves.
        citation: a key of references.bib.
        equality: two ways to one number that have to agree up to rounding, no prediction that nature decides.
        slack: of what is allowed, the share that is left; of a comparison, its margin.
        site: the call that made the row; the rows of a loop share it.
        numbers: what was compared, one tuple for each side.
    """

    kind: str
    name: str
    predicted: str = ""
    measured: str = ""
    tolerance: str = ""
    source: str = ""
    citation: str = ""
    equality: bool = False
    slack: float = 1.0
    site: str = ""
    numbers: tuple[tuple[float, ...], ...] = ()

    @property
    def status(self) -> str:
        """The row's standing in words."""
        return {"verified": "✓ verified here", "recorded": "recorded run", "cited": "reported, not run here"}[
            self.kind
        ]

    @property
    def section(self) -> str:
        """What kind of claim it is: "claim" (it could have failed), "equality", "recorded" or "cited"."""
        if self.kind != "verified":
            return self.kind
        return "equality" if self.equality else "claim"


class Shown:
    """Show the ledger in a notebook: HTML for readers, text elsewhere, JSON beside it for the page of
    claims.

    Args:
        chapter: its slug.
        entries: of `ledger_entries.entries`.
        inserts: for the name of each row the numbers of the prose that stand in it.
    """

    def __init__(self, chapter: str, entries: list[Any], inserts: dict[str, list[str]] | None = None) -> None:
        self.chapter, self.entries, self.inserts = chapter, entries, inserts or {}

    def html(self) -> str:
        """The table, accessible and without colours of its own; several rows that count as one stand folded
        below it.
        """
        heads = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
        body = "\n".join(map(self._entry, self.entries))
        return (
            f'<table class="dlbook-table dlbook-ledger">\n<caption>{CAPTION}</caption>\n'
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
        )

    def _entry(self, entry: Any) -> str:
        """One row; below that of several rows a folded table of each."""
        count = len(entry.rows)
        if count == 1:
            return self._row(entry.rows[0], f"ledger-{entry.number}", entry.title, entry.number)
        inner = "\n".join(self._row(row, entry.place(row), row.name, 0) for row in entry.rows)
        return (
            self._row(entry.shown, f"ledger-{entry.number}", entry.words, entry.number, told=False)
            + f'\n<tr class="ledger-single"><td colspan="{len(COLUMNS)}"><details><summary>all {count} of '
            f"{escape(entry.title)}</summary>\n<table><tbody>\n{inner}\n</tbody></table></details></td></tr>"
        )

    def _row(self, row: LedgerRow, place: str, words: str, number: int, told: bool = True) -> str:
        """Write a row of the table.

        Args:
            row: with its texts.
            place: its id on the page.
            words: what stands for its name.
            number: before the name; 0: none.
            told: whether the numbers of the prose that stand in it are led here; else its rows follow.
        """
        names = " ".join(self.inserts.get(row.name, ())) if told else ""
        mark = f' data-inserts="{names}"' if names else "" if told else " data-more"
        before = f'<span class="ledger-number">{number}</span> ' if number else ""
        cells = (row.predicted, row.measured, row.tolerance)
        return (
            f'<tr id="{place}" class="ledger-{row.kind}"{mark}><th scope="row">{before}{escape(words)}</th>'
            + "".join(f'<td class="number">{escape(text)}</td>' for text in cells)
            + f"<td>{_source(row)}</td><td>{row.status}</td></tr>"
        )

    def json(self) -> list[dict[str, Any]]:
        """The entries: what stands on the line, and all its rows with their places on the page."""
        return [
            {
                "number": entry.number,
                "section": entry.shown.section,
                "words": entry.words,
                "title": entry.title,
                "shown": _texts(entry.shown),
                "rows": [_texts(row) | {"place": entry.place(row)} for row in entry.rows],
            }
            for entry in self.entries
        ]

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict[str, str], dict[str, Any]]:
        """The table, and in the output's metadata the rows: as a mime type of its own, myst-nb would warn of
        it.
        """
        found = {"schema": SCHEMA, "chapter": self.chapter, "entries": self.json()}
        return {"text/html": self.html(), "text/plain": repr(self)}, {MIME: found}

    def __repr__(self) -> str:
        lines = [CAPTION]
        for entry in self.entries:
            row = entry.shown
            parts = (entry.words, row.predicted, row.measured, row.tolerance, row.source, row.status)
            lines.append(f"{entry.number}. " + " | ".join(filter(None, parts)))
        return "\n".join(lines)


def _texts(row: LedgerRow) -> dict[str, str]:
    """The row's texts by their names."""
    return {field: getattr(row, field) for field in TEXTS}


def _source(row: LedgerRow) -> str:
    """ "eq. (3)", or "He 2016, Table 4" for a citation, which the site links."""
    if not row.citation:
        return escape(row.source)
    match = KEY.fullmatch(row.citation)
    work = f'<cite data-work="{row.citation}">{match[1].replace("-", " ").title()} {match[2]}</cite>'
    return ", ".join(filter(None, [work, escape(row.source)]))
