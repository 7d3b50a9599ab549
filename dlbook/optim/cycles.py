"""Schedules that come back: warm restarts, cyclical rates and the one-cycle policy.

As in :mod:`dlbook.optim.schedules`, a schedule maps update ``t`` (from 0) to a factor; the base rate is the
*largest* rate.

Sources: warm restarts (SGDR), Loshchilov & Hutter 2016 (arXiv 1608.03983, eq. 5); cyclical rates, Smith 2015
(1506.01186, section 3); one-cycle, Smith 2018 (1803.09820) and Smith & Topin 2017 (1708.07120).

Departures: 1. Smith's papers fall straight in the last phase of one cycle; the cosine form, the default here,
is fastai's and torch's; 2. the momentum of one cycle is a schedule of its own, to be set with `set_momentum`.

>>> sgdr = warm_restarts(10, multiply=2)
>>> [round(sgdr(t), 3) for t in (0, 5, 10, 20, 30)]  # cycles of 10, 20, 40 updates
[1.0, 0.5, 1.0, 0.5, 1.0]
"""

import math
from collections.abc import Callable

import torch

Schedule = Callable[[float], float]
SHAPES = ("triangular", "halving", "exponential")


def warm_restarts(first: int, multiply: int = 1, final: float = 0.0) -> Schedule:
    """Cosine cycles of lengths first, first * multiply, first * multiply ** 2, ... (SGDR, eq. 5; T_0,
    T_mult).

    first: length of the first cycle. multiply: integer >= 1. final: the floor, as a factor; a cycle's last
    update is one step above it, and the next has the full rate again. Raises: ValueError on a length or floor
    out of range.
    """
    _check(
        first > 0 and multiply >= 1 and int(multiply) == multiply,
        f"first > 0 and an integer multiply >= 1, got {first} and {multiply}",
    )
    _check(0 <= final <= 1, f"final in [0, 1], got {final}")

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
    """Triangles between `low` and 1: `up` steps of climbing, `down` (None: as many) of falling (Smith 2015,
    section 3).

    shape: "triangular"; "halving" (the paper's triangular2), where each cycle is half as high above `low` as
    the one before; "exponential" (exp_range), where the height is multiplied by gamma ** t. Raises:
    ValueError on values out of range.
    """
    down = up if down is None else down
    _check(up > 0 and down > 0, f"up > 0 and down > 0, got {up} and {down}")
    _check(0 <= low <= 1 and 0 < gamma <= 1, f"low in [0, 1] and gamma in (0, 1], got {low} and {gamma}")
    _check(shape in SHAPES, f"shape to be one of {SHAPES}, got {shape!r}")

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
    """One climb from `start` to 1 and one fall to `final`, reached by the last update, `total` - 1 (torch's
    OneCycleLR).

    climb: share of the updates before the peak, in (0, 1); the peak is at climb * total - 1. shape: "cosine"
        or "linear".
    three_phase: fall back to `start` symmetrically first, then to `final` (Smith's form; needs climb <= 1/2).
    Raises: ValueError on values out of range.
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
    """The momentum (a value, not a factor) that goes with `one_cycle`: low where the rate is high, high where
    it is low.

    Raises: ValueError on values out of range.
    """
    values = (high, low, high, high) if three_phase else (high, low, high)
    return _phases(total, climb, values, shape, three_phase)


def set_momentum(optimizer: torch.optim.Optimizer, momentum: float) -> None:
    """Set the momentum of SGD, or the first beta of Adam and its relatives, in all groups.

    Raises: ValueError if the optimizer has neither.
    """
    for group in optimizer.param_groups:
        if "momentum" in group:
            group["momentum"] = momentum
        elif "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            raise ValueError(
                f"expected an optimizer with momentum or betas, got {type(optimizer).__name__}; "
                "keep its momentum."
            )


def _phases(total: int, climb: float, values: tuple[float, ...], shape: str, three_phase: bool) -> Schedule:
    """Join `values` by pieces of a cosine or of a line; the last is reached at total - 1."""
    fits = climb <= 0.5 if three_phase else climb < 1
    _check(fits, f"climb in {'(0, 1/2]' if three_phase else '(0, 1)'}, got {climb}")
    _check(climb * total > 1, f"climb * total > 1 (a peak after the first update), got {climb} * {total}")
    _check(all(0 <= value <= 1 for value in values), f"all factors and momenta in [0, 1], got {values}")
    _check(shape in ("cosine", "linear"), f"shape 'cosine' or 'linear', got {shape!r}")
    peak = climb * total - 1
    knots = (0.0, peak, 2 * peak, total - 1) if three_phase else (0.0, peak, total - 1)

    def schedule(step: float) -> float:
        step = min(step, total - 1)
        piece = next(i for i, end in enumerate(knots[1:]) if step <= end)
        done = (step - knots[piece]) / (knots[piece + 1] - knots[piece])
        left = 0.5 * (1.0 + math.cos(math.pi * done)) if shape == "cosine" else 1.0 - done
        return values[piece + 1] + (values[piece] - values[piece + 1]) * left

    return schedule


def _check(holds: bool, expected: str) -> None:
    if not holds:
        raise ValueError(f"expected {expected}; see the docstring for what each argument means.")
