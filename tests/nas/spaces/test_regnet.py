"""The design spaces of the RegNet paper: sizes by Table 1 and by enumeration, what a sample may be, costs,
distributions.
"""

import itertools
import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlbook.measure import count
from dlbook.models.regnet import VARIANTS, AnyNet, Stage, block_widths, stages_of
from dlbook.nas.spaces import regnet as module
from dlbook.nas.spaces.regnet import (
    ANYNET,
    GROUP_WIDTHS,
    REGNET,
    REGNET_CONSTRAINED,
    AnyNetSpace,
    best_range,
    cost,
    error_edf,
    log_uniform,
    sample_window,
)

SPACES = {**ANYNET, "RegNetX": REGNET, "RegNetX constrained": REGNET_CONSTRAINED}
seeds = st.integers(0, 2**32)


def test_sizes_of_table_1():
    paper = {"A": (16 * 128 * 3 * 6) ** 4, "B": (16 * 128 * 6) ** 4 * 3, "C": (16 * 128) ** 4 * 3 * 6}
    assert {name: ANYNET[name].size() for name in "ABC"} == paper
    # the paper divides by 4! for each order, as if no two stages were alike: below the count, and not by much
    assert 1 < ANYNET["D"].size() / (paper["C"] / 24) < 1.05
    assert 1 < ANYNET["E"].size() / (paper["C"] / 24**2) < 1.5


@pytest.mark.parametrize("name", ANYNET)
def test_size_counts_what_the_space_contains(monkeypatch, name):
    """A world small enough to enumerate: 2 depths, 3 widths, 2 group widths, 2 ratios."""
    for constant, values in (
        ("DEPTHS", (1, 2)),
        ("WIDTHS", (8, 16, 24)),
        ("GROUP_WIDTHS", (1, 2)),
        ("RATIOS", (1, 2)),
        ("STAGES", 3),
    ):
        monkeypatch.setattr(module, constant, values)
    choices = list(itertools.product((1, 2), (8, 16, 24), (1, 2), (1, 2)))
    assert (
        sum(settings in ANYNET[name] for settings in itertools.product(choices, repeat=3))
        == ANYNET[name].size()
    )


@given(seeds)
def test_each_space_is_inside_the_one_before(seed):
    for inner, outer in itertools.pairwise(reversed(ANYNET)):
        drawn = ANYNET[inner].draw(random.Random(seed))
        assert drawn in ANYNET[inner] and drawn in ANYNET[outer] and drawn in ANYNET["A"]


def test_each_constraint_excludes_something():
    free = ((2, 16, 4, 2), (1, 8, 8, 1), (3, 24, 1, 4), (3, 32, 2, 1))
    assert [name for name in ANYNET if free in ANYNET[name]] == ["A"]
    same_ratio = tuple((*setting[:3], 2) for setting in free)
    assert [name for name in ANYNET if same_ratio in ANYNET[name]] == ["A", "B"]
    same_group = tuple((*setting[:2], 4, 2) for setting in free)
    assert [name for name in ANYNET if same_group in ANYNET[name]] == ["A", "B", "C"]
    wider = tuple((depth, width, 4, 2) for (depth, *_), width in zip(free, (8, 8, 24, 40), strict=True))
    assert [name for name in ANYNET if wider in ANYNET[name]] == ["A", "B", "C", "D"]
    for wrong in (
        free[:3],
        ((17, 8, 1, 1),) * 4,
        ((1, 12, 1, 1),) * 4,
        ((1, 8, 3, 1),) * 4,
        ((1, 8, 1, 3),) * 4,
        ((1, 8, 1),) * 4,
    ):
        assert wrong not in ANYNET["A"]


@pytest.mark.parametrize("name", SPACES)
@given(seed=seeds)
@settings(max_examples=25)
def test_samples_can_be_built_and_keep_the_order(name, seed):
    stages = SPACES[name].sample(random.Random(seed))
    assert len(stages) == 4 and all(isinstance(stage, Stage) for stage in stages)
    assert stages == SPACES[name].sample(random.Random(seed))
    if name in ("D", "E") or name.startswith("RegNet"):
        widths = [stage.width for stage in stages]
        assert widths == sorted(widths)  # fitting to groups does not undo it
    if name == "RegNetX constrained":
        assert sum(stage.depth for stage in stages) <= 40 and {
            stage.bottleneck_ratio for stage in stages
        } == {1}


@given(seed=seeds)
@settings(max_examples=50)
def test_regnets_have_four_stages_and_the_papers_ranges(seed):
    config, ratio = REGNET.draw(random.Random(seed))
    assert config.depth < 64 and config.w_0 < 256 and config.w_a < 256 and 1.5 <= config.w_m <= 3
    assert config.group_width in GROUP_WIDTHS and ratio in (1, 2, 4)
    assert len(set(block_widths(config))) == 4
    stages = REGNET.sample(random.Random(seed))
    assert sum(stage.depth for stage in stages) == config.depth
    if ratio == 1:
        assert stages == stages_of(config)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name.startswith("regnet_x")])
def test_cost_of_the_tables_rows(name):
    stages = stages_of(VARIANTS[name])
    counts, ours = count(lambda: AnyNet(stages)), cost(stages)
    assert (ours.macs, ours.parameters, ours.activations) == (
        counts.macs,
        counts.parameters,
        counts.activations,
    )


@given(
    seed=seeds, resolution=st.integers(1, 100), num_classes=st.integers(1, 20), in_channels=st.integers(1, 4)
)
@settings(max_examples=15)
def test_cost_of_any_network(seed, resolution, num_classes, in_channels):
    stages = tuple(
        Stage(min(s.depth, 3), s.width, s.group_width, s.bottleneck_ratio)
        for s in ANYNET["A"].sample(random.Random(seed))
    )
    counts = count(
        lambda: AnyNet(stages, 0.0, num_classes, in_channels), (in_channels, resolution, resolution)
    )
    ours = cost(stages, resolution, num_classes, in_channels)
    assert (ours.macs, ours.parameters, ours.activations) == (
        counts.macs,
        counts.parameters,
        counts.activations,
    )


def test_draws_are_log_uniform():
    """Each octave of the width is as likely: 8-16, 16-32, ..., 512-1024; the ends of the range come up half
    as often.
    """
    rng = random.Random(0)
    draws = [log_uniform(rng, 8, 1024, 8) for _ in range(70_000)]
    assert min(draws) == 8 and max(draws) == 1024 and all(draw % 8 == 0 for draw in draws)
    octaves = Counter(math.floor(math.log2(draw)) for draw in draws if draw not in (8, 1024))
    for octave in (
        6,
        7,
        8,
        9,
    ):  # wide enough for the rounding not to matter: within 5 standard errors and the rounding at the ends
        low, high = math.log(2**octave - 4), math.log(2 ** (octave + 1) - 4)
        expected = 70_000 * (high - low) / math.log(128)
        assert abs(octaves[octave] - expected) < 5 * expected**0.5


def test_rejection_draws_each_order_as_often():
    """Given the order, D's widths are distributed as C's: sorting C's draws instead would prefer unequal
    widths.
    """
    space = AnyNetSpace(shared_ratio=True, shared_group_width=True, increasing_widths=True)
    rng, free = random.Random(1), random.Random(2)
    ours = [len({setting[1] for setting in space.draw(rng)}) for _ in range(2000)]
    kept = [drawn for drawn in (ANYNET["C"].draw(free) for _ in range(40_000)) if drawn in space]
    theirs = [len({setting[1] for setting in drawn}) for drawn in kept]
    for distinct in (3, 4):
        share, other = ours.count(distinct) / len(ours), theirs.count(distinct) / len(theirs)
        assert abs(share - other) < 5 * (0.25 / len(theirs) + 0.25 / len(ours)) ** 0.5


FAULTS = {
    "the last stage is free in D": (
        "increases",
        lambda values: all(a <= b for a, b in zip(values[:-2], values[1:-1])),
    ),
    "strictly increasing": ("increases", lambda values: all(a < b for a, b in zip(values, values[1:]))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_enumeration_catches_the_seeded_fault(monkeypatch, fault):
    monkeypatch.setattr(module, *FAULTS[fault])
    with pytest.raises(AssertionError):
        test_size_counts_what_the_space_contains(monkeypatch, "D")


def test_the_distribution_catches_sorting(monkeypatch):
    real = AnyNetSpace.draw

    def draw(self, rng):
        return (
            tuple(sorted(real(ANYNET["C"], rng), key=lambda setting: setting[1]))
            if self.increasing_widths
            else real(self, rng)
        )

    monkeypatch.setattr(AnyNetSpace, "draw", draw)
    with pytest.raises(AssertionError):
        test_rejection_draws_each_order_as_often()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.floats(-10, 110))
def test_edf_is_equation_1(errors, at):
    naive = 0
    for error in errors:
        naive += 1 if error < at else 0
    assert error_edf(errors, at) == naive / len(errors)
    assert error_edf(errors, min(errors)) == 0 and error_edf(errors, math.inf) == 1  # strictly below
    assert error_edf(errors, at) <= error_edf(errors, at + 1)


def test_bootstrap_finds_where_the_best_are():
    rng = random.Random(0)
    depths = [rng.randint(1, 60) for _ in range(200)]
    errors = [40 + 0.02 * (depth - 20) ** 2 + rng.gauss(0, 0.1) for depth in depths]
    low, middle, high = best_range(depths, errors, repeats=2000)
    assert low <= middle <= high and abs(middle - 20) <= 2 and low >= 14 and high <= 26
    assert best_range(depths, errors, seed=5, repeats=100) == best_range(depths, errors, seed=5, repeats=100)
    assert best_range([7.0] * 8, [1.0] * 8, repeats=10) == (7, 7, 7)


def test_bad_arguments():
    with pytest.raises(ValueError, match="expected number"):
        sample_window(ANYNET["A"], 0)
    with pytest.raises(ValueError, match="least < most"):
        sample_window(ANYNET["A"], 1, (4e8, 4e8))
    with pytest.raises(ValueError, match="got no errors"):
        error_edf([], 1.0)
    with pytest.raises(ValueError, match="equally many"):
        best_range([1, 2, 3, 4], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="at least 4"):
        best_range([1], [1.0])
