"""Rounding of channels: the properties that the rule promises, and torchvision's function."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models._utils import _make_divisible as theirs

from dlbook.nn.divisible import make_divisible


@given(st.floats(0.01, 1e5), st.integers(1, 64))
def test_the_promises_hold(channels, divisor):
    rounded = make_divisible(channels, divisor)
    assert rounded % divisor == 0 and rounded >= divisor and rounded >= 0.9 * channels
    nearest = min(range(divisor, int(channels) + 3 * divisor, divisor), key=lambda m: (abs(m - channels), -m))
    assert rounded == nearest or nearest < 0.9 * channels and rounded == nearest + divisor


@given(st.integers(1, 4000), st.sampled_from([0.25, 0.35, 0.5, 0.75, 1.0, 1.25, 1.4]))
def test_equals_torchvision(channels, width):
    assert make_divisible(channels * width) == theirs(channels * width, 8)


def test_a_half_goes_up_and_a_tenth_is_the_limit():
    assert [make_divisible(c) for c in (12, 20, 17.7, 17.8, 8.8, 8.9)] == [
        16,
        24,
        16,
        24,
        8,
        16,
    ]  # 17.8 and 8.9 would lose over 10 %


@pytest.mark.parametrize("channels, divisor", [(0, 8), (-1, 8), (float("nan"), 8), (8, 0)])
def test_refuses(channels, divisor):
    with pytest.raises(ValueError, match="expected channels > 0"):
        make_divisible(channels, divisor)
