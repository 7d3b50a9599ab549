"""Counts what each model of the zoo costs, for one image on torch's meta device.

`python -m dlbook.zoo.counting` counts all rows and writes `counted.csv`, which `dlbook.zoo.rows` reads.

>>> counted("lenet5").macs
325680
"""

import csv
import io
import sys
from collections.abc import Iterable, Sequence

from torch import nn

from dlbook.files import write_whole
from dlbook.measure.costs import Counts, count
from dlbook.measure.watcher import Macs, watch
from dlbook.models import create, variants
from dlbook.zoo.papers import PAPERS
from dlbook.zoo.rows import COLUMNS, FILE, Entry, require_name
from dlbook.zoo.sizes import input_size, size_options


def checked_size(name: str, size: int | Sequence[int] | None) -> tuple[int, int, int]:
    """Return (C, H, W) from a side, from three numbers, or None for the row's own.

    Raises:
        ValueError: for anything else.
    """
    own = input_size(name)
    if size is None:
        return own
    given = (own[0], size, size) if isinstance(size, int) else tuple(size)
    if len(given) != 3 or any(
        not isinstance(part, int) or isinstance(part, bool) or part < 1 for part in given
    ):
        raise ValueError(
            f"expected size to be one side or channels, height and width, got {size!r}; such as {own}"
        )
    return given


def build(name: str, size: tuple[int, int, int]) -> nn.Module:
    """Return the row with fresh weights for images of `size`, (C, H, W)."""
    return create(name, **size_options(name, size))


def counts(name: str, size: int | Sequence[int] | None = None) -> Counts:
    """Count everything that `dlbook.measure.count` finds of a row.

    Args:
        name: the row.
        size: a side, (C, H, W), or None for the row's own.

    Raises:
        ValueError: for an unknown name, or a size that the model does not take.
    """
    size = checked_size(require_name(name), size)
    return count(lambda: build(name, size), size)


def counted(name: str) -> Entry:
    """Count the row `name` at its own size.

    Raises:
        ValueError: for a name that no table of the models has, or a family without a paper.
    """
    size = input_size(name)
    counter = watch(Macs, lambda: build(name, size), size)  # no hooks: faster than `counts`, same sum
    family = variants()[name]
    parameters = sum(p.numel() for p in counter.model.parameters())
    return Entry(name, family, PAPERS[family], size, parameters, counter.total)


def as_csv(found: Iterable[Entry]) -> str:
    """Return the text of `counted.csv` for these rows."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows((e.name, e.family, *e.input_size, e.parameters, e.macs) for e in found)
    return text.getvalue()


def record() -> None:
    """Count every row of every table, and write `counted.csv`."""
    found = []
    for number, name in enumerate(rows := variants(), 1):
        found.append(counted(name))
        if number % 20 == 0 or number == len(rows):
            print(f"counted {number} of {len(rows)} models", file=sys.stderr, flush=True)
    print(write_whole(FILE, as_csv(found)))


if __name__ == "__main__":
    record()
