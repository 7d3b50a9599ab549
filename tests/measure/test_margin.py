"""The largest margin: by hand, against all subsets of corners, against an SVM, and seeded faults."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.svm import SVC

from dlbook.measure import margin as module
from dlbook.measure.margin import largest_margin

SEEDS = range(12)


def by_subsets(points):
    """The distance from the origin to the hull, by trying every set of at most D + 1 corners.

    A set's place is a candidate if its shares are not negative; the nearest candidate is the answer.
    """
    points, best = np.asarray(points, float), np.inf
    for size in range(1, points.shape[1] + 2):
        for corners in itertools.combinations(range(len(points)), size):
            chosen = points[list(corners)]
            system = np.block(
                [[chosen @ chosen.T, np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]]
            )
            if abs(np.linalg.det(system)) < 1e-12:
                continue
            shares = np.linalg.solve(system, [*[0.0] * size, 1.0])[:size]
            if (shares >= -1e-12).all():
                best = min(best, np.linalg.norm(shares @ chosen))
    return best


def cloud(seed, count=9, dim=3, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, generator=generator, dtype=torch.float64) + shift


def check(found, points):
    """Whatever the method: shares make the place, the place is the direction, and no point lies before it."""
    assert found.shares.min() >= 0 and found.shares.sum().item() == pytest.approx(1)
    place = found.shares @ points.double()
    assert place.norm().item() == pytest.approx(found.margin, abs=1e-4)
    if found.margin:
        assert (points.double() @ found.direction).min().item() == pytest.approx(found.margin)
    assert found.margin == pytest.approx(by_subsets(points), abs=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_the_nearest_place_of_the_hull(seed):
    for shift in (0.0, 0.5, 2.0):
        points = cloud(seed, shift=shift)
        check(largest_margin(points), points)


def test_some_clouds_are_separable_and_some_are_not():
    found = [largest_margin(cloud(seed, shift=shift)).margin for seed in SEEDS for shift in (0.0, 2.0)]
    assert min(found) == 0 < max(found)


def test_margins_by_hand():
    assert largest_margin(torch.tensor([[3.0, 4.0]])).margin == pytest.approx(5)
    assert largest_margin(torch.tensor([[1.0, -5.0], [1.0, 5.0], [9.0, 0.0]])).margin == pytest.approx(1)
    xor = torch.tensor([[0.0, 0.0, -1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [-1.0, -1.0, -1.0]])
    found = largest_margin(xor)
    assert found.margin == 0 and found.shares.tolist() == pytest.approx([0.25] * 4)
    assert not found.direction.any()


def test_repeated_points_change_nothing():
    points = cloud(3, shift=1.0)
    assert largest_margin(points.repeat(3, 1)).margin == pytest.approx(largest_margin(points).margin)


def test_it_equals_a_support_vector_machine():
    """Each point and its opposite, labelled: the hyperplane without slack then has no offset."""
    points = cloud(5, count=40, dim=6, shift=1.5)
    both = torch.cat([points, -points]).numpy()
    machine = SVC(kernel="linear", C=1e9, tol=1e-9).fit(both, [1] * 40 + [0] * 40)
    assert largest_margin(points).margin == pytest.approx(1 / np.linalg.norm(machine.coef_), rel=1e-6)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_points_that_are_no_numbers(number):
    with pytest.raises(ValueError, match="expected finite points"):
        largest_margin(torch.tensor([[1.0, number]]))


def test_a_margin_that_rounding_cannot_tell_from_0_counts_as_0():
    assert largest_margin(torch.tensor([[1.0, 1e-4], [-1.0, 1e-4]])).margin == pytest.approx(1e-4)
    assert largest_margin(torch.tensor([[1.0, 1e-6], [-1.0, 1e-6]])).margin == 0


@pytest.mark.parametrize("points", [torch.zeros(0, 3), torch.zeros(3)])
def test_points_of_another_shape(points):
    with pytest.raises(ValueError, match=r"expected points \[N, D\]"):
        largest_margin(points)


def only_the_first(points, shares, corners):
    """The corners are not dropped: shares below 0 stay."""
    return torch.zeros_like(shares).index_put((corners,), module._of_the_flat(points[corners]))


def the_mean(corners):
    return torch.full((len(corners),), 1 / len(corners), dtype=corners.dtype)


FAULTS = {"corners stay": ("_shrink", only_the_first), "mean of the corners": ("_of_the_flat", the_mean)}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_subsets_catch_the_seeded_fault(fault, monkeypatch):
    name, wrong = FAULTS[fault]
    monkeypatch.setattr(module, name, wrong)

    def all_clouds():
        for seed in SEEDS:
            points = cloud(seed, shift=0.5)
            check(largest_margin(points), points)

    with pytest.raises(AssertionError):
        all_clouds()
