"""The learning-rate range test of a run: its batches, its method, its optimizer.

>>> from dlbook.recipes.run.build import build
>>> from dlbook.recipes.run.config import RunConfig, resolve
>>> content = {"model": {"name": "convnet_digits"}, "data": {"name": "mnist5k", "limit": 128}}
>>> found = range_test(build(resolve(RunConfig, content)), low=1e-4, high=1e-2, updates=3)
>>> len(found.rates), found.diverged
(3, False)
"""

from tqdm import tqdm

from dlbook.optim import range_test as of_optimizer
from dlbook.recipes.run.build import Setup

__all__ = ["range_test"]


def range_test(
    setup: Setup, low: float = 1e-5, high: float = 10.0, updates: int = 100, progress: bool = False
) -> of_optimizer.RangeTest:
    """Train for a moment with a growing rate; weights, optimizer and random numbers are put back.

    Args:
        setup: what is trained.
        low, high: first and last rate, 0 < low < high.
        updates: steps, >= 2; fewer where the loss explodes.
        progress: show a bar.

    Raises:
        ValueError: a value is out of range.
    """
    with tqdm(range(updates), unit="step", disable=not progress, leave=False, dynamic_ncols=True) as numbers:
        return of_optimizer.range_test(
            setup.method.train(),
            setup.trainer.optimizer,
            (setup.trainer.batches(number) for number in numbers),
            lambda method, batch: method(batch, 0)["loss"],
            low,
            high,
            updates,
        )
