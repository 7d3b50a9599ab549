"""The rows of the zoo with their costs, as recorded in `counted.csv` beside this file: at once, without
torch.

A count depends on the code alone, so it is made once: `python -m dlbook.zoo.counting` counts all rows on
torch's meta device and writes the file. A test counts every row again and compares.

>>> lenet = entry("lenet5")
>>> lenet.parameters, lenet.macs, lenet.input_size, lenet.paper.short
(60000, 325680, (1, 32, 32), 'LeCun et al. 1998')
"""

import csv
import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dlbook.zoo.papers import PAPERS, Paper

FILE = Path(__file__).with_name("counted.csv")
COLUMNS = ("row", "family", "channels", "height", "width", "parameters", "macs")
AGAIN = "write it again: python -m dlbook.zoo.counting"
TITLE = "The zoo: {} model{}, counted for one image of the size it was made for"


@dataclass(frozen=True)
class Entry:
    """Describe one row of the zoo.

    Args:
        input_size: (C, H, W) that `macs` holds for.
        parameters, macs: exact, with the row's own classes.
    """

    name: str
    family: str
    paper: Paper
    input_size: tuple[int, int, int]
    parameters: int
    macs: int


@cache
def _recorded() -> dict[str, Entry]:
    """All rows by name, in the order of the tables."""
    return read(FILE)


def read(file: Path) -> dict[str, Entry]:
    """Return the rows of a file like `counted.csv`, by name.

    Raises:
        ValueError: if a line (it names which) lacks a column, has no number where one belongs, or repeats a
            row.
    """
    found: dict[str, Entry] = {}
    with open(file, encoding="utf-8", newline="") as stream:
        lines = csv.reader(stream)
        if tuple(next(lines, ())) != COLUMNS:
            raise ValueError(f"{file}: expected the columns {', '.join(COLUMNS)}, got others; {AGAIN}")
        for line in lines:
            try:
                name, family, *numbers = line
                channels, height, width, parameters, macs = map(int, numbers)
                entry = Entry(name, family, PAPERS[family], (channels, height, width), parameters, macs)
            except (ValueError, KeyError) as error:
                raise ValueError(
                    f"{file}, line {lines.line_num}: expected a row, its family and five whole numbers, "
                    f"got {line}; {AGAIN}"
                ) from error
            if name in found:
                raise ValueError(
                    f"{file}, line {lines.line_num}: expected each row once, got {name!r} twice; {AGAIN}"
                )
            found[name] = entry
    return found


def require_name(name: str) -> str:
    """Return `name` if the zoo has it.

    Raises:
        ValueError: if it has not; it gives the nearest names.
    """
    known = _recorded()
    if name in known:
        return name
    near = difflib.get_close_matches(str(name).lower(), known, n=5, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "no name is near it."
    raise ValueError(
        f"expected the name of a model, got {name!r}; {hint} `dlbook models` lists all {len(known)}"
    )


def names(family: str | None = None) -> list[str]:
    """Return the names of all rows, or of one family's, in the order of the tables.

    Raises:
        ValueError: for an unknown family.
    """
    families = dict.fromkeys(entry.family for entry in _recorded().values())
    if family is not None and family not in families:
        near = difflib.get_close_matches(family.lower(), families, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise ValueError(
            f"expected the name of a family, got {family!r}; {hint}the families are {', '.join(families)}"
        )
    return [entry.name for entry in _recorded().values() if family in (None, entry.family)]


def entry(name: str) -> Entry:
    """Return the row `name` with its paper and its costs at its own size.

    Raises:
        ValueError: for an unknown name.
    """
    return _recorded()[require_name(name)]


def entries(family: str | None = None) -> list[Entry]:
    """Return all rows, or one family's.

    Raises:
        ValueError: for an unknown family.
    """
    return [entry(name) for name in names(family)]


def paper_of(name: str) -> Paper:
    """Return the paper that the row `name` belongs to.

    Raises:
        ValueError: for an unknown row.
    """
    return entry(name).paper
