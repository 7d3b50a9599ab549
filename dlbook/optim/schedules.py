"""Learning-rate schedules: pure functions from a step to a factor of the base rate.

A schedule here is a callable. ``schedule(t)`` is the factor of the base rate that the update number ``t``
uses, counted from 0: ``t`` updates have been made before it. The rate is ``base_rate * schedule(t)``. Because
a schedule keeps no state, it can be plotted before the training, tested against a formula, and resumed from
the step alone. The unit of ``t`` is whatever the caller counts (updates or epochs); a fractional epoch is
allowed.

Sources: step and multi-step, He et al. 2015 (arXiv:1512.03385, section 3.4); cosine, Loshchilov & Hutter 2016
(arXiv:1608.03983, eq. 5); warm-up, Goyal et al. 2017 (arXiv:1706.02677, section 2.2); inverse square root,
Vaswani et al. 2017 (arXiv:1706.03762, eq. 3); polynomial, Chen et al. 2016 (arXiv:1606.00915); fraction of a
cosine, Sohn et al. 2020 (arXiv:2001.07685). Cycles (warm restarts, cyclical, one-cycle) are in
:mod:`dlbook.optim.cycles`.

Departures from the papers

1. Every builder is relative to the base rate, so that a floor is a factor and not an absolute rate (torch's
   ``eta_min`` is absolute).
2. `cosine` holds its floor after its last step, where torch's recursive form climbs again.
3. `inverse_sqrt` is normalised to a peak of 1, where the paper's factor also holds the width of the model.

>>> schedule = sequence([warmup(5), cosine(95)], milestones=[5])
>>> [round(schedule(t), 3) for t in (0, 4, 5, 52, 100)]
[0.2, 1.0, 1.0, 0.508, 0.0]
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

import torch

from dlbook.checks import require, require_above, require_at_least, require_in

Schedule = Callable[[float], float]


def constant(factor: float = 1.0) -> Schedule:
    """Hold one factor >= 0 at every step.

    Raises:
        ValueError: the factor is negative or not finite.
    """
    require_at_least("factor", factor, 0)
    return lambda step: factor


def linear(total: int, start: float = 1.0, end: float = 0.0) -> Schedule:
    """Go straight from `start` at step 0 to `end` at step `total`, which then holds (torch's LinearLR).

    Args:
        total: > 0 steps.
        start: factor >= 0.
        end: factor >= 0.

    Raises:
        ValueError: a value is out of range.
    """
    require_above("total", total)
    require_at_least("start", start, 0)
    require_at_least("end", end, 0)
    return lambda step: start + (end - start) * min(step / total, 1.0)


def step(every: int, gamma: float = 0.1) -> Schedule:
    """Drop after each `every` > 0 steps by `gamma` > 0: gamma ** floor(t / every) (torch's StepLR).

    Raises:
        ValueError: a value is out of range.
    """
    require_above("every", every)
    require_above("gamma", gamma)
    return lambda step: gamma ** (step // every)


def multi_step(milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """Drop at each milestone by `gamma` > 0: gamma ** (number of milestones m <= t) (He et al. 2015).

    Args:
        milestones: ascending steps, from 1 on.
        gamma: factor of one drop, > 0.

    Raises:
        ValueError: a value is out of range, or the milestones do not ascend.
    """
    require_above("gamma", gamma)
    milestones = _ascending(milestones)
    return lambda step: gamma ** bisect_right(milestones, step)


def exponential(gamma: float) -> Schedule:
    """Multiply by `gamma` > 0 at each step; with lambda = -ln(gamma) this is exp(-lambda t).

    Raises:
        ValueError: gamma is out of range.
    """
    require_above("gamma", gamma)
    return lambda step: gamma**step


def polynomial(total: int, power: float = 1.0) -> Schedule:
    """Fall as (1 - t / total) ** power until `total`, then stay at 0 (torch's PolynomialLR).

    Args:
        total: > 0 steps.
        power: > 0.

    Raises:
        ValueError: a value is out of range.
    """
    require_above("total", total)
    require_above("power", power)
    return lambda step: (1.0 - min(step / total, 1.0)) ** power


def cosine(total: int, final: float = 0.0) -> Schedule:
    """Fall by half a cosine from 1 at step 0 to `final` at step `total`, which then holds (SGDR, eq. 5).

    Args:
        total: > 0 steps.
        final: factor >= 0.

    Raises:
        ValueError: a value is out of range.
    """
    require_above("total", total)
    require_at_least("final", final, 0)
    return lambda step: final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * min(step / total, 1.0)))


def cosine_fraction(total: int, fraction: float = 7 / 16) -> Schedule:
    """Follow cos(pi * fraction * t / total) until `total`, then hold its last value (FixMatch, section 2.4).

    Args:
        total: > 0 steps.
        fraction: in (0, 1/2]; the paper's 7/16 ends at 0.195.

    Raises:
        ValueError: a value is out of range.
    """
    require_above("total", total)
    require_in("fraction", fraction, 0, 0.5, "(]", "beyond 1/2 the rate is negative; the paper has 7/16")
    return lambda step: math.cos(math.pi * fraction * min(step / total, 1.0))


def warmup(steps: int, start: float = 0.0, shift: int = 1) -> Schedule:
    """Climb straight from `start` to 1, which then holds: start + (1 - start) * min(1, (t + shift) / steps).

    Args:
        steps: > 0.
        start: factor in [0, 1].
        shift: 1, so that the first update already moves and update `steps` - 1 has the full rate; 0 (torch's
            LinearLR), so that the first update has the rate `start` (nothing is learned from it where `start`
            is 0) and update `steps` the full rate.

    Raises:
        ValueError: a value is out of range.
    """
    require_above("steps", steps)
    require_in("start", start, 0, 1, fix="it is a factor of the base rate, to which the warm-up climbs")
    require(shift in (0, 1), "shift 0 or 1", shift, "1 lets the first update move; 0 is torch's form")
    return lambda step: start + (1.0 - start) * min((step + shift) / steps, 1.0)


def inverse_sqrt(warmup_steps: int) -> Schedule:
    """Follow min(s / w, sqrt(w / s)) with s = t + 1 and w = `warmup_steps` > 0.

    This is equation 3 of Vaswani et al., divided by its peak (d w)^-1/2.

    Raises:
        ValueError: `warmup_steps` is out of range.
    """
    require_above("warmup_steps", warmup_steps)
    return lambda step: min((step + 1) / warmup_steps, math.sqrt(warmup_steps / (step + 1)))


def sequence(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """Join schedules; each starts its own clock at 0 when its turn comes (torch's SequentialLR).

    Args:
        schedules: n of them.
        milestones: n - 1 ascending steps; from milestones[i] on, schedules[i + 1] holds.

    Raises:
        ValueError: the numbers do not match, or the milestones do not ascend.
    """
    schedules, milestones = tuple(schedules), _ascending(milestones)
    if len(milestones) != len(schedules) - 1:
        raise ValueError(
            f"expected one milestone fewer than schedules, got {len(schedules)} schedules and "
            f"{len(milestones)} milestones; give the steps at which the second, third ... schedule begins"
        )
    starts = (0, *milestones)

    def composed(step: float) -> float:
        turn = bisect_right(milestones, step)
        return schedules[turn](step - starts[turn])

    return composed


def product(*schedules: Schedule) -> Schedule:
    """Multiply the factors of one schedule or more, all on one clock (torch's ChainedScheduler).

    Raises:
        ValueError: there is none.
    """
    require(bool(schedules), "one schedule or more", "none", "pass the schedules as arguments")
    return lambda step: math.prod(schedule(step) for schedule in schedules)


def per_epoch(schedule: Schedule, steps_per_epoch: int) -> Schedule:
    """Hold each value of `schedule`, whose clock counts epochs, for `steps_per_epoch` > 0 updates.

    Raises:
        ValueError: `steps_per_epoch` is out of range.
    """
    require_above("steps_per_epoch", steps_per_epoch)
    return lambda step: schedule(step // steps_per_epoch)


def curve(schedule: Schedule, updates: int) -> torch.Tensor:
    """Return the factors of updates 0, ..., `updates` - 1, float64 [updates].

    Raises:
        ValueError: `updates` is not above 0.
    """
    require_above("updates", updates)
    return torch.tensor([schedule(step) for step in range(updates)], dtype=torch.float64)


def to_torch(optimizer: torch.optim.Optimizer, schedule: Schedule) -> torch.optim.lr_scheduler.LambdaLR:
    """Make a torch scheduler that multiplies each group's own rate by `schedule`.

    Call its ``step()`` after each optimizer step. Its ``state_dict`` holds the step and the base rates, not
    the schedule: give the same schedule again when resuming.
    """
    return torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)


def _ascending(milestones: Sequence[int]) -> tuple[int, ...]:
    milestones = tuple(milestones)
    if any(later <= earlier for earlier, later in zip((0, *milestones), milestones, strict=False)):
        raise ValueError(
            f"expected ascending milestones from 1 on, got {list(milestones)}; sort them and drop repeats"
        )
    return milestones
