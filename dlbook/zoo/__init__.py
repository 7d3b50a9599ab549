"""The zoo as a whole: which paper each model comes from, what it costs, what its layers are, what was
reported of it, and how fast it is beside the libraries.

The list of the models needs no torch. What does is imported when it is first asked for, so that `dlbook
models` and a misspelled name are answered at once.

>>> from dlbook import zoo
>>> zoo.models("lenet").columns
('model', 'paper', 'year', 'parameters', 'MACs', 'input')
"""

from importlib import import_module

from dlbook.zoo.papers import PAPERS, Paper
from dlbook.zoo.reported import Reported, reported
from dlbook.zoo.rows import Entry, entries, entry, paper_of, require_name

_WITH_TORCH = {  # name -> the module of this folder that has it
    "input_size": "sizes",
    "milliseconds": "comparison",
    "peers": "comparison",
    "ratios_to_best_peer": "comparison",
    "speed": "comparison",
    "describe": "tables",
    "models": "tables",
    "summary": "tables",
}

__all__ = [
    "PAPERS",
    "Entry",
    "Paper",
    "Reported",
    "describe",
    "entries",
    "entry",
    "input_size",
    "milliseconds",
    "models",
    "paper_of",
    "peers",
    "ratios_to_best_peer",
    "reported",
    "require_name",
    "speed",
    "summary",
]


def __getattr__(name: str):
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WITH_TORCH[name]}"), name)
    globals()[name] = found
    return found
