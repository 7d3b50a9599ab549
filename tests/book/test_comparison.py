"""Comparisons of seeds: what holds, by what margin, beyond what noise; naive loops, and faults."""

import math
import statistics

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlbook.book import comparison
from dlbook.book.comparison import above, below, equal_within, exceeds, seeds, spread_text

NUMBERS = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=5)


def margin_of(found):
    """The number in "0.5 nats, noise 0.1"."""
    return float(found.margin.split()[0].strip(",").replace(",", "").replace("−", "-"))


@given(NUMBERS, NUMBERS, st.integers(0, 9))
def test_every_seed_means_every_pair(high, low, by):
    assert exceeds(high, low, by).holds == all(a - b > by for a in high for b in low)


@given(st.lists(st.tuples(*[st.integers(-9, 9).map(float)] * 2), min_size=1, max_size=5))
def test_paired_compares_each_seed_with_itself(pairs):
    high, low = zip(*pairs, strict=True)
    assert exceeds(high, low, paired=True).holds == all(a > b for a, b in pairs)


@given(NUMBERS, NUMBERS, st.integers(0, 9))
def test_means_have_to_differ_beyond_two_standard_errors(high, low, by):
    def squared_error(values):
        return statistics.variance(values) / len(values) if len(values) > 1 else 0.0

    noise = 2 * math.sqrt(squared_error(high) + squared_error(low))
    gap = statistics.fmean(high) - statistics.fmean(low)
    if abs(gap - by - noise) > 1e-9:
        assert exceeds(high, low, by, every_seed=False).holds == (gap - by > noise)


@given(NUMBERS, NUMBERS, st.integers(1, 9))
def test_equal_within_is_the_largest_difference(ours, theirs, within):
    expected = all(abs(a - b) < within for a in ours for b in theirs)
    assert equal_within(ours, theirs, within).holds == expected


@given(NUMBERS, st.integers(-50, 50))
def test_limits(values, limit):
    assert above(values, limit).holds == all(value > limit for value in values)
    assert below(values, limit).holds == all(value < limit for value in values)


def test_the_margin_is_what_the_comparison_leaves():
    assert margin_of(exceeds([3.0, 4.0], [1.0, 2.0], by=0.25)) == 0.75
    assert margin_of(above([3.0, 4.0], 1.0)) == 2.0 and margin_of(below([3.0, 4.0], 5.0)) == 1.0
    assert margin_of(equal_within([0.9, 1.2], 1.0, within=0.5)) == pytest.approx(0.3)
    assert exceeds([3.0, 5.0], [1.0, 1.0], every_seed=False).margin == "3, noise 2"


def test_a_claim_within_noise_is_refused():
    wide, narrow = [2.0, 0.0, 4.0], [1.0, 0.5, 1.5]  # the mean is 1 higher, the noise of it 2.4
    assert not exceeds(wide, narrow).holds and not exceeds(wide, narrow, every_seed=False).holds
    assert not equal_within([0.9, -0.9], 0.0, within=0.5, every_seed=False).holds  # the mean is 0, by chance
    assert not above([3.0, -1.0], 0.0, every_seed=False).holds
    assert exceeds([2.0, 10.0, 6.0], [1.0, 9.0, 5.0], paired=True, every_seed=False).holds  # all by 1 exactly


def without_noise(first, second, paired):
    """A fault: noise is taken for nothing."""
    return 0.0


def test_the_test_of_noise_catches_a_comparison_that_forgets_it(monkeypatch):
    monkeypatch.setattr(comparison, "_standard_error", without_noise)
    assert exceeds([2.0, 0.0, 4.0], [1.0, 0.5, 1.5], every_seed=False).holds


@pytest.mark.parametrize("value", [math.nan, [1.0, math.nan]])
def test_nan_never_holds(value):
    for found in (
        exceeds(value, 0.0),
        exceeds(9.0, value),
        exceeds(value, 0.0, every_seed=False),
        above(value, -9.0),
        below(value, 9.0),
        equal_within(value, 1.0, within=1e9),
    ):
        assert not found.holds


@pytest.mark.parametrize("values", [[], torch.ones(2, 2), "many", None, [None]])
def test_what_is_not_one_number_a_seed_is_refused(values):
    with pytest.raises(ValueError, match="seed"):
        seeds(values)
    with pytest.raises(ValueError, match="as many seeds"):
        exceeds([1.0, 2.0], [1.0], paired=True)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.123456], "0.1235"),
        ([1.0, 2.0], "1.50 ± 0.71"),
        ([100.0, 140.0], "120 ± 28"),
        ([0.5, 0.5], "0.5 ± 0"),
        ([0.0010, 0.0012], "0.00110 ± 0.00014"),
    ],
)
def test_several_values_are_shown_as_mean_and_deviation(values, text):
    assert spread_text(seeds(values)) == text


def test_words_say_what_was_compared():
    assert exceeds([1.0, 2.0], 0.5).predicted == "more, every seed"
    assert exceeds([1.0, 2.0], 0.5, every_seed=False).predicted == "more, in the mean"
    assert above(1.0, 0.5, "nats").predicted == "above 0.5 nats"
    assert equal_within(1.0, 1.0, within=0.1).predicted == "1 ± 0.1"


def test_limits_may_be_tensors():
    assert exceeds(2.0, 1.0, by=torch.tensor(0.5)).holds is True
    assert above(2.0, torch.tensor(1.0)).holds is True and below(2.0, torch.tensor(1.0)).holds is False
    assert equal_within(1.0, 1.0, within=torch.tensor(0.5)).predicted == "1 ± 0.5"
