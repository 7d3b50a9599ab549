"""Sampling a window of costs: it is kept, both ends lie inside, and a window without networks is told."""

import itertools

import pytest

from dlbook.models.regnet import Stage
from dlbook.nas.spaces import regnet as module
from dlbook.nas.spaces.regnet import (
    ANYNET,
    REGNET,
    REGNET_CONSTRAINED,
    AnyNetSpace,
    Cost,
    cost,
    sample_window,
)
from tests.seeded import edited

SPACES = {**ANYNET, "RegNetX": REGNET, "RegNetX constrained": REGNET_CONSTRAINED}


@pytest.mark.parametrize("name", SPACES)
def test_a_window_is_kept(name):
    found = sample_window(SPACES[name], 5, (360e6, 400e6), seed=3)
    assert len(found) == 5 and all(360e6 <= cost(stages).macs <= 400e6 for stages in found)
    assert (
        found
        == sample_window(SPACES[name], 5, (360e6, 400e6), seed=3)
        != sample_window(SPACES[name], 5, (360e6, 400e6), seed=4)
    )
    assert found[:3] == sample_window(SPACES[name], 3, (360e6, 400e6), seed=3)


def test_a_window_without_networks_is_told(monkeypatch):
    monkeypatch.setattr(module, "cost", lambda stages, resolution: cost(stages[:1], 8))
    with pytest.raises(ValueError, match="between 1e\\+15 and 2e\\+15 .*hardly any"):
        sample_window(AnyNetSpace(), 1, (1e15, 2e15))


class Listed:
    """A space that draws from a list, again and again."""

    def __init__(self, rows):
        self.rows = itertools.cycle(rows)

    def sample(self, rng):
        return next(self.rows)


def check_ends_of_the_window(module) -> None:
    """A network that costs exactly as much as one of the two ends lies inside, one with 1 more outside."""
    rows = [(Stage(depth, 8, 8, 1),) * 4 for depth in (1, 2, 3, 4, 5)]
    costs = [cost(row).macs for row in rows]
    draw = lambda least, most: module["sample_window"](Listed(rows), 3, (least, most))
    assert draw(costs[1], costs[3]) == rows[1:4]
    assert draw(costs[1] + 1, costs[3]) == [rows[2], rows[3], rows[2]]
    assert draw(costs[1], costs[3] - 1) == [rows[1], rows[2], rows[1]]


def check_patience(module) -> None:
    """The draw with the number 100,000 may still hit; the one after it is not made."""
    module["cost"] = lambda stages, resolution: Cost(stages, 0, 0)
    assert module["sample_window"](Listed([1] * 99_999 + [7]), 1, (7, 8)) == [7]
    with pytest.raises(ValueError, match="hardly any"):
        module["sample_window"](Listed([1] * 100_000 + [7]), 1, (7, 8))


WINDOW_FAULTS = {
    "without the least": (check_ends_of_the_window, "macs[0] <= cost", "macs[0] < cost"),
    "without the most": (check_ends_of_the_window, ".macs <= macs[1]", ".macs < macs[1]"),
    "one draw too many": (check_patience, "draws >= 100_000", "draws > 100_000"),
    "one draw too few": (check_patience, "draws >= 100_000 * number", "draws >= 100_000 * number - 1"),
}


@pytest.mark.parametrize("check", [check_ends_of_the_window, check_patience])
def test_the_ends_of_the_window(check):
    check(edited(module, "rng, found, draws", "rng, found, draws"))


@pytest.mark.parametrize("fault", WINDOW_FAULTS)
def test_the_check_sees_another_end(fault):
    check, old, new = WINDOW_FAULTS[fault]
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        check(edited(module, old, new))
