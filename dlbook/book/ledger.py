"""The ledger: what a chapter predicts, beside what its run measures; a disagreement stops the notebook.

Each chapter keeps one, `page.ledger`. `check` holds a number that the text predicts against the number that
the code gives; `exceeds`, `above`, `below` and `equal_within` hold what an experiment was meant to show, and
compute the margin themselves; `claim` is for what has no number. `record` quotes a recorded run, `cite` a
paper. `show` prints the table and hands its rows to the page that lists every claim of the book.

>>> ledger = Ledger("example")
>>> ledger.check("parameters of Linear(3, 2)", predicted=3 * 2 + 2, measured=8, source="eq. (1)")
>>> ledger.check("ln 10", predicted=2.3026, measured=2.5, tolerance=0.01)  # doctest: +ELLIPSIS
Traceback (most recent call last):
dlbook.book.ledger.LedgerMismatch: ledger of 'example', row 'ln 10': predicted 2.303, measured 2.5, ...
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from IPython.display import display

from dlbook.book import comparison, inserts
from dlbook.book.agreement import agreement, farthest, is_equality, margin_text, plain, tolerance_text
from dlbook.book.ledger_entries import entries
from dlbook.book.ledger_table import KEY, LedgerRow, Shown
from dlbook.book.quoted import compared, numbers, rows_of
from dlbook.book.tables import cell_text

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class LedgerMismatch(AssertionError):
    """A prediction and its measurement disagree, or a claim of an experiment does not hold."""


class Ledger:
    """The claims of one chapter; `chapter` is its slug, as in `chapters/<part>/<slug>.md`.

    Raises:
        ValueError: if the slug is not of lower-case letters, digits and single hyphens.
    """

    def __init__(self, chapter: str) -> None:
        if not SLUG.fullmatch(chapter):
            raise ValueError(
                f"expected the chapter's slug (lower case, digits, hyphens), got {chapter!r}; "
                "take the file's name."
            )
        self.chapter = chapter
        self._rows: dict[str, LedgerRow] = {}
        self._inserted: dict[str, tuple[tuple[float, ...], str]] = {}

    @property
    def rows(self) -> tuple[LedgerRow, ...]:
        """The rows so far, in order. A row whose cell is run again replaces itself."""
        return tuple(self._rows.values())

    def check(
        self,
        name: str,
        predicted: Any,
        measured: Any,
        tolerance: float = 0,
        *,
        relative: float | None = None,
        unit: str = "",
        source: str = "",
    ) -> None:
        """Hold `measured` against `predicted`: |measured - predicted| <= tolerance, or <= relative *
        |predicted|.

        Args:
            predicted, measured: numbers, one-element tensors, or sequences of them (a shape), compared
                element by element; text and booleans have to be equal. Integers are compared exactly, however
                large.
            unit: of both ("ms").
            source: where the prediction comes from ("eq. (3)").

        Raises:
            LedgerMismatch: where they disagree (NaN never agrees).
            ValueError: on a senseless tolerance.
        """
        predicted, measured = plain(predicted), plain(measured)
        difference = agreement(predicted, measured, tolerance, relative)
        allowed = tolerance_text(tolerance, relative, unit)
        texts = [f"{_text(value)} {unit}".rstrip() for value in (predicted, measured)]
        if difference is not None:
            told = f"predicted {texts[0]}, measured {texts[1]}, tolerance {allowed}; {difference}"
            told += f" [{source}]" if source else ""
            raise LedgerMismatch(f"ledger of {self.chapter!r}, row {name!r}: {told}")
        off = farthest(predicted, measured, relative is not None)
        room = tolerance if relative is None else relative
        row = LedgerRow("verified", name, *texts, margin_text(tolerance, relative, unit, off), source)
        equality, slack = is_equality(predicted, tolerance, relative), 1 - off / room if room else 1.0
        self._keep(replace(row, equality=equality, slack=slack), predicted, measured)

    def exceeds(
        self,
        name: str,
        larger: Any,
        smaller: Any,
        by: float = 0.0,
        unit: str = "",
        *,
        every_seed: bool = True,
        paired: bool = False,
    ) -> None:
        """Keep that `larger` is more than `smaller`, by more than `by`; the margin is what is left.

        Args:
            name: the claim, in words.
            larger, smaller: a number, or one number a seed, shown as mean ± standard deviation.
            by: how much more is claimed, in `unit`.
            every_seed: every seed of one against every seed of the other; False: the means, beyond two
                standard errors of their difference.
            paired: seed i of both differs in the tested factor alone, so each seed is compared with itself.

        Raises:
            LedgerMismatch: it does not hold, or not beyond noise.
        """
        found = comparison.exceeds(larger, smaller, by, unit, every_seed, paired)
        self._compared(name, found, larger, smaller)

    def above(self, name: str, values: Any, limit: float, unit: str = "", *, every_seed: bool = True) -> None:
        """Keep that `values` (a number, or one a seed) lie above `limit`.

        Raises:
            LedgerMismatch: if they do not.
        """
        self._compared(name, comparison.above(values, limit, unit, every_seed), values)

    def below(self, name: str, values: Any, limit: float, unit: str = "", *, every_seed: bool = True) -> None:
        """Keep that `values` (a number, or one a seed) lie below `limit`.

        Raises:
            LedgerMismatch: if they do not.
        """
        self._compared(name, comparison.below(values, limit, unit, every_seed), values)

    def equal_within(
        self,
        name: str,
        values: Any,
        expected: Any,
        within: float,
        unit: str = "",
        *,
        every_seed: bool = True,
    ) -> None:
        """Keep that `values` and `expected` (each a number, or one a seed) differ by less than `within`.

        Raises:
            LedgerMismatch: if they do not, or if noise could hide a larger difference of the means.
        """
        found = comparison.equal_within(values, expected, within, unit, every_seed)
        self._compared(name, found, values, expected)

    def _compared(self, name: str, found: comparison.Comparison, *sides: Any) -> None:
        if not found.holds:
            raise LedgerMismatch(
                f"ledger of {self.chapter!r}: the claim {name!r} does not hold: expected {found.predicted}, "
                f"measured {found.measured} (margin {found.margin})"
            )
        source = "this run" if found.seeds == 1 else f"this run, {found.seeds} seeds"
        row = LedgerRow("verified", name, found.predicted, found.measured, found.margin, source)
        self._keep(replace(row, slack=found.slack), *sides)

    def claim(self, name: str, holds: Any, *, source: str = "this run") -> None:
        """Keep what has no number to compare, and so no margin.

        Args:
            holds: a boolean, computed.

        Raises:
            LedgerMismatch: if it does not hold.
            ValueError: if `holds` is not a boolean.
        """
        holds = plain(holds)
        if not isinstance(holds, bool):
            raise ValueError(
                f"the claim {name!r}: expected a boolean in `holds`, got {holds!r}; numbers belong to "
                "exceeds, above, below or equal_within"
            )
        if not holds:
            raise LedgerMismatch(f"ledger of {self.chapter!r}: the claim {name!r} does not hold")
        self._keep(LedgerRow("verified", name, "holds", "holds", "", source))

    def cite(self, name: str, value: Any, citation: str, where: str = "", *, insert: str = "") -> None:
        """Keep a number that a paper reports and that is not run here, and insert it into the prose.

        Args:
            name: what is reported.
            value: the number with its unit, as text ("24.7 %"), or a number.
            citation: key in references.bib.
            where: "Table 4".
            insert: name for the prose, which quotes the value as {glue:text}`<slug>-<insert>`; "": none.

        Raises:
            ValueError: `citation` does not look like a key ("he2016deep").
        """
        if not KEY.fullmatch(citation):
            raise ValueError(
                f"expected a key of references.bib such as 'he2016deep', got {citation!r}; cite by the key."
            )
        text = _text(plain(value))
        self._keep(LedgerRow("cited", name, measured=text, source=where, citation=citation))
        if insert:
            inserts.insert(f"{self.chapter}-{insert}", text)
            self.inserted(insert, (), name)

    def record(
        self, run: Mapping[str, Any], name: str, value: Any, *, unit: str = "", predicted: Any = ""
    ) -> None:
        """Keep a result of a recorded run.

        Args:
            run: what `book.recorded` gave.
            value: the number, or the dotted path of it in the run's results ("error.mean").
            unit: of the value.
            predicted: what the text expects, as text or number.

        Raises:
            ValueError: if `run` has no provenance, or the path leads nowhere.
        """
        from dlbook.book.recorded_runs import provenance, result

        found = result(run, value) if isinstance(value, str) else value
        expected = "" if predicted == "" else _text(plain(predicted))
        measured = f"{_text(plain(found))} {unit}".rstrip()
        self._keep(LedgerRow("recorded", name, expected, measured, source=provenance(run)), found)

    def inserted(self, name: str, values: Any, row: str = "") -> None:
        """Note a number of the prose, which the page then marks with the rows that it stands in.

        Args:
            name: as the prose quotes it, without the slug.
            values: as they were measured; the rows that compare the very same ones are found.
            row: the name of the row, or words that it alone has, where the values are not the row's own; the
                row may come later.
        """
        self._inserted[f"{self.chapter}-{name}"] = numbers(values), row

    def show(self) -> None:
        """Display the table; its rows go to the page of claims too.

        Raises:
            ValueError: if there is no row, or an inserted number names one that there is not.
        """
        if not self._rows:
            raise ValueError(
                f"expected rows in the ledger of {self.chapter!r}, got none; call check, claim, cite or "
                "record before show"
            )
        display(Shown(self.chapter, entries(self.rows), rows_of(self._inserted, self.rows)))

    def _keep(self, row: LedgerRow, *sides: Any) -> None:
        if not row.name.strip():
            raise ValueError(
                "expected a name that says what is claimed, got an empty one; name the row of the ledger"
            )
        self._rows[row.name] = replace(row, site=_site(), numbers=compared(sides))


def _site() -> str:
    """Name the call, outside of this file, that keeps a row: the rows of a loop share it."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "(" + ", ".join(_text(item) for item in value) + ")"
    return cell_text(value)
