"""Penalty's Python side: the package's own proximal step, gradient descent step by step, and errors."""

import json

import numpy as np
import pytest
import torch

from dlbook.regularize import proximal_step
from dlbook.widgets import penalty as module
from dlbook.widgets.penalty import FACTORS, descended
from tests.widgets.penalty_checks import CURVATURE, bowls, penalty


def by_proximal_steps(curvature, minimum, lambda1, lambda2):
    """The package's step, until nothing moves any more."""
    h, m = torch.tensor(curvature), torch.tensor(minimum)
    rate = 1 / float(torch.linalg.eigvalsh(h).max())
    w = torch.zeros(2, dtype=torch.float64)
    for _ in range(3000):
        w -= rate * h @ (w - m)
        proximal_step([w], rate, lambda1, lambda2)
    return w.numpy()


def check_minimiser():
    for curvature, minimum, lambda1, lambda2 in bowls():
        found = module.minimiser(curvature, minimum, lambda1, lambda2)
        expected = by_proximal_steps(curvature, minimum, lambda1, lambda2)
        np.testing.assert_allclose(found, expected, atol=1e-9)
        assert ((found == 0) == (np.abs(expected) < 1e-9)).all()  # zeros are exact


def test_the_minimum_is_the_package_s():
    check_minimiser()


def test_without_a_penalty_it_is_the_minimum_of_the_loss():
    figure = penalty(start={"λ": 0})
    np.testing.assert_allclose(figure.minimiser(), [0.8, 0.35], atol=1e-12)


def test_a_large_penalty_gives_zeros_for_l1_alone():
    assert (penalty(start={"share of L1": 1, "λ": 3.8}).minimiser() == 0).all()
    assert (penalty(start={"share of L1": 0, "λ": 3.8}).minimiser() != 0).all()


def test_the_path_goes_from_the_bowl_s_minimum_to_0():
    path = penalty(start={"share of L1": 1}).path()
    assert len(path) == len(FACTORS)
    np.testing.assert_allclose(path[0], [0.8, 0.35], atol=1e-12)
    assert (path[-1] == 0).all()


def check_descent():
    """Many small steps; their number times the rate is the time."""
    for curvature, minimum, *_ in bowls(6):
        w, rate = np.zeros(2), 1e-4
        for _ in range(8000):
            w -= rate * curvature @ (w - minimum)
        np.testing.assert_allclose(module.descended(curvature, minimum, 0.8), w, atol=1e-3)


def test_descent_is_many_small_steps():
    check_descent()
    assert (descended(np.array(CURVATURE), np.array([1.0, 1.0]), 0.0) == 0).all()


def test_the_minimum_can_be_set_and_the_state_is_json():
    figure = penalty(start={"λ": 0})
    figure.minimum = [-0.5, 0.25]
    np.testing.assert_allclose(figure.minimiser(), [-0.5, 0.25], atol=1e-12)
    assert json.dumps(figure.get_state()) and figure.state_size() < 40 * 1024


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"curvature": [[1, 0], [0.5, 1]]}, "symmetric, positive"),
        ({"curvature": [[1, 2], [2, 1]]}, "symmetric, positive"),
        ({"curvature": [1, 2]}, "symmetric, positive"),
        ({"minimum": (0.5, 1.5)}, r"two numbers in \[-1, 1\]"),
        ({"minimum": (0.5,)}, "two numbers"),
        ({"start": {"rate": 1}}, "unknown"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_it_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        penalty(**changes)


original = module.minimiser
MINIMISER_FAULTS = {
    "half of λ2": lambda h, m, a, b: original(h, m, a, b / 2),
    "λ1 twice": lambda h, m, a, b: original(h, m, 2 * a, b),
    "never 0": lambda h, m, a, b: original(h, m, 0, a + b),
    "each weight alone": lambda h, m, a, b: original(np.diag(np.diag(h)), m, a, b),
}


@pytest.mark.parametrize("fault", MINIMISER_FAULTS)
def test_the_package_s_step_catches_the_seeded_fault(fault, monkeypatch):
    monkeypatch.setattr(module, "minimiser", MINIMISER_FAULTS[fault])
    with pytest.raises(AssertionError):
        check_minimiser()


def test_the_steps_catch_a_descent_of_twice_the_time(monkeypatch):
    monkeypatch.setattr(module, "descended", lambda h, m, time: descended(h, m, 2 * time))
    with pytest.raises(AssertionError):
        check_descent()
