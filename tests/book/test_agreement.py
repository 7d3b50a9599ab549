"""When a measurement agrees with its prediction, for all integers and reals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlbook.book import agreement as module
from dlbook.book.agreement import agreement
from tests.seeded import check_sees


@given(st.integers(-(10**30), 10**30), st.integers(-5, 5), st.integers(0, 5))
def test_integers_are_compared_exactly(predicted, difference, tolerance):
    agrees = agreement(predicted, predicted + difference, tolerance, None) is None
    assert agrees == (abs(difference) <= tolerance)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_reals_agree_within_the_tolerance_both_ways(left, right, tolerance):
    expected = abs(left - right) <= tolerance
    assert (
        (agreement(left, right, tolerance, None) is None)
        == expected
        == (agreement(right, left, tolerance, None) is None)
    )


def check_relative(agreement) -> None:
    """A relative tolerance is a share of the prediction: 100 ± 10 % ends at 90 and at 110."""
    for measured, agrees in ((90, True), (89.99, False), (110, True), (110.01, False), (111, False)):
        assert (agreement(100, measured, 0, 0.1) is None) == agrees, measured
    assert agreement([100, -100], [110, -110], 0, 0.1) is None


@given(st.integers(1, 10**6), st.integers(-(10**6), 10**6), st.sampled_from([0.0, 0.125, 0.5, 1.0]))
def test_a_relative_tolerance_is_of_the_prediction(predicted, difference, relative):
    agrees = agreement(predicted, predicted + difference, 0, relative) is None
    assert agrees == (abs(difference) <= relative * predicted)


def test_relative_tolerances_at_their_ends():
    check_relative(agreement)


FAULTS = {
    "relative to what was measured": ("relative * abs(predicted)", "relative * abs(measured)"),
    "relative to the larger": ("relative * abs(predicted)", "relative * max(abs(predicted), abs(measured))"),
    "the end does not count": ("abs(difference) <= allowed", "abs(difference) < allowed"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check_sees(check_relative, module, "agreement", *FAULTS[fault])
