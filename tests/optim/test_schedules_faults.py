"""Faults seeded into the schedules, one line each, and the proof that the oracle of each builder sees them.

Every row: what is broken, the broken builder, the check that has to fail. The same checks pass on the real
builders in `test_schedules.py` and `test_schedules_cycles.py`.
"""

import math
from bisect import bisect_left

import pytest
import torch

import tests.optim.test_range_test as of_range_test
import tests.optim.test_schedules as of_schedules
import tests.optim.test_schedules_cycles as of_cycles
from dlbook.optim import cycles, range_test, schedules


def delayed_warmup(steps, start=0.0, shift=1):
    """Off by one: the ramp ends a step late."""
    return lambda t: start + (1 - start) * min((t + shift) / (steps + 1), 1.0)


def warmup_from_nothing(steps, start=0.0, shift=1):
    """The first update has the rate `start`, whatever was asked for."""
    return lambda t: start + (1 - start) * min(t / steps, 1.0)


def cosine_that_never_arrives(total, final=0.0):
    """The last step stays above the floor."""
    return lambda t: final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(t, total - 1) / total))


def cosine_that_climbs_again(total, final=0.0):
    """Not held after its end."""
    return lambda t: final + (1 - final) * 0.5 * (1 + math.cos(math.pi * t / total))


def cosine_with_absolute_floor(total, final=0.0):
    """The floor added to the curve instead of being its end."""
    return lambda t: max(final, 0.5 * (1 + math.cos(math.pi * min(t / total, 1))))


def step_on_the_next(every, gamma=0.1):
    """The drop one step late."""
    return lambda t: gamma ** (max(t - 1, 0) // every)


def milestone_passed_late(milestones, gamma=0.1):
    """m < t where m <= t is meant."""
    return lambda t: gamma ** bisect_left(sorted(milestones), t)


def epoch_unit_ignored(schedule, steps_per_epoch):
    """A schedule over epochs, stepped at every batch."""
    return schedule


def epoch_rounded_up(schedule, steps_per_epoch):
    """The epoch counted from 1."""
    return lambda t: schedule(t // steps_per_epoch + 1)


def sequence_on_one_clock(pieces, milestones):
    """The second piece does not start at its own step 0."""
    return lambda t: pieces[sum(m <= t for m in milestones)](t)


def summed(*pieces):
    """Factors averaged instead of multiplied."""
    return lambda t: sum(piece(t) for piece in pieces) / len(pieces)


def inverse_sqrt_from_zero(warmup_steps):
    """The paper counts steps from 1."""
    return lambda t: min(t / warmup_steps, math.sqrt(warmup_steps / max(t, 1)))


def fraction_of_a_half_cosine(total, fraction=7 / 16):
    """1/2 (1 + cos) of FixMatch's angle: the usual cosine, cut off."""
    return lambda t: 0.5 * (1 + math.cos(math.pi * fraction * min(t / total, 1.0)))


def restarts_without_doubling(first, multiply=1, final=0.0):
    return cycles.warm_restarts(first, 1, final)


def restarts_that_add(first, multiply=1, final=0.0):
    """Cycle lengths first, 2 first, 3 first, ... instead of a geometric row."""

    def schedule(t):
        since, number = t, 1
        while since >= first * number:
            since, number = since - first * number, number + 1
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * since / (first * number)))

    return schedule


def restart_one_late(first, multiply=1, final=0.0):
    real = cycles.warm_restarts(first, multiply, final)
    return lambda t: real(max(t - 1, 0))


def cycle_halved_too_early(up, down=None, low=0.1, shape="triangular", gamma=1.0):
    """The paper's triangular2 has its first cycle at full height."""
    real = cycles.cyclical(up, down, low, shape, gamma)
    return lambda t: low + (real(t) - low) / 2


def down_as_long_as_up(up, down=None, low=0.1, shape="triangular", gamma=1.0):
    return cycles.cyclical(up, up, low, shape, gamma)


def one_cycle_ending_a_step_late(total, *args, **kwargs):
    return cycles.one_cycle(total + 1, *args, **kwargs)


def momentum_in_phase(total, climb=0.3, low=0.85, high=0.95, **kwargs):
    """High where the rate is high."""
    real = cycles.one_cycle_momentum(total, climb, low, high, **kwargs)
    return lambda t: low + high - real(t)


FAULTS = [
    (delayed_warmup, of_schedules.check_warmup),
    (warmup_from_nothing, of_schedules.check_warmup),
    (cosine_that_never_arrives, of_schedules.check_cosine),
    (cosine_that_climbs_again, of_schedules.check_cosine),
    (cosine_with_absolute_floor, of_schedules.check_cosine),
    (step_on_the_next, of_schedules.check_step),
    (milestone_passed_late, of_schedules.check_multi_step),
    (epoch_unit_ignored, of_schedules.check_per_epoch),
    (epoch_rounded_up, of_schedules.check_per_epoch),
    (sequence_on_one_clock, of_schedules.check_sequence),
    (summed, of_schedules.check_product),
    (inverse_sqrt_from_zero, of_schedules.check_inverse_sqrt),
    (fraction_of_a_half_cosine, of_schedules.check_cosine_fraction),
    (restarts_without_doubling, of_cycles.check_warm_restarts),
    (restarts_that_add, of_cycles.check_warm_restarts),
    (restart_one_late, of_cycles.check_warm_restarts),
    (cycle_halved_too_early, of_cycles.check_cyclical),
    (down_as_long_as_up, of_cycles.check_cyclical),
    (one_cycle_ending_a_step_late, of_cycles.check_one_cycle),
    (momentum_in_phase, of_cycles.check_one_cycle_momentum),
]


@pytest.mark.parametrize(("fault", "check"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_the_oracle_sees_the_fault(fault, check):
    with pytest.raises(AssertionError):
        check(fault)


REAL = {
    of_schedules.check_warmup: schedules.warmup,
    of_schedules.check_cosine: schedules.cosine,
    of_schedules.check_step: schedules.step,
    of_schedules.check_multi_step: schedules.multi_step,
    of_schedules.check_per_epoch: schedules.per_epoch,
    of_schedules.check_sequence: schedules.sequence,
    of_schedules.check_product: schedules.product,
    of_schedules.check_inverse_sqrt: schedules.inverse_sqrt,
    of_schedules.check_cosine_fraction: schedules.cosine_fraction,
    of_cycles.check_warm_restarts: cycles.warm_restarts,
    of_cycles.check_cyclical: cycles.cyclical,
    of_cycles.check_one_cycle: cycles.one_cycle,
    of_cycles.check_one_cycle_momentum: cycles.one_cycle_momentum,
}


@pytest.mark.parametrize("check", dict.fromkeys(check for _, check in FAULTS))
def test_the_same_check_passes_on_the_real_builder(check):
    check(REAL[check])


def without_restoring(monkeypatch):
    """The range test leaves the model where it diverged."""
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda self, state: None)


def one_rate_for_all(monkeypatch):
    """The rate never reaches the optimizer."""
    real = range_test._update
    monkeypatch.setattr(
        range_test,
        "_update",
        lambda model, optimizer, loss, batch, rate: real(model, optimizer, loss, batch, 1e-3),
    )


def without_bias_correction(monkeypatch):
    """The moving average starts at 0, so that it seems to rise at first."""
    real = range_test._watch
    monkeypatch.setattr(
        range_test,
        "_watch",
        lambda rates, losses, smoothing, stop: real(
            rates, (v * (i < 1) for i, v in enumerate(losses)), smoothing, stop
        ),
    )


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (without_restoring, of_range_test.check_leaves_no_trace),
        (one_rate_for_all, of_range_test.check_stability_limit),
        (without_bias_correction, of_range_test.check_smoothing),
    ],
)
def test_the_oracle_sees_the_fault_of_the_range_test(fault, check, monkeypatch):
    check()
    fault(monkeypatch)
    with pytest.raises(AssertionError):
        check()
