"""Warm restarts, cyclical rates and one-cycle against torch's, rates and momenta; seeded faults."""

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as reference

from dlbook.optim import cycles, schedules
from tests.optim.schedule_checks import BASE, agree, torch_values
from tests.seeded import check_sees

few = settings(max_examples=40)


def check_warm_restarts(build, first=5, multiply=2, final=0.1):
    updates = first * (1 + multiply + multiply**2) + 3
    ours = build(first, multiply, final)
    agree(ours, lambda o: reference.CosineAnnealingWarmRestarts(o, first, multiply, BASE * final), updates)


def check_cyclical(build, up=5, down=8, low=0.2, shape="triangular", gamma=0.97):
    mode = {"triangular": "triangular", "halving": "triangular2", "exponential": "exp_range"}[shape]

    def torchs(o):
        return reference.CyclicLR(o, BASE * low, BASE, up, down, mode=mode, gamma=gamma, cycle_momentum=False)

    updates = 3 * (up + down) + 2
    agree(build(up, down, low, shape, gamma), torchs, updates)


def one_cycle_of_torch(total, climb, shape, three_phase):
    strategy = {"cosine": "cos", "linear": "linear"}[shape]
    return lambda o: reference.OneCycleLR(
        o,
        BASE,
        total_steps=total,
        pct_start=climb,
        anneal_strategy=strategy,
        div_factor=25,
        final_div_factor=1e4,
        three_phase=three_phase,
    )


def check_one_cycle(build, total=40, climb=0.3, shape="cosine", three_phase=False):
    ours = build(total, climb, shape=shape, three_phase=three_phase)
    agree(ours, one_cycle_of_torch(total, climb, shape, three_phase), total)
    assert build(total, climb, shape=shape)(total - 1) == pytest.approx(1 / 250_000, rel=1e-9), (
        "the last update has the lowest rate"
    )


def check_one_cycle_momentum(build, total=40, climb=0.3, shape="cosine", three_phase=False):
    ours = schedules.curve(build(total, climb, shape=shape, three_phase=three_phase), total)
    for key in ("momentum", "beta"):
        theirs = torch_values(one_cycle_of_torch(total, climb, shape, three_phase), total, key)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@given(st.integers(1, 20), st.integers(1, 3), st.floats(0.0, 1.0))
@few
def test_warm_restarts(first, multiply, final):
    check_warm_restarts(cycles.warm_restarts, first, multiply, final)


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.floats(0.01, 0.99),
    st.sampled_from(cycles.SHAPES),
    st.floats(0.9, 1.0),
)
@few
def test_cyclical(up, down, low, shape, gamma):
    check_cyclical(cycles.cyclical, up, down, low, shape, gamma)


@given(st.integers(5, 80), st.floats(0.25, 0.45), st.sampled_from(["cosine", "linear"]), st.booleans())
@few
def test_one_cycle_and_its_momentum(total, climb, shape, three_phase):
    check_one_cycle(cycles.one_cycle, total, climb, shape, three_phase)
    check_one_cycle_momentum(cycles.one_cycle_momentum, total, climb, shape, three_phase)


@given(st.integers(1, 12), st.integers(2, 3), st.floats(0.0, 200.0))
@few
def test_warm_restarts_take_a_fraction_of_an_epoch(first, multiply, epoch):
    """torch's scheduler.step(epoch) with a fraction uses a logarithm; ours subtracts cycles. Away from a
    restart they agree.
    """
    ends = [first * (multiply**n - 1) / (multiply - 1) for n in range(12)]
    if min(abs(epoch - end) for end in ends) < 1e-6:
        return
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    scheduler = reference.CosineAnnealingWarmRestarts(optimizer, first, multiply)
    scheduler.step(epoch)
    assert BASE * cycles.warm_restarts(first, multiply)(epoch) == pytest.approx(
        optimizer.param_groups[0]["lr"], abs=1e-9
    )


def test_set_momentum_reaches_every_group_of_both_families():
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    sgd = torch.optim.SGD([{"params": [w]} for w in weights], lr=0.1, momentum=0.9)
    adam = torch.optim.AdamW([{"params": [w]} for w in weights], lr=0.1)
    cycles.set_momentum(sgd, 0.5)
    cycles.set_momentum(adam, 0.5)
    assert [group["momentum"] for group in sgd.param_groups] == [0.5, 0.5]
    assert [group["betas"] for group in adam.param_groups] == [(0.5, 0.999)] * 2
    with pytest.raises(ValueError, match="momentum or betas"):
        cycles.set_momentum(torch.optim.Adagrad(weights), 0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: cycles.warm_restarts(0),
        lambda: cycles.warm_restarts(5, 0),
        lambda: cycles.warm_restarts(5, 1.5),
        lambda: cycles.warm_restarts(5, final=2),
        lambda: cycles.cyclical(0),
        lambda: cycles.cyclical(5, low=-1),
        lambda: cycles.cyclical(5, shape="square"),
        lambda: cycles.one_cycle(40, climb=1.0),
        lambda: cycles.one_cycle(3),
        lambda: cycles.one_cycle(40, climb=0.6, three_phase=True),
        lambda: cycles.one_cycle(40, shape="square"),
    ],
)
def test_senseless_values_are_refused_with_a_way_out(call):
    with pytest.raises(ValueError, match="expected .* got .*; .+"):
        call()


FAULTS = {  # what is wrong: the builder, the source, the faulty source, the check that has to see it
    "cycles do not grow": (
        "warm_restarts",
        "since, length = since - length, length * multiply",
        "since = since - length",
        check_warm_restarts,
    ),
    "cycles grow by addition": (
        "warm_restarts",
        "since, length = since - length, length * multiply",
        "since, length = since - length, length + first",
        check_warm_restarts,
    ),
    "the restart one step late": (
        "warm_restarts",
        "since, length = step, first",
        "since, length = max(step - 1, 0), first",
        check_warm_restarts,
    ),
    "halved from the first cycle on": (
        "cyclical",
        "0.5**cycle",
        "0.5 ** (cycle + 1)",
        functools.partial(check_cyclical, shape="halving"),
    ),
    "shrunk by cycles, not steps": (
        "cyclical",
        "gamma**step",
        "gamma**cycle",
        functools.partial(check_cyclical, shape="exponential"),
    ),
    "down as long as up": ("cyclical", "down = up if down is None else down", "down = up", check_cyclical),
    "one step too long": (
        "one_cycle",
        "return _phases(total, climb, values, shape, three_phase)\n\n\ndef one_cycle_momentum",
        "return _phases(total + 1, climb, values, shape, three_phase)\n\n\ndef one_cycle_momentum",
        check_one_cycle,
    ),
    "momentum in phase": (
        "one_cycle_momentum",
        "else (high, low, high)",
        "else (low, high, low)",
        check_one_cycle_momentum,
    ),
    "a third phase that stays": (
        "one_cycle",
        "(start, 1.0, start, final) if three_phase",
        "(start, 1.0, start, start) if three_phase",
        functools.partial(check_one_cycle, three_phase=True),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    name, old, new, check = FAULTS[fault]
    check_sees(check, cycles, name, old, new)
