"""What each model of the zoo costs: parameters and multiply-accumulates for one image, counted on torch's
meta device.

>>> lenet = entry("lenet5")
>>> lenet.parameters, lenet.macs, lenet.input_size
(60000, 325680, (1, 32, 32))
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dlbook.measure.costs import Counts, count
from dlbook.models import FAMILIES, create, variants
from dlbook.zoo.papers import Paper, input_size, paper_of, size_options


@dataclass(frozen=True)
class Entry:
    """One row of the zoo. input_size: (C, H, W) that `macs` holds for; parameters, macs: exact, with the
    row's own classes.
    """

    name: str
    family: str
    paper: Paper
    input_size: tuple[int, int, int]
    parameters: int
    macs: int


def require_name(name: str) -> str:
    """Return `name` if the zoo has it. Raises ValueError with the nearest names if not."""
    if name in variants():
        return name
    near = difflib.get_close_matches(str(name).lower(), variants(), n=5, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "no name is near it."
    raise ValueError(f"there is no model {name!r}; {hint} `dlbook models` lists all {len(variants())}")


def names(family: str | None = None) -> list[str]:
    """Names of all rows, or of one family's, in the order of the tables. Raises ValueError for an unknown
    family.
    """
    if family is not None and family not in FAMILIES:
        near = difflib.get_close_matches(family.lower(), FAMILIES, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise ValueError(f"there is no family {family!r}; {hint}the families are {', '.join(FAMILIES)}")
    return [name for name, home in variants().items() if family in (None, home)]


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


def entry(name: str) -> Entry:
    """The row `name` with its paper and its costs at its own size. Raises ValueError for an unknown name."""
    size = input_size(require_name(name))
    with torch.device("meta"):
        model, image = build(name, size).eval(), torch.empty(1, *size)
    with torch.no_grad(), _Macs() as macs:
        model(image)
    return Entry(
        name, variants()[name], paper_of(name), size, sum(p.numel() for p in model.parameters()), macs.total
    )


def entries(family: str | None = None) -> Iterator[Entry]:
    """All rows, or one family's, one after the other as they are counted. Raises ValueError for an unknown
    family.
    """
    return map(entry, names(family))
