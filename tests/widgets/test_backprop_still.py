"""The still picture of Backprop: every number, in both forms."""

import pytest

from dlbook.widgets import backprop_still
from tests.widgets import backprop_checks as checks


def test_the_still_picture_has_all_numbers_in_both_forms():
    figure = checks.net()
    still = figure.still()
    assert still.count(">w₁₁ 1.2<") == 2 and still.count(">b₃ 0.2<") == 2 and still.count("target 1") == 2
    assert still.count(f">δ {float(figure.numbers()['deltas'][2]):.3f}<".replace("-", "−")) == 2


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (-0.25, "−0.25"), (0, "0"), (-0.0001, "0"), (10, "10"), (-2.0, "−2")]
)
def test_numbers_are_short(value, text):
    assert backprop_still.short(value) == text
