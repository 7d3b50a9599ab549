"""Some rows of the zoo, by a part of their name or a pattern, in an order: at once, without torch.

>>> [entry.name for entry in choose("vgg1[136]", sort="parameters")]
['vgg11', 'vgg13', 'vgg16']
"""

import difflib
from fnmatch import fnmatchcase

from dlbook.zoo.rows import Entry, entries

__all__ = ["ORDERS", "choose"]

ORDERS = {
    "name": lambda entry: entry.name,
    "year": lambda entry: entry.paper.year,
    "parameters": lambda entry: entry.parameters,
    "macs": lambda entry: entry.macs,
}


def choose(pattern: str | None = None, family: str | None = None, sort: str | None = None) -> list[Entry]:
    """Return the rows that are meant.

    Args:
        pattern: a part of the name, such as "resnet50"; or with ``*``, ``?`` or ``[`` a pattern of the whole
            name; None takes all.
        family: only this one; None takes all.
        sort: one of `ORDERS`, the smallest first; None keeps the order of the tables.

    Raises:
        ValueError: no row is meant, with the nearest names; or an unknown family or order.
    """
    if sort is not None and sort not in ORDERS:
        raise ValueError(f"--sort: expected one of {', '.join(ORDERS)}, got {sort!r}; choose one")
    rows = entries(family)
    if pattern is not None:
        whole = any(sign in pattern for sign in "*?[")
        kept = [row for row in rows if fnmatchcase(row.name, pattern if whole else f"*{pattern}*")]
        if not kept:
            near = difflib.get_close_matches(pattern.lower(), [row.name for row in rows], n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "`dlbook models` lists all"
            raise ValueError(
                f"expected a part of a model's name, or a pattern such as 'resnet*', got {pattern!r}, which "
                f"no name matches; {hint}"
            )
        rows = kept
    return rows if sort is None else sorted(rows, key=ORDERS[sort])
