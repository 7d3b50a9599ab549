"""What only chapters need: page, ledger, experiments, figures, parity, package source, recorded results.

What draws is imported when it is first asked for: the zoo prints its tables without matplotlib.
"""

from importlib import import_module

from dlbook.book.budget import device, scale
from dlbook.book.experiment import fit, over_seeds
from dlbook.book.parity import parity
from dlbook.book.recorded_runs import recorded, show_recorded
from dlbook.book.sources import source
from dlbook.book.tables import table

_WITH_MATPLOTLIB = {  # name -> the module of this folder that has it
    "bands": "figures",
    "begin": "page",
    "draw": "figures",
    "panels": "figures",
    "photos": "figures",
}

__all__ = [
    "bands",
    "begin",
    "device",
    "draw",
    "fit",
    "over_seeds",
    "panels",
    "parity",
    "photos",
    "recorded",
    "scale",
    "show_recorded",
    "source",
    "table",
]


def __getattr__(name: str):
    if name not in _WITH_MATPLOTLIB:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WITH_MATPLOTLIB[name]}"), name)
    globals()[name] = found
    return found
