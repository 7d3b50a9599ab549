"""Bowl's Python side: floor, expectation, the balls, the random numbers, and errors."""

import math

import numpy as np
import pytest

from dlbook.widgets.bowl import expected, floor, normal, uniform
from tests.widgets.bowl_checks import UPDATES, bowl


def mulberry32(seed, count):
    """The generator number by number, in plain integers."""
    found = []
    for _ in range(count):
        seed = (seed + 0x6D2B79F5) % 2**32
        t = (seed ^ seed >> 15) * (seed | 1) % 2**32
        t = (t + (t ^ t >> 7) * (t | 61) % 2**32) % 2**32 ^ t
        found.append((t ^ t >> 14) / 2**32)
    return found


def test_random_numbers_are_those_of_the_generator_and_normal():
    assert uniform(1, 500).tolist() == mulberry32(1, 500)
    pairs = normal(3, 40_000)
    assert np.abs(pairs.mean(0)).max() < 0.02 and np.abs(np.cov(pairs.T) - np.eye(2)).max() < 0.03


def test_floor_is_the_chapters_formula_where_the_bowl_is_round():
    for rate in (0.1, 0.5, 1.5):
        assert bowl().floor(rate) == pytest.approx(rate / (2 * (2 - rate)))
    assert bowl().floor(2.2) == math.inf


def test_expectation_goes_to_the_floor_of_each_direction():
    spec = bowl(curvatures=(1.0, 0.4), rim=20).spec
    assert expected(spec, [0.3] * 400)[-1] == pytest.approx(floor(spec, 0.3))
    assert floor(spec, 0.3) == pytest.approx(0.3 * 0.5 / 2 * (1 / 1.7 + 1 / 1.88))


def test_balls_follow_the_expectation():
    for setting in ({}, {"start_schedule": "decay"}, {"start_rate": 1.5}, {"start_rate": 2.2}):
        figure = bowl(copies=4096, **setting)
        ratio = figure.losses() / figure.expected()
        assert figure.expected()[0] == pytest.approx(4.505)
        assert np.abs(ratio - 1).max() < 0.08  # five standard errors


def test_without_noise_a_ball_goes_straight_to_the_ground():
    figure = bowl(noise=0.0, start_rate=0.5)
    assert figure.swarm()[3] == pytest.approx(np.tile([-2.6 / 8, -1.5 / 8], (256, 1)))


def test_schedules_multiply_the_rate():
    assert bowl(start_schedule="decay").rates()[::20].tolist() == [0.5, 0.25]
    assert bowl().swarm().shape == (UPDATES + 1, 256, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"curvatures": (1, 0)}, "positive curvatures"),
        ({"curvatures": (1, 1, 1)}, "curvatures: expected two"),
        ({"start": (math.nan, 0)}, "start: expected two finite"),
        ({"start": (0, 0)}, "start inside the rim"),
        ({"rim": 1.0}, "start inside the rim, got loss 4.505 and rim 1"),
        ({"shown": 300}, r"1 to 256 balls"),
        ({"schedules": {}}, "at least one value"),
        ({"schedules": {"a": [1, 1], "b": [1, 1, 1]}}, "as many updates in each"),
        ({"rates": [0.5, 0.1]}, "ascending"),
        ({"start_schedule": "none"}, "expected one of"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_bowl_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        bowl(**changes)
