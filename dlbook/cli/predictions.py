"""How `dlbook predict` prints: a table or CSV, picture by picture, or JSON of all.

>>> writer = Writer("csv", print)
>>> writer(Path("a.png"), {"cat": 0.75, "dog": 0.25})
picture,rank,class,probability
a.png,1,cat,0.750000
a.png,2,dog,0.250000
>>> writer.end()
"""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from dlbook.cli.output import json_text

__all__ = ["Writer", "form_of"]

Form = Literal["table", "csv", "json"]


def form_of(as_json: bool, as_csv: bool) -> Form:
    """The form that two options ask for.

    Raises:
        ValueError: both are given.
    """
    if as_json and as_csv:
        raise ValueError("expected --json or --csv, got both; leave one out")
    return "json" if as_json else "csv" if as_csv else "table"


class Writer:
    """Takes one answer after another.

    Args:
        form: "table", "csv" (a line for each class) or "json" (picture -> class -> probability).
        say: prints lines.
    """

    def __init__(self, form: Form, say: Callable[[str], Any]) -> None:
        self.form, self.say = form, say
        self.found: dict[str, dict[str, float]] = {}

    def __call__(self, picture: Path, classes: dict[str, float]) -> None:
        """Print the answer to a picture, the most probable class first; JSON waits for `end`."""
        if self.form == "csv":
            if not self.found:
                self.say(_line(("picture", "rank", "class", "probability")))
            for rank, (name, probability) in enumerate(classes.items(), start=1):
                self.say(_line((picture, rank, name, f"{probability:.6f}")))
        if self.form == "table":
            self.say(str(picture))
            for name, probability in classes.items():
                self.say(f"  {100 * probability:5.1f} %  {name}")
        self.found[str(picture)] = classes

    def end(self) -> None:
        """Print what waited."""
        if self.form == "json":
            self.say(json_text(self.found, indent=1))


def _line(cells: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
