"""The entries that won the ImageNet challenge from 2010 to 2017, and four rows beside them to compare with.

Source: the results page of each year, as each row says; Krizhevsky et al. 2012, Table 2; Szegedy et al. 2015,
Table 3; He et al. 2016, Table 4. The winning number of a year is an *entry's*: from 2012 on several networks
that vote. What one network of the entry reaches was published on the validation images, not on the test's.

>>> [entry.top5_error for entry in ilsvrc() if entry.year == 2015]
[3.567, 4.49]
"""

import csv
from dataclasses import dataclass

from dlbook.data.files import verified


@dataclass(frozen=True)
class ContestEntry:
    """Describe one row.

    Attributes:
        year: of the challenge.
        team: as the results page names it.
        what: the method, in a few words.
        top5_error: per cent of the images whose class is not among five answers.
        learned: whether the features are learned (networks), and not made by hand.
        models: number of networks that answer together; None: not published, or no networks.
        measured_on: "test" (labels held back by the organisers) or "validation".
        outside_data: whether it used more labelled images than the challenge supplied.
        place: in the classification ranking of its year; None: no entry.
        source: address of the results page, or paper and table.
    """

    year: int
    team: str
    what: str
    top5_error: float
    learned: bool
    models: int | None
    measured_on: str
    outside_data: bool
    place: int | None
    source: str


def ilsvrc() -> tuple[ContestEntry, ...]:
    """Read the entries, in the order of the years; each winner before the rows to compare it with.

    Raises:
        ValueError: a truncated or altered file.
        FileNotFoundError: the file is missing.
    """
    with open(verified("ilsvrc.csv"), encoding="utf-8", newline="") as stream:
        return tuple(_entry(row) for row in csv.DictReader(stream))


def _entry(row: dict[str, str]) -> ContestEntry:
    return ContestEntry(
        year=int(row["year"]),
        team=row["team"],
        what=row["what"],
        top5_error=float(row["top5_error"]),
        learned=row["features"] == "learned",
        models=int(row["models"]) if row["models"] else None,
        measured_on=row["measured_on"],
        outside_data=row["outside_data"] == "yes",
        place=int(row["place"]) if row["place"] else None,
        source=row["source"],
    )
