"""Every schedule against torch's, over all steps, in float64; and against what the formula demands at its
ends.

Each ``check_*`` takes the builder, so that `test_schedules_faults.py` can hand it a broken one and see it
fail.
"""

import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as reference

from dlbook.optim import cycles, schedules

BASE = 0.37  # a rate that is no power of anything
totals = st.integers(2, 60)
gammas = st.floats(0.3, 1.0)
factors = st.floats(0.05, 1.0)
few = settings(max_examples=40, deadline=None)


def torch_rates(build, updates, base=BASE):
    """The rates that torch's scheduler gives to updates 0, 1, ..., in the order that its documentation asks
    for.
    """
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base, momentum=0.9)
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = build(optimizer)
        for _ in range(updates):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return torch.tensor(rates, dtype=torch.float64)


def agree(schedule, build, updates, base=BASE):
    """Equal at every update to 1e-11 of the base rate: torch's recursive forms collect rounding, ours has
    none to collect.
    """
    torch.testing.assert_close(
        base * schedules.curve(schedule, updates),
        torch_rates(build, updates, base),
        rtol=0,
        atol=1e-11 * base,
    )


def check_step(build, every=7, gamma=0.3):
    agree(build(every, gamma), lambda o: reference.StepLR(o, every, gamma), 3 * every + 2)


def check_multi_step(build, milestones=(3, 4, 11), gamma=0.3):
    agree(
        build(milestones, gamma),
        lambda o: reference.MultiStepLR(o, list(milestones), gamma),
        max(milestones) + 3,
    )


def check_exponential(build, gamma=0.9):
    agree(build(gamma), lambda o: reference.ExponentialLR(o, gamma), 40)


def check_polynomial(build, total=10, power=0.9):
    agree(build(total, power), lambda o: reference.PolynomialLR(o, total, power), total + 5)


def check_linear(build, total=10, start=0.25, end=1.0):
    agree(build(total, start, end), lambda o: reference.LinearLR(o, start, end, total), total + 5)


def check_cosine(build, total=10, final=0.1):
    agree(build(total, final), lambda o: reference.CosineAnnealingLR(o, total, BASE * final), total + 1)
    assert build(total, final)(total) == pytest.approx(final, abs=1e-15), (
        "the last step has to reach the floor"
    )
    assert build(total, final)(total + 3) == pytest.approx(final, abs=1e-15), "the floor has to hold"


def check_warmup(build, steps=5, start=0.2):
    """shift=0 is torch's line; shift=1 has moved one step by the first update and has the full rate at update
    steps - 1.
    """
    agree(build(steps, start, shift=0), lambda o: reference.LinearLR(o, start, 1.0, steps), steps + 4)
    expected = [start + (1 - start) * min((t + 1) / steps, 1) for t in range(steps + 4)]
    assert schedules.curve(build(steps, start), steps + 4).tolist() == pytest.approx(expected, abs=1e-15)
    assert build(steps, start)(0) > start and build(steps, start)(steps - 1) == 1.0


def check_inverse_sqrt(build, warmup_steps=4000, width=512):
    """Vaswani et al., equation 3, with the step counted from 1, and the peak (d w) ** -0.5 taken out."""
    for s in (1, 2, 100, 3999, 4000, 4001, 100_000):
        paper = width**-0.5 * min(s**-0.5, s * warmup_steps**-1.5)
        assert (width * warmup_steps) ** -0.5 * build(warmup_steps)(s - 1) == pytest.approx(paper, rel=1e-12)


def check_cosine_fraction(build, total=1024):
    for t in (0, 1, 512, 1023, 1024, 2000):
        assert build(total)(t) == pytest.approx(
            math.cos(7 * math.pi * min(t, total) / (16 * total)), abs=1e-15
        )


def check_sequence(build, ramp=5, decay=9, tail=4):
    """Warm-up, cosine, a second cosine: each piece starts at its own step 0."""
    pieces = [schedules.linear(ramp, 0.1, 1.0), schedules.cosine(decay), schedules.cosine(tail)]

    def torchs(o):
        parts = [
            reference.LinearLR(o, 0.1, 1.0, ramp),
            reference.CosineAnnealingLR(o, decay),
            reference.CosineAnnealingLR(o, tail),
        ]
        return reference.SequentialLR(o, parts, [ramp, ramp + decay])

    agree(build(pieces, [ramp, ramp + decay]), torchs, ramp + decay + tail)


def check_product(build, total=12, gamma=0.8):
    agree(
        build(schedules.linear(total, 0.1, 1.0), schedules.exponential(gamma)),
        lambda o: reference.ChainedScheduler(
            [reference.LinearLR(o, 0.1, 1.0, total), reference.ExponentialLR(o, gamma)]
        ),
        total + 5,
    )


def check_per_epoch(build, steps_per_epoch=6, gamma=0.5):
    """Stepping torch's scheduler once an epoch, while the optimizer steps at every batch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, expected = reference.StepLR(optimizer, 2, gamma), []
    for _ in range(7):
        for _ in range(steps_per_epoch):
            expected.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
        scheduler.step()
    assert schedules.curve(
        build(schedules.step(2, gamma), steps_per_epoch), 7 * steps_per_epoch
    ).tolist() == pytest.approx(expected, rel=1e-14)


@given(totals, gammas)
@few
def test_step(every, gamma):
    check_step(schedules.step, every, gamma)


@given(st.sets(st.integers(1, 40), min_size=1, max_size=5), gammas)
@few
def test_multi_step(milestones, gamma):
    check_multi_step(schedules.multi_step, sorted(milestones), gamma)


@given(gammas)
@few
def test_exponential(gamma):
    check_exponential(schedules.exponential, gamma)


@given(totals, st.floats(0.3, 4.0))
@few
def test_polynomial(total, power):
    check_polynomial(schedules.polynomial, total, power)


@given(totals, factors, factors)
@few
def test_linear(total, start, end):
    check_linear(schedules.linear, total, start, end)


@given(totals, st.floats(0.0, 1.0))
@few
def test_cosine(total, final):
    check_cosine(schedules.cosine, total, final)


@given(st.integers(1, 60), factors)
@few
def test_warmup(steps, start):
    check_warmup(schedules.warmup, steps, start * 0.99)


@given(st.integers(1, 10_000), st.integers(1, 4096))
@few
def test_inverse_sqrt(warmup_steps, width):
    check_inverse_sqrt(schedules.inverse_sqrt, warmup_steps, width)


@given(totals, totals, totals)
@few
def test_sequence(ramp, decay, tail):
    check_sequence(schedules.sequence, ramp, decay, tail)


@given(totals, gammas)
@few
def test_product(total, gamma):
    check_product(schedules.product, total, gamma)


@given(st.integers(1, 20), gammas)
@few
def test_per_epoch(steps_per_epoch, gamma):
    check_per_epoch(schedules.per_epoch, steps_per_epoch, gamma)


def test_cosine_fraction():
    check_cosine_fraction(schedules.cosine_fraction)


@given(st.floats(0.05, 1.0), totals)
@few
def test_constant_for_a_while_is_torchs_constant(factor, total):
    ours = schedules.sequence([schedules.constant(factor), schedules.constant()], [total])
    agree(ours, lambda o: reference.ConstantLR(o, factor, total), total + 4)


@given(totals, st.floats(0.0, 0.9))
@few
def test_torchs_cosine_climbs_again_and_ours_does_not(total, final):
    """The one place where the two differ by intention: after the last step."""
    theirs = torch_rates(lambda o: reference.CosineAnnealingLR(o, total, BASE * final), 2 * total + 1)
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
        rates = []
        for _ in range(first, last):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return rates, (optimizer.state_dict(), scheduler.state_dict())

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
    with pytest.raises(ValueError, match="expected .* got .*; "):
        call()
