"""What only chapters need: ledger, figure style, budgets, inserted numbers, package source, recorded
results.
"""

from dlbook.book.budget import device, scale
from dlbook.book.inserts import insert, insert_run_time
from dlbook.book.ledger import Ledger, LedgerMismatch
from dlbook.book.recorded_runs import recorded, show_recorded
from dlbook.book.sources import source
from dlbook.book.style import begin, photos
from dlbook.book.tables import table

__all__ = [
    "Ledger",
    "LedgerMismatch",
    "begin",
    "device",
    "insert",
    "insert_run_time",
    "photos",
    "recorded",
    "scale",
    "show_recorded",
    "source",
    "table",
]
