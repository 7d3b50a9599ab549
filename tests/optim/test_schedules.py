"""Every schedule against torch's, over all steps, in float64, and against its formula's ends; seeded faults.

Each ``rates.check_*`` takes the builder, so that it can be held against a broken one too.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as reference

from dlbook.optim import cycles, schedules
from tests.optim import schedule_checks as rates
from tests.optim.schedule_checks import BASE, agree, torch_values
from tests.seeded import check_sees

totals = st.integers(2, 60)
gammas = st.floats(0.3, 1.0)
factors = st.floats(0.05, 1.0)
few = settings(max_examples=40)


@given(totals, gammas)
@few
def test_step(every, gamma):
    rates.check_step(schedules.step, every, gamma)


@given(st.sets(st.integers(1, 40), min_size=1, max_size=5), gammas)
@few
def test_multi_step(milestones, gamma):
    rates.check_multi_step(schedules.multi_step, sorted(milestones), gamma)


@given(gammas)
@few
def test_exponential(gamma):
    rates.check_exponential(schedules.exponential, gamma)


@given(totals, st.floats(0.3, 4.0))
@few
def test_polynomial(total, power):
    rates.check_polynomial(schedules.polynomial, total, power)


@given(totals, factors, factors)
@few
def test_linear(total, start, end):
    rates.check_linear(schedules.linear, total, start, end)


@given(totals, st.floats(0.0, 1.0))
@few
def test_cosine(total, final):
    rates.check_cosine(schedules.cosine, total, final)


@given(st.integers(1, 60), factors)
@few
def test_warmup(steps, start):
    rates.check_warmup(schedules.warmup, steps, start * 0.99)


@given(st.integers(1, 10_000), st.integers(1, 4096))
@few
def test_inverse_sqrt(warmup_steps, width):
    rates.check_inverse_sqrt(schedules.inverse_sqrt, warmup_steps, width)


@given(totals, totals, totals)
@few
def test_sequence(ramp, decay, tail):
    rates.check_sequence(schedules.sequence, ramp, decay, tail)


@given(totals, gammas)
@few
def test_product(total, gamma):
    rates.check_product(schedules.product, total, gamma)


@given(st.integers(1, 20), gammas)
@few
def test_per_epoch(steps_per_epoch, gamma):
    rates.check_per_epoch(schedules.per_epoch, steps_per_epoch, gamma)


def test_cosine_fraction():
    rates.check_cosine_fraction(schedules.cosine_fraction)


@given(st.floats(0.05, 1.0), totals)
@few
def test_constant_for_a_while_is_torchs_constant(factor, total):
    ours = schedules.sequence([schedules.constant(factor), schedules.constant()], [total])
    agree(ours, lambda o: reference.ConstantLR(o, factor, total), total + 4)


@given(totals, st.floats(0.0, 0.9))
@few
def test_torchs_cosine_climbs_again_and_ours_does_not(total, final):
    """The one place where the two differ by intention: after the last step."""
    theirs = torch_values(lambda o: reference.CosineAnnealingLR(o, total, BASE * final), 2 * total + 1)
    assert theirs[-1] == pytest.approx(BASE, rel=1e-9)
    assert schedules.cosine(total, final)(2 * total) == final


def test_to_torch_follows_the_schedule_in_every_group():
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": weights[:1], "lr": 1.0}, {"params": weights[1:], "lr": 0.1}])
    schedule = schedules.sequence([schedules.warmup(3), schedules.cosine(7)], [3])
    scheduler = schedules.to_torch(optimizer, schedule)
    for t in range(10):
        assert [group["lr"] for group in optimizer.param_groups] == [schedule(t), 0.1 * schedule(t)]
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize(
    "build",
    [
        lambda: schedules.sequence([schedules.warmup(5), schedules.cosine(25)], [5]),
        lambda: schedules.multi_step([7, 21]),
        lambda: cycles.warm_restarts(4, 2),
        lambda: cycles.one_cycle(30),
    ],
)
@pytest.mark.parametrize("cut", [1, 4, 5, 17])
def test_resuming_gives_the_same_rates_bit_for_bit(build, cut):
    def run(first, last, state=None):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
        scheduler = schedules.to_torch(optimizer, build())
        if state:
            optimizer.load_state_dict(state[0])
            scheduler.load_state_dict(state[1])
        found = []
        for _ in range(first, last):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return found, (optimizer.state_dict(), scheduler.state_dict())

    whole, _ = run(0, 30)
    before, state = run(0, cut)
    after, _ = run(cut, 30, state)
    assert before + after == whole


@pytest.mark.parametrize(
    "call",
    [
        lambda: schedules.constant(-1),
        lambda: schedules.linear(0),
        lambda: schedules.step(0),
        lambda: schedules.multi_step([5, 3]),
        lambda: schedules.multi_step([0, 3]),
        lambda: schedules.exponential(0),
        lambda: schedules.polynomial(10, 0),
        lambda: schedules.cosine(-3),
        lambda: schedules.cosine(10, float("nan")),
        lambda: schedules.cosine_fraction(10, 0.6),
        lambda: schedules.warmup(0),
        lambda: schedules.warmup(5, start=2),
        lambda: schedules.warmup(5, shift=2),
        lambda: schedules.inverse_sqrt(0),
        lambda: schedules.sequence([schedules.constant()], [3]),
        lambda: schedules.product(),
        lambda: schedules.per_epoch(schedules.constant(), 0),
        lambda: schedules.curve(schedules.constant(), 0),
    ],
)
def test_senseless_values_are_refused_with_a_way_out(call):
    with pytest.raises(ValueError, match="expected .* got .*; .+"):
        call()


ALWAYS = "math.cos(math.pi * min(step / total, 1.0))"
FAULTS = {  # what is wrong: the builder, the source, the faulty source, the check that has to see it
    "the ramp ends a step late": (
        "warmup",
        "(step + shift) / steps",
        "(step + shift) / (steps + 1)",
        rates.check_warmup,
    ),
    "the shift is ignored": ("warmup", "(step + shift) / steps", "step / steps", rates.check_warmup),
    "the last step stays above the floor": (
        "cosine",
        ALWAYS,
        "math.cos(math.pi * min(step, total - 1) / total)",
        rates.check_cosine,
    ),
    "not held after its end": ("cosine", ALWAYS, "math.cos(math.pi * step / total)", rates.check_cosine),
    "the floor cuts the curve": (
        "cosine",
        "final + (1.0 - final) * 0.5 * (1.0 + " + ALWAYS + ")",
        "max(final, 0.5 * (1.0 + " + ALWAYS + "))",
        rates.check_cosine,
    ),
    "the drop one step late": ("step", "(step // every)", "(max(step - 1, 0) // every)", rates.check_step),
    "m < t for m <= t": (
        "multi_step",
        "gamma ** bisect_right(milestones, step)",
        "gamma ** bisect_right(milestones, step - 0.5)",
        rates.check_multi_step,
    ),
    "epochs counted at every batch": (
        "per_epoch",
        "step // steps_per_epoch)",
        "step)",
        rates.check_per_epoch,
    ),
    "epochs counted from 1": (
        "per_epoch",
        "step // steps_per_epoch)",
        "step // steps_per_epoch + 1)",
        rates.check_per_epoch,
    ),
    "one clock for all": ("sequence", "(step - starts[turn])", "(step)", rates.check_sequence),
    "factors averaged": (
        "product",
        "math.prod(schedule(step) for schedule in schedules)",
        "sum(schedule(step) for schedule in schedules) / len(schedules)",
        rates.check_product,
    ),
    "steps counted from 0": (
        "inverse_sqrt",
        "min((step + 1) / warmup_steps, math.sqrt(warmup_steps / (step + 1)))",
        "min(step / warmup_steps, math.sqrt(warmup_steps / max(step, 1)))",
        rates.check_inverse_sqrt,
    ),
    "a half cosine, cut off": (
        "cosine_fraction",
        "math.cos(math.pi * fraction * min(step / total, 1.0))",
        "0.5 * (1 + math.cos(math.pi * fraction * min(step / total, 1.0)))",
        rates.check_cosine_fraction,
    ),
    "the line not held": (
        "linear",
        "(end - start) * min(step / total, 1.0)",
        "(end - start) * step / total",
        rates.check_linear,
    ),
    "power outside": (
        "polynomial",
        "(1.0 - min(step / total, 1.0)) ** power",
        "1.0 - min(step / total, 1.0) ** power",
        rates.check_polynomial,
    ),
    "one step ahead": ("exponential", "gamma**step", "gamma ** (step + 1)", rates.check_exponential),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, schedules, name, old, new)
