"""The naive losses against values computed by hand."""

import math

import pytest

from dlbook.naive import semi


def test_fixmatch_by_hand():
    """One image of two passes (logit 4 gives 0.982); it costs ln 2 where the strong view knows nothing."""
    weak, strong = [[4.0, 0.0], [0.0, 0.5]], [[0.0, 0.0], [7.0, 0.0]]
    assert semi.fixmatch(weak, strong, [0.95, 0.95]) == pytest.approx(math.log(2) / 2)
    assert semi.fixmatch(weak, strong, [0.99, 0.99]) == 0
    both = math.log(2) + math.log(1 + math.exp(7))
    assert semi.fixmatch(weak, strong, [0.95, 0.6]) == pytest.approx(both / 2)


def test_learning_effect_and_thresholds_by_hand():
    assert semi.learning_effect([0, 0, 1, -1], 2) == [1.0, 0.5]
    assert semi.learning_effect([0, -1, -1, -1], 2) == [1 / 3, 0.0]
    assert semi.thresholds([1.0, 0.5, 0.0], 0.9) == pytest.approx([0.9, 0.3, 0.0])
