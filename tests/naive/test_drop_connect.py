"""All masks of a unit: their probabilities, and the exact mean and variance."""

import pytest

from dlbook.naive import drop_connect as module
from dlbook.naive.drop_connect import every_mask
from tests.seeded import edited


def moments(outcomes):
    """Sum of the probabilities, mean, variance."""
    mean = sum(p * value for p, value in outcomes)
    return sum(p for p, _ in outcomes), mean, sum(p * (value - mean) ** 2 for p, value in outcomes)


def expected(x, weights, bias, drop_prob):
    """Section 3.2: q sum of the terms, q (1 - q) sum of their squares."""
    terms = [w * value for w, value in zip(weights, x, strict=True)] + [bias]
    keep = 1 - drop_prob
    return pytest.approx((1, keep * sum(terms), keep * drop_prob * sum(t * t for t in terms)))


CASE = ([1.0, -2.0, 0.5], [0.3, 0.1, 2.0], -0.7, 0.3)


def test_moments_are_those_of_the_paper():
    assert moments(every_mask(*CASE)) == expected(*CASE) and len(every_mask(*CASE)) == 16


FAULTS = {
    ("1 - drop_prob if m else drop_prob", "drop_prob if m else 1 - drop_prob"),
    ("+ [bias]", "+ [0.0]"),
    ("code >> i & 1", "code >> 1 & 1"),
}


@pytest.mark.parametrize("edit", sorted(FAULTS))
def test_faults_are_seen(edit):
    assert moments(edited(module, *edit)["every_mask"](*CASE)) != expected(*CASE)
