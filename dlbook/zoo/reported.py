"""Accuracies that papers report for rows of the zoo: `reported.csv` beside this file. None of them was
measured here.

Each line has the row, the top-1 accuracy on ImageNet's validation set in per cent, the setting (crops, side,
extra data), the citation key of ``references.bib``, and the place: a table of that paper, or the
documentation of its authors' own code. A row may have several lines; the first one is what a chart shows.

>>> [(line.top1, line.setting, line.where) for line in reported() if line.row == "resnet34"]
[(75.48, '10 crops, 224', 'Table 3')]
"""

import csv
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("reported.csv")
COLUMNS = ("row", "top1", "setting", "citation", "where")


@dataclass(frozen=True)
class Reported:
    """Describe one reported accuracy.

    Args:
        top1: per cent.
        setting: how it was measured.
        citation, where: who says so, and in which table.
    """

    row: str
    top1: float
    setting: str
    citation: str
    where: str


def reported(source: Path = FILE) -> list[Reported]:
    """Return all reported accuracies, in the order of the file.

    Args:
        source: another file than the bundled one.

    Raises:
        ValueError: if a line (it names which) lacks a column, has an accuracy outside (0, 100), or repeats a
            row and setting.
    """
    found: list[Reported] = []
    with open(source, encoding="utf-8", newline="") as stream:
        lines = csv.DictReader(stream)
        if tuple(lines.fieldnames or ()) != COLUMNS:
            raise ValueError(
                f"{source}: expected the columns {', '.join(COLUMNS)}, got {lines.fieldnames}; "
                "restore the file's first line"
            )
        for line in lines:
            try:
                entry = Reported(
                    line["row"], float(line["top1"]), line["setting"], line["citation"], line["where"]
                )
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"{source}, line {lines.line_num}: expected top1 to be a number in per cent, got "
                    f"{line['top1']!r}; correct the line"
                ) from error
            if not 0 < entry.top1 < 100 or not all((entry.row, entry.setting, entry.citation, entry.where)):
                raise ValueError(
                    f"{source}, line {lines.line_num}: expected every column, and top1 in per cent "
                    f"between 0 and 100, got {line}; correct the line"
                )
            if any((entry.row, entry.setting) == (known.row, known.setting) for known in found):
                raise ValueError(
                    f"{source}, line {lines.line_num}: expected each row and setting once, got "
                    f"{entry.row!r} with this setting twice; keep one"
                )
            found.append(entry)
    return found
