"""Early stopping: every short sequence against a plain definition, resuming, NaN, bad arguments, and seeded
faults.
"""

import copy
import itertools
import math

import pytest

from dlbook.regularize import EarlyStopping


def stops_at(values, patience, min_delta, mode):
    """The evaluation at which to stop, by the definition: the last `patience` values have no gain over the
    best before them.
    """
    best, best_at = None, -1
    for i, value in enumerate(values):
        gain = None if best is None else (best - value if mode == "min" else value - best)
        if not math.isnan(value) and (gain is None or gain > min_delta):
            best, best_at = value, i
        if i - best_at >= patience:
            return i, best, best_at
    return None, best, best_at


def check_sequences(build):
    for values in itertools.product((0.0, 0.5, 0.6, 1.0, math.nan), repeat=5):
        for patience, min_delta, mode in itertools.product((1, 2, 3), (0.0, 0.2), ("min", "max")):
            stopping = build(patience, min_delta, mode)
            found = next((i for i, value in enumerate(values) if stopping.update(value)), None)
            expected, best, best_at = stops_at(values, patience, min_delta, mode)
            assert found == expected, (values, patience, min_delta, mode)
            assert stopping.best == best and stopping.best_step == (None if best is None else best_at)


def check_resume(build):
    values = (5.0, 4.0, 4.5, 4.2, 4.1, 4.3)
    whole, first = build(4), build(4)
    expected = [whole.update(value) for value in values]
    told = [first.update(value) for value in values[:3]]
    second = build(4)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    told += [second.update(value) for value in values[3:]]
    assert told == expected and vars(second) == vars(whole)


def test_sequences():
    check_sequences(EarlyStopping)


def test_resume():
    check_resume(EarlyStopping)


def test_steps_of_the_callers_own():
    stopping = EarlyStopping(2, mode="max")
    assert [stopping.update(value, step) for value, step in ((0.1, 100), (0.3, 200), (0.2, 300))] == [
        False,
        False,
        False,
    ]
    assert (stopping.best, stopping.best_step, stopping.waited, stopping.improved) == (0.3, 200, 1, False)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"patience": 0}, "patience"),
        ({"patience": 1.5}, "patience"),
        ({"patience": 1, "min_delta": -0.1}, "min_delta"),
        ({"patience": 1, "min_delta": math.nan}, "min_delta"),
        ({"patience": 1, "mode": "lower"}, "mode"),
    ],
)
def test_bad_arguments(arguments, what):
    with pytest.raises(ValueError, match=f"expected .*{what}"):
        EarlyStopping(**arguments)


def test_a_foreign_state():
    with pytest.raises(ValueError, match="state of an EarlyStopping"):
        EarlyStopping(1).load_state_dict({"best": 1.0})


class OneLate(EarlyStopping):
    def update(self, value, step=None):
        super().update(value, step)
        return self.waited > self.patience


class EqualIsAGain(EarlyStopping):
    def update(self, value, step=None):
        if value == self.best:
            self.best = math.inf if self.mode == "min" else -math.inf
        return super().update(value, step)


class WaitsInAll(EarlyStopping):
    """The count is not set back by a gain."""

    def update(self, value, step=None):
        waited = self.waited
        super().update(value, step)
        self.waited = waited + (not self.improved)
        return self.waited >= self.patience


class AgainstTheLast(EarlyStopping):
    def update(self, value, step=None):
        told = super().update(value, step)
        self.best = value
        return told


class AlwaysMin(EarlyStopping):
    def __init__(self, patience, min_delta=0.0, mode="min"):
        super().__init__(patience, min_delta, "min")


class ForgetsTheCount(EarlyStopping):
    def state_dict(self):
        return super().state_dict() | {"waited": 0}


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (OneLate, check_sequences),
        (EqualIsAGain, check_sequences),
        (WaitsInAll, check_sequences),
        (AgainstTheLast, check_sequences),
        (AlwaysMin, check_sequences),
        (ForgetsTheCount, check_resume),
    ],
)
def test_the_check_sees_the_fault(broken, check):
    with pytest.raises(AssertionError):
        check(broken)
