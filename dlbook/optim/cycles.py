"""Schedules that come back: warm restarts, cyclical rates and the one-cycle policy.

As in :mod:`dlbook.optim.schedules`, a schedule maps update ``t`` (from 0) to a factor; the base rate is the
*largest* rate.

Sources: warm restarts (SGDR), Loshchilov & Hutter 2016 (arXiv:1608.03983, eq. 5); cyclical rates, Smith 2015
(arXiv:1506.01186, section 3); one-cycle, Smith 2018 (arXiv:1803.09820) and Smith & Topin 2017
(arXiv:1708.07120).

Departures from the papers

1. Smith's papers fall straight in the last phase of one cycle; the cosine form, the default here, is fastai's
   and torch's.
2. The momentum of one cycle is a schedule of its own, to be set with `set_momentum`.

>>> sgdr = warm_restarts(10, multiply=2)
>>> [round(sgdr(t), 3) for t in (0, 5, 10, 20, 30)]  # cycles of 10, 20, 40 updates
[1.0, 0.5, 1.0, 0.5, 1.0]
"""

import math
from collections.abc import Callable

import torch

from dlbook.checks import require, require_above, require_in, require_one_of

Schedule = Callable[[float], float]
SHAPES = ("triangular", "halving", "exponential")


def warm_restarts(first: int, multiply: int = 1, final: float = 0.0) -> Schedule:
    """Repeat half a cosine, in cycles of lengths first, first * multiply, first * multiply ** 2, ... (eq. 5).

    Args:
        first: length of the first cycle, > 0 (T_0).
        multiply: integer >= 1 (T_mult).
        final: the floor, a factor in [0, 1]; a cycle's last update is one step above it, and the next has
            the full rate again.

    Raises:
        ValueError: a length or the floor is out of range.
    """
    require_above("first", first, 0, "give the length of the first cycle in updates")
    whole = multiply >= 1 and int(multiply) == multiply
    require(whole, "multiply to be an integer >= 1", multiply, "1 keeps all cycles equal, 2 doubles them")
    require_in("final", final, 0, 1, fix="it is a factor of the base rate; 0 lets a cycle end at 0")

    def schedule(step: float) -> float:
        since, length = step, first
        if multiply == 1:
            since = step % first
        while since >= length:
            since, length = since - length, length * multiply
        return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * since / length))

    return schedule


def cyclical(
    up: int, down: int | None = None, low: float = 0.1, shape: str = "triangular", gamma: float = 1.0
) -> Schedule:
    """Climb and fall between `low` and 1 in straight lines (Smith 2015, section 3).

    Args:
        up: steps of climbing, > 0.
        down: steps of falling, > 0; None takes as many as `up`.
        low: the smallest factor, in [0, 1].
        shape: "triangular"; "halving" (the paper's triangular2), where each cycle is half as high above `low`
            as the one before; "exponential" (exp_range), where the height is multiplied by gamma ** t.
        gamma: in (0, 1]; only "exponential" uses it.

    Raises:
        ValueError: a value is out of range.
    """
    down = up if down is None else down
    require_above("up", up, 0, "give the steps of climbing; the paper has 2 to 10 epochs")
    require_above("down", down, 0, "give the steps of falling, or None for as many as `up`")
    require_in("low", low, 0, 1, fix="it is a factor of the base rate; the paper has 1/4 to 1/3")
    require_in("gamma", gamma, 0, 1, "(]", "1 keeps the height; a number just below 1 lets it shrink")
    require_one_of("shape", shape, SHAPES)

    def schedule(step: float) -> float:
        cycle, since = divmod(step, up + down)
        height = since / up if since <= up else (up + down - since) / down
        shrink = {"triangular": 1.0, "halving": 0.5**cycle, "exponential": gamma**step}[shape]
        return low + (1.0 - low) * height * shrink

    return schedule


def one_cycle(
    total: int,
    climb: float = 0.3,
    start: float = 1 / 25,
    final: float = 1 / 250_000,
    shape: str = "cosine",
    three_phase: bool = False,
) -> Schedule:
    """Climb once from `start` to 1 and fall once to `final`, which the last update has (torch's OneCycleLR).

    Args:
        total: number of updates; the last is `total` - 1.
        climb: share of the updates before the peak, in (0, 1); the peak is at climb * total - 1.
        start: factor of the first update, in [0, 1].
        final: factor of the last update, in [0, 1].
        shape: "cosine" or "linear".
        three_phase: fall back to `start` symmetrically first, then to `final` (Smith's form; climb <= 1/2).

    Raises:
        ValueError: a value is out of range.
    """
    values = (start, 1.0, start, final) if three_phase else (start, 1.0, final)
    return _phases(total, climb, values, shape, three_phase)


def one_cycle_momentum(
    total: int,
    climb: float = 0.3,
    low: float = 0.85,
    high: float = 0.95,
    shape: str = "cosine",
    three_phase: bool = False,
) -> Schedule:
    """Give the momentum that goes with `one_cycle`: low where the rate is high, high where it is low.

    It is a value, not a factor. Arguments and errors are those of `one_cycle`; `low` and `high` are the
    smallest and the largest momentum, in [0, 1].
    """
    values = (high, low, high, high) if three_phase else (high, low, high)
    return _phases(total, climb, values, shape, three_phase)


def set_momentum(optimizer: torch.optim.Optimizer, momentum: float) -> None:
    """Set the momentum of SGD, or the first beta of Adam and its relatives, in all groups.

    Raises:
        ValueError: the optimizer has neither.
    """
    for group in optimizer.param_groups:
        if "momentum" in group:
            group["momentum"] = momentum
        elif "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            raise ValueError(
                f"expected an optimizer with momentum or betas, got {type(optimizer).__name__}; "
                "leave the momentum out of its schedule"
            )


def _phases(total: int, climb: float, values: tuple[float, ...], shape: str, three_phase: bool) -> Schedule:
    """Join `values` by pieces of a cosine or of a line; the last is reached at total - 1."""
    if three_phase:
        require_in(
            "climb", climb, 0, 0.5, "(]", "the fall back is as long as the climb, so give half at most"
        )
    else:
        require_in("climb", climb, 0, 1, "()", "give the share of the updates before the peak; 0.3 is common")
    late = climb * total > 1
    require(late, "climb * total > 1", climb * total, "the peak comes after the first update: more updates")
    for value in values:
        require_in("each factor and momentum", value, 0, 1, fix="factors are of the base rate")
    require_one_of("shape", shape, ("cosine", "linear"))
    peak = climb * total - 1
    knots = (0.0, peak, 2 * peak, total - 1) if three_phase else (0.0, peak, total - 1)

    def schedule(step: float) -> float:
        step = min(step, total - 1)
        piece = next(i for i, end in enumerate(knots[1:]) if step <= end)
        done = (step - knots[piece]) / (knots[piece + 1] - knots[piece])
        left = 0.5 * (1.0 + math.cos(math.pi * done)) if shape == "cosine" else 1.0 - done
        return values[piece + 1] + (values[piece] - values[piece + 1]) * left

    return schedule
