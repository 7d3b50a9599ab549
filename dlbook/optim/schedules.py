"""Learning-rate schedules: pure functions from a step to a factor of the base rate.

A schedule here is a callable. ``schedule(t)`` is the factor of the base rate that the update number ``t``
uses, counted from 0: ``t`` updates have been made before it. The rate is ``base_rate * schedule(t)``. Because
a schedule keeps no state, it can be plotted before the training, tested against a formula, and resumed from
the step alone. The unit of ``t`` is whatever the caller counts (updates or epochs); a fractional epoch is
allowed.

Sources: step and multi-step, He et al. 2015 (arXiv 1512.03385, section 3.4); cosine, Loshchilov & Hutter 2016
(1608.03983, eq. 5); warm-up, Goyal et al. 2017 (1706.02677, section 2.2); inverse square root, Vaswani et al.
2017 (1706.03762, eq. 3); polynomial, Chen et al. 2016 (1606.00915); fraction of a cosine, Sohn et al. 2020
(2001.07685). Cycles (warm restarts, cyclical, one-cycle) are in :mod:`dlbook.optim.cycles`.

Departures: 1. every builder is relative to the base rate, so that a floor is a factor and not an absolute
rate (torch's ``eta_min`` is absolute); 2. `cosine` holds its floor after its last step, where torch's
recursive form climbs again;
3. `inverse_sqrt` is normalised to a peak of 1, where the paper's factor also holds the width of the model.

>>> schedule = sequence([warmup(5), cosine(95)], milestones=[5])
>>> [round(schedule(t), 3) for t in (0, 4, 5, 52, 100)]
[0.2, 1.0, 1.0, 0.508, 0.0]
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

import torch

Schedule = Callable[[float], float]


def constant(factor: float = 1.0) -> Schedule:
    """The same factor at every step. Raises: ValueError if `factor` is negative or not finite."""
    _at_least(0, factor=factor)
    return lambda step: factor


def linear(total: int, start: float = 1.0, end: float = 0.0) -> Schedule:
    """A straight line from `start` at step 0 to `end` at step `total`, which then holds (torch's LinearLR).

    Raises: ValueError if `total` is not positive or a factor is negative.
    """
    _positive(total=total)
    _at_least(0, start=start, end=end)
    return lambda step: start + (end - start) * min(step / total, 1.0)


def step(every: int, gamma: float = 0.1) -> Schedule:
    """gamma ** floor(t / every): a drop after each `every` steps (torch's StepLR).

    Raises: ValueError if `every` or `gamma` is not positive.
    """
    _positive(every=every, gamma=gamma)
    return lambda step: gamma ** (step // every)


def multi_step(milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """gamma ** (number of milestones m <= t): a drop at each milestone (torch's MultiStepLR; He et al. 2015).

    Raises: ValueError if the milestones are not ascending from 1 or more, or `gamma` is not positive.
    """
    _positive(gamma=gamma)
    milestones = _ascending(milestones)
    return lambda step: gamma ** bisect_right(milestones, step)


def exponential(gamma: float) -> Schedule:
    """gamma ** t; with lambda = -ln(gamma) this is exp(-lambda t) (torch's ExponentialLR).

    Raises: ValueError if `gamma` is not positive.
    """
    _positive(gamma=gamma)
    return lambda step: gamma**step


def polynomial(total: int, power: float = 1.0) -> Schedule:
    """(1 - t / total) ** power until `total`, then 0 (torch's PolynomialLR).

    Raises: ValueError if `total` or `power` is not positive.
    """
    _positive(total=total, power=power)
    return lambda step: (1.0 - min(step / total, 1.0)) ** power


def cosine(total: int, final: float = 0.0) -> Schedule:
    """Half a cosine from 1 at step 0 to `final` at step `total`, which then holds (Loshchilov & Hutter, eq.
    5, one cycle).

    Raises: ValueError if `total` is not positive or `final` is negative.
    """
    _positive(total=total)
    _at_least(0, final=final)
    return lambda step: final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * min(step / total, 1.0)))


def cosine_fraction(total: int, fraction: float = 7 / 16) -> Schedule:
    """cos(pi * fraction * t / total) until `total`, then its last value (FixMatch, section 2.4: fraction
    7/16, ends at 0.195).

    Raises: ValueError if `total` is not positive or `fraction` is outside (0, 1/2], where the rate would be
        negative.
    """
    _positive(total=total, fraction=fraction)
    if fraction > 0.5:
        raise ValueError(
            f"expected fraction in (0, 1/2], got {fraction}: beyond it the rate is negative; "
            "the paper has 7/16."
        )
    return lambda step: math.cos(math.pi * fraction * min(step / total, 1.0))


def warmup(steps: int, start: float = 0.0, shift: int = 1) -> Schedule:
    """A straight climb from `start` to 1, which then holds: start + (1 - start) * min(1, (t + shift) /
    steps).

    shift: 1, so that the first update already moves and update `steps` - 1 has the full rate; 0 (torch's
    LinearLR), so that the first update has the rate `start` (nothing is learned from it where `start` is 0)
    and update `steps` the full rate.
    Raises: ValueError if `steps` is not positive, `start` is outside [0, 1], or `shift` is neither 0 nor 1.
    """
    _positive(steps=steps)
    _at_least(0, start=start)
    if start > 1 or shift not in (0, 1):
        raise ValueError(
            f"expected start in [0, 1] and shift 0 or 1, got start={start}, shift={shift}; see the docstring."
        )
    return lambda step: start + (1.0 - start) * min((step + shift) / steps, 1.0)


def inverse_sqrt(warmup_steps: int) -> Schedule:
    """min(s / w, sqrt(w / s)) with s = t + 1 and w = `warmup_steps` (Vaswani et al., eq. 3, divided by its
    peak (d w)^-1/2).

    Raises: ValueError if `warmup_steps` is not positive.
    """
    _positive(warmup_steps=warmup_steps)
    return lambda step: min((step + 1) / warmup_steps, math.sqrt(warmup_steps / (step + 1)))


def sequence(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """One schedule after another; each starts its own clock at 0 when its turn comes (torch's SequentialLR).

    schedules: n of them. milestones: n - 1 ascending steps; from milestones[i] on, schedules[i + 1] holds.
    Raises: ValueError if the numbers do not match or the milestones do not ascend.
    """
    schedules, milestones = tuple(schedules), _ascending(milestones)
    if len(milestones) != len(schedules) - 1:
        raise ValueError(
            f"expected one milestone fewer than schedules, got {len(schedules)} schedules and "
            f"{len(milestones)} milestones; "
            "give the steps at which the second, third ... schedule begins."
        )
    starts = (0, *milestones)

    def composed(step: float) -> float:
        turn = bisect_right(milestones, step)
        return schedules[turn](step - starts[turn])

    return composed


def product(*schedules: Schedule) -> Schedule:
    """All schedules at once on one clock, their factors multiplied (torch's ChainedScheduler).

    Raises: ValueError if there is none.
    """
    if not schedules:
        raise ValueError("expected one schedule or more, got none; pass the schedules as arguments.")
    return lambda step: math.prod(schedule(step) for schedule in schedules)


def per_epoch(schedule: Schedule, steps_per_epoch: int) -> Schedule:
    """Hold each value of `schedule`, whose clock counts epochs, for a whole epoch of `steps_per_epoch`
    updates.

    Raises: ValueError if `steps_per_epoch` is not positive.
    """
    _positive(steps_per_epoch=steps_per_epoch)
    return lambda step: schedule(step // steps_per_epoch)


def curve(schedule: Schedule, updates: int) -> torch.Tensor:
    """The factors of updates 0, ..., `updates` - 1, shape (updates,), float64. Raises: ValueError if there
    are none.
    """
    _positive(updates=updates)
    return torch.tensor([schedule(step) for step in range(updates)], dtype=torch.float64)


def to_torch(optimizer: torch.optim.Optimizer, schedule: Schedule) -> torch.optim.lr_scheduler.LambdaLR:
    """A torch scheduler that multiplies each group's own rate by `schedule`; call its ``step()`` after each
    optimizer step.

    Its ``state_dict`` holds the step and the base rates, not the schedule: give the same schedule again when
        resuming.
    """
    return torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"expected {name} > 0, got {value}; give a positive, finite number.")


def _at_least(low: float, **values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value >= low):
            raise ValueError(
                f"expected {name} >= {low}, got {value}; give a finite number that is not below {low}."
            )


def _ascending(milestones: Sequence[int]) -> tuple[int, ...]:
    milestones = tuple(milestones)
    if any(later <= earlier for earlier, later in zip((0, *milestones), milestones, strict=False)):
        raise ValueError(
            f"expected ascending milestones from 1 on, got {list(milestones)}; sort them and drop repeats."
        )
    return milestones
