"""The range test on problems whose answer is known, and that it leaves no trace; seeded faults."""

import pytest
import torch
from torch import nn

from dlbook.optim import range_test as module
from dlbook.optim.range_test import range_test
from tests.seeded import check_sees


class Bowl(nn.Module):
    """Loss h/2 |w|^2 from |w| = 1: gradient descent is stable exactly for rates below 2/h."""

    def __init__(self, curvature):
        super().__init__()
        self.curvature = curvature
        self.weight = nn.Parameter(torch.ones(1, dtype=torch.float64))


def bowl_loss(bowl, batch):
    return 0.5 * bowl.curvature * bowl.weight.square().sum()


def check_stability_limit(range_test):
    """On a bowl the loss turns at the rate 2/h: before it every update shrinks w, after it every update grows
    w.
    """
    for curvature in (0.5, 2.0, 40.0):
        bowl = Bowl(curvature)
        sgd = torch.optim.SGD(bowl.parameters(), lr=0.1)
        found = range_test(
            bowl,
            sgd,
            [None],
            bowl_loss,
            low=0.01 / curvature,
            high=20 / curvature,
            updates=400,
            smoothing=0.0,
            stop_factor=1e9,
        )
        assert found.diverged
        weight, expected = 1.0, []
        for rate in found.rates.tolist():  # the naive loop
            expected.append(0.5 * curvature * weight**2)
            weight *= 1 - rate * curvature
        torch.testing.assert_close(
            found.losses, torch.tensor(expected, dtype=torch.float64), rtol=1e-9, atol=0
        )
        turn = int((found.rates < 2 / curvature).sum())
        assert (found.losses[: turn + 1].diff() <= 0).all() and (found.losses[turn:].diff() > 0).all()


def check_leaves_no_trace(range_test):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    batches = [torch.randn(8, 3) for _ in range(3)]

    def loss_function(model, batch):
        return model(batch).square().mean()

    loss_function(model, batches[0]).backward()
    optimizer.step()
    optimizer.zero_grad()
    before = [value.clone() for value in model.state_dict().values()]
    moments = [state["exp_avg"].clone() for state in optimizer.state.values()]
    random = torch.get_rng_state()
    range_test(model, optimizer, batches, loss_function, high=1e6, updates=30)
    assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))
    assert all(
        torch.equal(a, state["exp_avg"]) for a, state in zip(moments, optimizer.state.values(), strict=True)
    )
    assert optimizer.param_groups[0]["lr"] == 0.02
    assert torch.equal(random, torch.get_rng_state())
    assert all(weight.grad is None for weight in model.parameters())


def check_smoothing(range_test):
    """The smoothed loss is the weighted mean of all losses so far, weights smoothing ** age: by the naive
    double loop.
    """
    bowl = Bowl(1.0)
    found = range_test(
        bowl,
        torch.optim.SGD(bowl.parameters(), lr=0.1),
        [None],
        bowl_loss,
        low=0.01,
        high=1.0,
        updates=20,
        smoothing=0.8,
    )
    weight = 1.0
    losses = []
    for i in range(20):
        losses.append(0.5 * weight**2)
        weight *= 1 - 0.01 * 100 ** (i / 19)
        weights = [0.8 ** (i - j) for j in range(i + 1)]
        mean = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights)
        assert found.smoothed[i].item() == pytest.approx(mean, rel=1e-9)


def of_losses(range_test, values, **options):
    """What a test says of losses that are given, one an update, not smoothed."""
    weight, given = nn.Parameter(torch.zeros(1)), iter(values)
    sgd = torch.optim.SGD([weight], lr=0.1)
    return range_test(
        nn.ParameterList([weight]),
        sgd,
        [None],
        lambda model, _: model[0].sum() * 0 + next(given),
        updates=len(values),
        smoothing=0.0,
        **options,
    )


def check_stop(range_test):
    """It stops beyond `stop_factor` times the lowest loss so far, not the first one or the last one."""
    assert not of_losses(range_test, [2.0, 1.0, 4.0, 1.0], stop_factor=4).diverged  # exactly 4 times
    assert of_losses(range_test, [2.0, 1.0, 4.0001, 1.0], stop_factor=4).diverged
    assert len(of_losses(range_test, [8.0, 1.0, 3.0, 5.0, 6.0], stop_factor=4).losses) == 4


def check_steepest(range_test):
    """A fall beyond the lowest loss, where it jumps up and down, is not looked at."""
    found = of_losses(range_test, [5.0, 4.9, 3.0, 1.0, 0.9, 9.0, 1.0, 1.0], stop_factor=100)
    assert found.steepest() == found.rates[2].item() and found.lowest() == found.rates[4].item()


def test_stop_and_steepest():
    check_stop(range_test)
    check_steepest(range_test)


def test_stability_limit():
    check_stability_limit(range_test)


def test_leaves_no_trace():
    check_leaves_no_trace(range_test)


def test_smoothing():
    check_smoothing(range_test)


def test_suggestions():
    bowl = Bowl(1.0)
    found = range_test(
        bowl,
        torch.optim.SGD(bowl.parameters(), lr=0.1),
        [None],
        bowl_loss,
        low=1e-3,
        high=10.0,
        updates=200,
        smoothing=0.0,
    )
    assert 1e-3 < found.steepest() < found.lowest() <= 2.1
    short = range_test(
        bowl,
        torch.optim.SGD(bowl.parameters(), lr=0.1),
        [None],
        bowl_loss,
        low=1e3,
        high=1e4,
        updates=200,
        smoothing=0.0,
    )
    with pytest.raises(ValueError, match="start lower"):
        short.steepest()


def test_a_loss_that_is_not_finite_is_not_kept():
    bowl = Bowl(1.0)
    values = iter([1.0, 1.0, float("nan")])
    found = range_test(
        bowl,
        torch.optim.SGD(bowl.parameters(), lr=0.1),
        [None],
        lambda model, _: model.weight.sum() * next(values),
        updates=9,
    )
    assert found.diverged and len(found.losses) == 2 and found.losses.isfinite().all()
    assert bowl.weight.item() == 1.0


def test_the_model_is_given_back_even_when_the_loss_function_fails():
    bowl = Bowl(1.0)
    calls = [1.0, 1.0]
    with pytest.raises(IndexError):
        range_test(
            bowl,
            torch.optim.SGD(bowl.parameters(), lr=0.1),
            [None],
            lambda model, _: model.weight.sum() * calls.pop(),
            low=0.1,
        )
    assert bowl.weight.item() == 1.0


@pytest.mark.parametrize(
    "change",
    [{"low": 0.0}, {"high": 1e-6}, {"updates": 1}, {"smoothing": 1.0}, {"stop_factor": 1.0}, {"batches": []}],
)
def test_senseless_values_are_refused_with_a_way_out(change):
    bowl = Bowl(1.0)
    arguments = {"batches": [None]} | change
    with pytest.raises(ValueError, match="expected .* got .*; "):
        range_test(bowl, torch.optim.SGD(bowl.parameters(), lr=0.1), loss_function=bowl_loss, **arguments)


def test_a_generator_that_is_used_up_says_so():
    bowl = Bowl(1.0)
    with pytest.raises(ValueError, match="used up"):
        range_test(
            bowl, torch.optim.SGD(bowl.parameters(), lr=0.1), (None for _ in range(3)), bowl_loss, updates=9
        )


FAULTS = {  # what is wrong: the source, the faulty source, the check that has to see it
    "the model stays where it diverged": ("model.load_state_dict(before[0])", "pass", check_leaves_no_trace),
    "the optimizer keeps its moments": (
        "optimizer.load_state_dict(before[1])",
        "pass",
        check_leaves_no_trace,
    ),
    "draws from the random state": ("torch.random.fork_rng()", "torch.enable_grad()", check_leaves_no_trace),
    "gradients stay": (
        "optimizer.load_state_dict(before[1])\n        optimizer.zero_grad()",
        "optimizer.load_state_dict(before[1])",
        check_leaves_no_trace,
    ),
    "one rate for all": ('group["lr"] = rate', 'group["lr"] = 1e-3', check_stability_limit),
    "rates grow by addition": (
        "low * (high / low) ** (i / (updates - 1))",
        "low + (high - low) * i / (updates - 1)",
        check_smoothing,
    ),
    "stops at the limit": ("smoothed[-1] > stop_factor", "smoothed[-1] >= stop_factor", check_stop),
    "the first loss for the lowest": ("min(smoothed):", "smoothed[0]:", check_stop),
    "falls beyond the lowest": (
        "slope[: self.smoothed.argmin() + 1].argmin()",
        "slope.argmin()",
        check_steepest,
    ),
    "the average is not corrected": ("average / (1 - smoothing ** len(seen))", "average", check_smoothing),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    old, new, check = FAULTS[fault]
    check_sees(check, module, "range_test", old, new)
