"""Warm restarts, cyclical rates and one-cycle against torch's, rates and momenta, in float64."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as reference

from dlbook.optim import cycles, schedules

PEAK = 0.37
few = settings(max_examples=40, deadline=None)


def torch_values(build, updates, key="lr"):
    """What torch's scheduler leaves in the first group for updates 0, 1, ...; key: "lr", "momentum" or
    "beta".
    """
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = (
        torch.optim.Adam([weight], lr=PEAK)
        if key == "beta"
        else torch.optim.SGD([weight], lr=PEAK, momentum=0.9)
    )
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = build(optimizer)
        for t in range(updates):
            group = optimizer.param_groups[0]
            found.append(group["betas"][0] if key == "beta" else group[key])
            optimizer.step()
            if t < updates - 1:
                scheduler.step()
    return torch.tensor(found, dtype=torch.float64)


def agree(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def check_warm_restarts(build, first=5, multiply=2, final=0.1):
    updates = first * (1 + multiply + multiply**2) + 3
    theirs = torch_values(
        lambda o: reference.CosineAnnealingWarmRestarts(o, first, multiply, PEAK * final), updates
    )
    agree(PEAK * schedules.curve(build(first, multiply, final), updates), theirs)


def check_cyclical(build, up=5, down=8, low=0.2, shape="triangular", gamma=0.97):
    mode = {"triangular": "triangular", "halving": "triangular2", "exponential": "exp_range"}[shape]

    def torchs(o):
        return reference.CyclicLR(o, PEAK * low, PEAK, up, down, mode=mode, gamma=gamma, cycle_momentum=False)

    updates = 3 * (up + down) + 2
    agree(PEAK * schedules.curve(build(up, down, low, shape, gamma), updates), torch_values(torchs, updates))


def one_cycle_of_torch(total, climb, shape, three_phase):
    strategy = {"cosine": "cos", "linear": "linear"}[shape]
    return lambda o: reference.OneCycleLR(
        o,
        PEAK,
        total_steps=total,
        pct_start=climb,
        anneal_strategy=strategy,
        div_factor=25,
        final_div_factor=1e4,
        three_phase=three_phase,
    )


def check_one_cycle(build, total=40, climb=0.3, shape="cosine", three_phase=False):
    theirs = torch_values(one_cycle_of_torch(total, climb, shape, three_phase), total)
    agree(PEAK * schedules.curve(build(total, climb, shape=shape, three_phase=three_phase), total), theirs)
    assert build(total, climb, shape=shape)(total - 1) == pytest.approx(1 / 250_000, rel=1e-9), (
        "the last update has the lowest rate"
    )


def check_one_cycle_momentum(build, total=40, climb=0.3, shape="cosine", three_phase=False):
    ours = schedules.curve(build(total, climb, shape=shape, three_phase=three_phase), total)
    for key in ("momentum", "beta"):
        agree(ours, torch_values(one_cycle_of_torch(total, climb, shape, three_phase), total, key))


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
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    scheduler = reference.CosineAnnealingWarmRestarts(optimizer, first, multiply)
    scheduler.step(epoch)
    assert PEAK * cycles.warm_restarts(first, multiply)(epoch) == pytest.approx(
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
    with pytest.raises(ValueError, match="expected .* got .*; "):
        call()
