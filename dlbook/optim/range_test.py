"""The learning-rate range test: one short run whose rate grows until the loss explodes.

Source: Smith 2015 (arXiv:1506.01186, section 3.3), who lets the rate grow linearly and watches the accuracy.
The form here, with a geometric growth, a smoothed loss and a stop at divergence, is the one that fastai made
common.

Departures from the paper

1. The model, its buffers, the optimizer and torch's random state are given back as they were, so that the
   test leaves no trace; a test that does not is the commonest fault of such tools.

>>> weight = torch.nn.Parameter(torch.tensor([1.0]))
>>> sgd = torch.optim.SGD([weight], lr=0.1)
>>> loss = lambda model, batch: model[0].square().sum()
>>> found = range_test(torch.nn.ParameterList([weight]), sgd, [None], loss, high=10)
>>> bool(found.diverged), weight.item(), sgd.param_groups[0]["lr"]
(True, 1.0, 0.1)
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dlbook.checks import require, require_above, require_in


@dataclass(frozen=True)
class RangeTest:
    """Holds what a range test saw.

    Attributes:
        rates: of the updates that were made, float64 [updates].
        losses: before each of them, float64 [updates].
        smoothed: their bias-corrected moving average, float64 [updates].
        diverged: whether it stopped early.
    """

    rates: Tensor
    losses: Tensor
    smoothed: Tensor
    diverged: bool

    @property
    def falls(self) -> bool:
        """Whether the smoothed loss is ever below the first one."""
        return bool(self.smoothed.argmin() > 0)

    def steepest(self) -> float:
        """Return the rate where the smoothed loss falls fastest per factor of e in the rate; a modest choice.

        Only rates up to the lowest loss count: beyond it the loss jumps up and down, and a fall there says
        nothing.

        Raises:
            ValueError: there are fewer than three points, or the loss never falls.
        """
        self._needs(3)
        require(
            self.falls,
            "a loss that falls at some rate",
            f"one that is lowest before the first update, {self.smoothed[0].item():.3g}",
            f"the rates went from {self.rates[0].item():.1e} to {self.rates[-1].item():.1e}: start lower "
            "where the loss grows, end higher where it stands still, or take more updates",
        )
        slope = torch.gradient(self.smoothed, spacing=(self.rates.log(),))[0]
        return self.rates[slope[: self.smoothed.argmin() + 1].argmin()].item()

    def lowest(self) -> float:
        """Return the rate at the lowest smoothed loss: already on the edge, so people divide it by 3 to 10.

        Raises:
            ValueError: there are fewer than three points.
        """
        self._needs(3)
        return self.rates[self.smoothed.argmin()].item()

    def _needs(self, points: int) -> None:
        seen = len(self.rates)
        require(seen >= points, f"{points} points or more", seen, "start lower, or take more updates")


def range_test(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[Any],
    loss_function: Callable[[nn.Module, Any], Tensor],
    low: float = 1e-5,
    high: float = 10.0,
    updates: int = 100,
    smoothing: float = 0.9,
    stop_factor: float = 4.0,
) -> RangeTest:
    """Train while the rate grows geometrically from `low` to `high`; stop where the loss diverges.

    Args:
        model: trained in place and then restored, as are the optimizer and the random state.
        optimizer: its groups all get the same rate.
        batches: gone through again where they are fewer than `updates`.
        loss_function: (model, batch) -> scalar loss.
        low: the first rate, > 0.
        high: the last rate, > low.
        updates: >= 2.
        smoothing: weight of the past in the bias-corrected moving average, in [0, 1).
        stop_factor: > 1; stop once the smoothed loss exceeds this times its lowest so far, or is not finite.

    Raises:
        ValueError: a value is out of range, or there are no batches.
    """
    rates = _rates(low, high, updates)
    require_in("smoothing", smoothing, 0, 1, "[)", "0.9 is common; 0 shows each loss as it is")
    require_above("stop_factor", stop_factor, 1, "4 is common; a large number never stops early")
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    try:
        with torch.random.fork_rng():
            steps = zip(rates, _forever(batches), strict=False)
            losses = (_update(model, optimizer, loss_function, batch, rate) for rate, batch in steps)
            return _watch(rates, losses, smoothing, stop_factor)
    finally:
        model.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
        optimizer.zero_grad()


def _rates(low: float, high: float, updates: int) -> list[float]:
    """Return the rates from `low` to `high`, each the same factor larger than the one before."""
    require_above("low", low, 0, "begin well below any rate that learns; 1e-5 is common")
    require_above("high", high, low, "give the two rates the other way round, or a larger `high`")
    require(updates >= 2, "updates >= 2", updates, "100 give a curve that can be read")
    return [low * (high / low) ** (i / (updates - 1)) for i in range(updates)]


def _watch(rates: list[float], losses: Iterable[float], smoothing: float, stop_factor: float) -> RangeTest:
    """Draw losses one by one until they diverge or end; what is not finite is not kept."""
    seen, smoothed, average, diverged = [], [], 0.0, False
    for loss in losses:
        if not math.isfinite(loss):
            diverged = True
            break
        seen.append(loss)
        average = smoothing * average + (1 - smoothing) * loss
        smoothed.append(average / (1 - smoothing ** len(seen)))
        if smoothed[-1] > stop_factor * min(smoothed):
            diverged = True
            break
    as_tensors = (
        torch.tensor(values, dtype=torch.float64) for values in (rates[: len(seen)], seen, smoothed)
    )
    return RangeTest(*as_tensors, diverged)


def _update(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss_function: Callable, batch: Any, rate: float
) -> float:
    """One update at `rate`; returns the loss before it."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss = loss_function(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


def _forever(batches: Iterable[Any]) -> Iterable[Any]:
    for turn in itertools.count():
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty:
            raise ValueError(
                f"expected batches, got {'none' if turn == 0 else 'a generator that is used up'}; "
                "pass a list or a DataLoader, which can be gone through again"
            )
