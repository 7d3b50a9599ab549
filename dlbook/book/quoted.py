"""Finds the rows of a ledger that a number of the prose stands in.

The prose quotes a number because the ledger has it: so the link is the number itself. An inserted number
belongs to each row in which the very same values were compared, of all seeds, up to the rounding of float32.
Values of few digits, say 0.5 or a count, may agree by chance; of those the author names the row.

>>> digits((0.5,)), digits((89.6, 90.1, 88.7)), digits((11_689_512.0,))
(1, 9, 8)
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlbook.book.agreement import plain
from dlbook.book.ledger_table import LedgerRow

ENOUGH = 6  # digits that no two results have in common by chance
ROUNDING = 1e-6  # of float32, as a share


def numbers(value: Any) -> tuple[float, ...]:
    """Return the numbers in `value`, a number, a sequence or a tensor; none for a text."""
    value = plain(value)
    if isinstance(value, list):
        return tuple(number for item in value for number in numbers(item))
    return (float(value),) if isinstance(value, (int, float)) and not isinstance(value, bool) else ()


def digits(values: Iterable[float]) -> int:
    """Count the significant digits of the different values together."""
    mantissas = (f"{abs(value):.12e}".partition("e")[0].replace(".", "").strip("0") for value in set(values))
    return sum(map(len, mantissas))


def compared(sides: Sequence[Any]) -> tuple[tuple[float, ...], ...]:
    """Return the numbers that a row holds: each side, and by how much the first is more than the second."""
    found = [numbers(side) for side in sides]
    if len(found) == 2 and len(found[0]) == len(found[1]):
        found.append(tuple(left - right for left, right in zip(*found, strict=True)))
    return tuple(found)


def same(left: Sequence[float], right: Sequence[float]) -> bool:
    """Whether two results have the same values, up to rounding."""
    return len(left) == len(right) and all(
        math.isclose(one, other, rel_tol=ROUNDING) for one, other in zip(left, right, strict=True)
    )


def named(row: str, names: Sequence[str]) -> str:
    """Return the name of the row that `row` means: the whole name, or words that it alone has.

    Raises:
        ValueError: if there is none, or more than one.
    """
    found = [row] if row in names else [name for name in names if row in name]
    if len(found) != 1:
        told = " and ".join(map(repr, found)) or "none"
        raise ValueError(
            f"expected the name of one row of the ledger, got {row!r}, which means {told}; "
            f"name one of {', '.join(map(repr, names))}"
        )
    return found[0]


def rows_of(
    inserted: Mapping[str, tuple[tuple[float, ...], str]], rows: Iterable[LedgerRow]
) -> dict[str, list[str]]:
    """Return for the name of each row the names of the numbers that stand in it.

    Args:
        inserted: name -> (values, the row that the author names or "").

    Raises:
        ValueError: a number names a row that the ledger does not have.
    """
    rows = list(rows)
    names = [row.name for row in rows]
    found: dict[str, list[str]] = {}
    for name, (values, told) in inserted.items():
        wanted = named(told, names) if told else ""
        sure = not told and digits(values) >= ENOUGH
        for row in rows:
            if row.name == wanted or (sure and any(same(values, side) for side in row.numbers)):
                found.setdefault(row.name, []).append(name)
    return found
