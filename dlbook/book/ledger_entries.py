"""The order of a ledger's rows, and the rows that count as one.

First what could have failed (predictions, bounds), then equalities, then recorded runs, then what papers
report. The rows that one call of a loop makes are one entry, which says how many there are and shows the one
that came closest to failing.

>>> title(["resnet18: receptive field", "resnet50: receptive field", "resnet101: receptive field"])
'receptive field'
>>> title(["mean slope of tanh over [-3, 3]", "mean slope of ReLU over [-3, 3]"])
'mean slope of … over [-3, 3]'
>>> title(["gain of ReLU", "gain of tanh"]), title(["gradient, tanh", "gradient, ReLU"])
('gain of …', 'gradient')
"""

import os.path
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dlbook.book.ledger_table import LedgerRow

SECTIONS = ("claim", "equality", "recorded", "cited")
FEWEST = 3  # so many rows of one call are one entry
SHARED = 8  # so many letters their names have in common


@dataclass(frozen=True)
class LedgerEntry:
    """One line of the ledger as it is read.

    Args:
        number: from 1, in the order of the table.
        title: the row's name, or what the names of its rows have in common.
        rows: one, or all that one call of a loop has made.
    """

    number: int
    title: str
    rows: tuple[LedgerRow, ...]

    @property
    def closest(self) -> LedgerRow:
        """The row that came closest to failing."""
        return min(self.rows, key=lambda row: row.slack)

    @property
    def shown(self) -> LedgerRow:
        """What stands on the line: the closest row; of recorded results, which could not fail, the range."""
        row = self.closest
        if row.kind != "recorded" or len(self.rows) == 1:
            return row
        low, high = (pick(self.rows, key=lambda row: row.numbers) for pick in (min, max))
        return replace(row, predicted="", measured=f"{low.measured} to {high.measured}")

    @property
    def words(self) -> str:
        """The title; of several rows how many they are, and which of them is shown."""
        if len(self.rows) == 1:
            return self.title
        count = f"{self.title} · {len(self.rows)} rows"
        before, after = shared([row.name for row in self.rows])
        name = self.closest.name[len(before) : len(self.closest.name) - len(after)]
        return count if self.shown.kind == "recorded" else f"{count}, the closest: {name}"

    def place(self, row: LedgerRow) -> str:
        """The row's id on the page: "ledger-3", or "ledger-3-2" for the second of several."""
        part = f"-{self.rows.index(row) + 1}" if len(self.rows) > 1 else ""
        return f"ledger-{self.number}{part}"


def shared(names: Sequence[str]) -> tuple[str, str]:
    """Return the beginning and the end that all names have in common, in whole words."""
    before = os.path.commonprefix(list(names))
    after = os.path.commonprefix([name[len(before) :][::-1] for name in names])[::-1]
    end = re.search(r"[\s,:;].*", after)
    return before[: before.rfind(" ") + 1], end[0] if end else ""


def title(names: Sequence[str]) -> str:
    """Return what the names have in common, with an ellipsis where that is no whole phrase."""
    before, after = (part.strip() if part.isspace() else part for part in shared(names))
    if before and after:
        return f"{before.rstrip()} …{after}"
    if before:
        return before.rstrip(" ,:;(") if before.rstrip()[-1] in ",:;(" else f"{before.rstrip()} …"
    return after.lstrip(" ,:;") if after[:1] in (",", ":", ";") else f"…{after}"


def entries(rows: Sequence[LedgerRow]) -> list[LedgerEntry]:
    """Return the ledger's entries in the order in which they are read."""
    together: dict[tuple[str, ...], list[LedgerRow]] = {}
    for row in rows:
        alone = not row.site or row.kind == "cited"
        together.setdefault((row.section, row.name) if alone else (row.section, "", row.site), []).append(row)
    found: list[tuple[str, tuple[LedgerRow, ...]]] = []
    for part in together.values():
        name = title([row.name for row in part])
        if len(part) >= FEWEST and len(name) >= SHARED:
            found.append((name, tuple(part)))
        else:
            found += [(row.name, (row,)) for row in part]
    found.sort(key=lambda entry: SECTIONS.index(entry[1][0].section))
    return [LedgerEntry(number, *entry) for number, entry in enumerate(found, 1)]
