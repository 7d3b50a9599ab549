"""What chapters call that are not yet on `page = book.begin(slug)`; goes away with the last of them.

scripts/lint/to_convert.py lists those chapters, and a test fails if this file outlives the list.
"""

import time
from typing import Any

from dlbook.book import inserts, page
from dlbook.book.agreement import plain
from dlbook.book.ledger import Ledger, LedgerMismatch
from dlbook.book.ledger_table import LedgerRow

_started = time.process_time()


def begin(slug: str = "former", seed: int = 0) -> page.Page:
    """Begin a chapter that may not say its slug."""
    global _started
    _started = time.process_time()
    return page.begin(slug, seed)


def insert_run_time(name: str) -> None:
    """Keep the processor seconds since `begin` under `name`."""
    inserts.insert(name, 1 + int(time.process_time() - _started))


class FormerLedger(Ledger):
    """A ledger whose claims may come with a margin that somebody typed."""

    def claim(
        self, name: str, holds: Any, detail: str = "", margin: Any = None, *, source: str = "experiment"
    ) -> None:
        """Keep what an experiment shows.

        Raises:
            LedgerMismatch: if it does not hold.
        """
        if plain(holds) is not True:
            raise LedgerMismatch(f"ledger of {self.chapter!r}: the claim {name!r} does not hold ({detail})")
        needed = "" if margin is None else f"margin {margin}"
        self._keep(LedgerRow("verified", name, "holds", detail or "holds", needed, source))
