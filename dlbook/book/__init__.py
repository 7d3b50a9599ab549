"""What only chapters need: page, ledger, experiments, figures, parity, package source, recorded results."""

from dlbook.book.budget import device, scale
from dlbook.book.experiment import fit, over_seeds
from dlbook.book.figures import bands, draw, panels, photos
from dlbook.book.page import begin
from dlbook.book.parity import parity
from dlbook.book.recorded_runs import recorded, show_recorded
from dlbook.book.sources import source
from dlbook.book.tables import table

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
