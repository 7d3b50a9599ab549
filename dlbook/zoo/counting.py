"""Counts what each model of the zoo costs, for one image on torch's meta device. `python -m dlbook.zoo.counting`
counts all rows and writes `counted.csv`, which `dlbook.zoo.rows` reads.

>>> counted("lenet5").macs
325680
"""

import csv
import io
import sys
from collections.abc import Iterable, Sequence

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dlbook.files import write_whole
from dlbook.measure.costs import Counts, count
from dlbook.models import create, variants
from dlbook.zoo.papers import PAPERS
from dlbook.zoo.rows import COLUMNS, FILE, Entry, require_name
from dlbook.zoo.sizes import input_size, size_options


def checked_size(name: str, size: int | Sequence[int] | None) -> tuple[int, int, int]:
    """(C, H, W) from a side, from three numbers, or None for the row's own. Raises ValueError for anything
    else.
    """
    own = input_size(name)
    if size is None:
        return own
    given = (own[0], size, size) if isinstance(size, int) else tuple(size)
    if len(given) != 3 or any(
        not isinstance(part, int) or isinstance(part, bool) or part < 1 for part in given
    ):
        raise ValueError(
            f"size must be one side or channels, height and width, all at least 1, such as {own}, "
            f"got {size!r}"
        )
    return given


def build(name: str, size: tuple[int, int, int]) -> nn.Module:
    """The row with fresh weights for images of `size`, (C, H, W)."""
    return create(name, **size_options(name, size))


def counts(name: str, size: int | Sequence[int] | None = None) -> Counts:
    """Everything that `dlbook.measure.count` finds of a row. size: a side, (C, H, W), or None for the row's own.

    Raises ValueError for an unknown name, or a size that the model does not take.
    """
    size = checked_size(require_name(name), size)
    return count(lambda: build(name, size), size)


class _Macs(TorchDispatchMode):
    """Adds up the multiply-accumulates of a forward pass, and nothing else: half the time of `counts`, with
    the same sum.
    """

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out) // 2
        return out


def counted(name: str) -> Entry:
    """Count the row `name` at its own size. Raises ValueError for a name that no table of the models has, or a
    family without a paper.
    """
    size = input_size(name)
    with torch.device("meta"):
        model, image = build(name, size).eval(), torch.empty(1, *size)
    with torch.no_grad(), _Macs() as macs:
        model(image)
    family = variants()[name]
    parameters = sum(p.numel() for p in model.parameters())
    return Entry(name, family, PAPERS[family], size, parameters, macs.total)


def as_csv(found: Iterable[Entry]) -> str:
    """The text of `counted.csv` for these rows."""
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
