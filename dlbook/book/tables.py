"""Tables of measured values, as accessible HTML with a plain-text stand-in.

>>> print(table([("ReLU", 0.5), ("GELU", 0.25)], ["name", "mean"], caption="Means"))
Means
name  mean
ReLU   0.5
GELU  0.25
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from numbers import Number
from typing import Any


def cell_text(value: Any) -> str:
    """Return a value as a table shows it: integers with thin groups of three digits, floats to four
    significant figures.
    """
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return (
            f"{value:,.4g}"
            if abs(value) < 1e4 or value != value
            else f"{value:,.0f}"
            if abs(value) < 1e15
            else f"{value:.3e}"
        )
    if value is None:
        return "–"
    return str(value)


@dataclass(frozen=True)
class Table:
    """A displayed table: HTML in a notebook, aligned columns in a terminal. Cells are text; `numeric` marks
    right-aligned columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    caption: str = ""
    classes: str = "dlbook-table"

    def html(self) -> str:
        """The table as HTML: caption, column heads and row heads with their scope, no colours of its own."""
        head = "".join(
            f'<th scope="col"{self._mark(i)}>{escape(name)}</th>' for i, name in enumerate(self.columns)
        )
        body = "\n".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        caption = f"<caption>{escape(self.caption)}</caption>\n" if self.caption else ""
        rows = f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>"
        return f'<table class="{self.classes}">\n{caption}{rows}\n</table>'

    def _mark(self, column: int) -> str:
        return ' class="number"' if self.numeric[column] else ""

    def _row(self, row: tuple[str, ...]) -> str:
        first = f'<th scope="row"{self._mark(0)}>{escape(row[0])}</th>'
        return first + "".join(f"<td{self._mark(i)}>{escape(text)}</td>" for i, text in enumerate(row[1:], 1))

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        lines = []
        for row in (self.columns, *self.rows):
            cells = [
                t.rjust(w) if right else t.ljust(w)
                for t, w, right in zip(row, widths, self.numeric, strict=True)
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([self.caption] * bool(self.caption) + lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}


def table(rows: Sequence[Sequence[Any]], columns: Sequence[str], caption: str | None = None) -> Table:
    """Return a table of `rows` (each as long as `columns`) to be displayed; numbers are right-aligned.

    Raises:
        ValueError: if there is no row, or a row's length differs from that of `columns`.
    """
    rows = [tuple(row) for row in rows]
    if not rows:
        raise ValueError("expected one row of the table or more, got none; check what fills the rows")
    for number, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(
                f"row {number}: expected {len(columns)} cells, one for each of {', '.join(columns)}, got "
                f"{len(row)}; match them"
            )
    numeric = tuple(all(_is_number(row[i]) for row in rows) for i in range(len(columns)))
    cells = tuple(tuple(cell_text(value) for value in row) for row in rows)
    return Table(tuple(columns), cells, numeric, caption or "")


def _is_number(value: Any) -> bool:
    if value is None:
        return True
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    return isinstance(value, Number) and not isinstance(value, bool)
