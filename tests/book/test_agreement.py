"""When a measurement agrees with its prediction, for all integers and reals."""

from hypothesis import given
from hypothesis import strategies as st

from dlbook.book.agreement import agreement


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
