"""The zoo as a whole: which paper each model comes from, what it costs, what its layers are, what was
reported of it, and how fast it is beside the libraries.

>>> from dlbook import zoo
>>> zoo.models("lenet").columns
('model', 'paper', 'year', 'parameters', 'MACs', 'input')
"""

from dlbook.zoo.costs import Entry, entries, entry, require_name
from dlbook.zoo.papers import PAPERS, Paper, input_size, paper_of
from dlbook.zoo.reported import Reported, reported
from dlbook.zoo.speed import against_the_better, milliseconds, peers, speed
from dlbook.zoo.tables import describe, models, summary

__all__ = [
    "PAPERS",
    "Entry",
    "Paper",
    "Reported",
    "against_the_better",
    "describe",
    "entries",
    "entry",
    "input_size",
    "milliseconds",
    "models",
    "paper_of",
    "peers",
    "reported",
    "require_name",
    "speed",
    "summary",
]
