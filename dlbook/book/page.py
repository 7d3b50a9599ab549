"""The first cell of every chapter: `page = book.begin("resnet", seed=0)`.

It seeds what draws numbers, sets the threads, asks torch for determinism and dresses the figures. What it
returns is the chapter's own: its ledger, its device, its inserted numbers, its end.

>>> page = begin("example", seed=0)
>>> page.ledger.check("weights of Linear(3, 2)", predicted=3 * 2, measured=6)
>>> page.device
'cpu'
"""

import os
import random
from typing import Any

import numpy as np
import torch

from dlbook.book import inserts
from dlbook.book.budget import device
from dlbook.book.ledger import Ledger
from dlbook.book.style import figure_style


class Page:
    """What one chapter owns.

    Attributes:
        slug: the file's name, as in `chapters/<part>/<slug>.md`, with hyphens for underscores.
        seed: of everything random that has no seed of its own.
        device: "cuda" where `DLBOOK_SCALE=gpu`, otherwise "cpu".
        ledger: what the chapter predicts and measures.
    """

    def __init__(self, slug: str, seed: int) -> None:
        self.ledger = Ledger(slug)  # refuses a bad slug
        self.slug, self.seed, self.device = slug, seed, device()

    def insert(self, name: str, values: Any, form: str = "{}", *, row: str = "") -> None:
        """Keep a number for the prose, which quotes it by the role `{glue:text}` as `<slug>-<name>`.

        Args:
            name: letters, digits, ``- _ .``; unique in the chapter.
            values: a number, a text, or one number a seed, which become mean ± standard deviation.
            form: a format string with one field, say "{:.1f} %".
            row: the row of the ledger that it stands in, by name or by words that this name alone has. It
                need not be said where the row compares these very values; then the page finds it.

        Raises:
            ValueError: a bad name, or a format that does not fit.
        """
        inserts.insert(f"{self.slug}-{name}", values, form)
        self.ledger.inserted(name, values, row)

    def end(self) -> None:
        """Show the ledger; for the last code cell.

        Raises:
            ValueError: if the ledger is empty, or an inserted number names a row that it does not have.
        """
        self.ledger.show()


def begin(slug: str, seed: int = 0) -> Page:
    """Seed `random`, numpy and torch, set the threads from `OMP_NUM_THREADS`, ask torch for determinism,
    dress the figures, and return the chapter's page. For the first code cell.

    Args:
        slug: the chapter's file name without ending, in lower case with hyphens ("label-smoothing").
        seed: 0 to 2**32 - 1.

    Raises:
        ValueError: the slug or the seed is none, `DLBOOK_SCALE` or `OMP_NUM_THREADS` has an invalid value, or
            a GPU is asked for and torch finds none.
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f'expected a seed from 0 to 2**32 - 1, got {seed!r}; book.begin("{slug}", seed=0).')
    page = Page(slug, seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(_threads())
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    figure_style()
    return page


def _threads() -> int:
    asked = os.environ.get("OMP_NUM_THREADS") or str(torch.get_num_threads())
    if not asked.isdigit() or int(asked) < 1:
        raise ValueError(
            f"expected OMP_NUM_THREADS to be a whole number >= 1, got {asked!r}; export OMP_NUM_THREADS=1"
        )
    return int(asked)
