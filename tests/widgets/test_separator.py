"""Separator's Python side: the package's own perceptron, the proof's two inequalities, and errors."""

import json
import math

import numpy as np
import pytest
import torch

from dlbook.models.perceptron import Perceptron, fit, update
from dlbook.widgets import separator as module
from dlbook.widgets.separator import bound, course
from tests.widgets.separator_checks import CORNERS, SETS, separator


def random_points(seed, count=14):
    """Points on the grid, labelled by a line that leaves some room, the last seeds by chance."""
    generator = np.random.default_rng(seed)
    places = np.round(generator.uniform(-1, 1, (count, 2)) * 32) / 32
    score = places @ generator.normal(size=2) + 0.3 * generator.normal()
    labels = generator.integers(0, 2, count) if seed >= 8 else (score > 0).astype(int)
    keep = np.abs(score) > 0.1
    return [[*place, int(label)] for place, label in zip(places[keep].tolist(), labels[keep], strict=True)]


def tensors(points):
    table = torch.tensor(points, dtype=torch.float64)
    return table[:, :2], table[:, 2].long()


def by_the_package(points, most):
    """Weights after each mistake, by `update` of the package, one example after the other."""
    inputs, labels = tensors(points)
    weights, bias = torch.zeros(2, dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    states, right, look = [[0.0, 0.0, 0.0]], 0, 0
    while right < len(points) and len(states) <= most:
        number = look % len(points)
        new, new_bias = update(weights, bias, inputs[number], int(labels[number]))
        look, right = look + 1, right + 1 if new_bias == bias else 0
        if new_bias != bias:
            states.append([*new.tolist(), new_bias.item()])
        weights, bias = new, new_bias
    return states


def check_course():
    for seed in range(12):
        points = random_points(seed)
        assert course(points, 60).weights.tolist() == by_the_package(points, 60)


def test_every_step_is_the_package_s_perceptron():
    check_course()


@pytest.mark.parametrize("name", ["wide", "close"])
def test_the_end_is_where_the_package_s_fit_ends(name):
    figure = separator(start=name)
    inputs, labels = tensors(figure.points)
    unit = Perceptron(resolution=(1, 2)).double()
    errors = fit(unit, inputs.view(-1, 1, 1, 2), labels, max_epochs=1000)
    run = figure.course()
    assert run.stopped and len(run.missed) == sum(errors)
    assert run.weights[-1].tolist() == [*unit.linear.weight[0].tolist(), unit.linear.bias.item()]


@pytest.mark.parametrize("seed", range(8))
def test_both_inequalities_of_the_proof_hold_at_every_mistake(seed):
    points = random_points(seed)
    run, (radius, margin, most) = course(points, 5000), bound(points)
    lengths, k = (run.weights[1:] ** 2).sum(1), np.arange(1, len(run.missed) + 1)
    assert run.stopped and len(run.missed) <= most
    assert (lengths <= radius**2 * k + 1e-9).all() and (lengths >= margin**2 * k**2 - 1e-9).all()


def test_xor_never_stops_and_has_no_bound():
    figure = separator(start="XOR", most=300)
    run = figure.course()
    assert not run.stopped and len(run.missed) == 300
    assert figure.bound() == (pytest.approx(math.sqrt(2 * 0.75**2 + 1)), 0.0, math.inf)


def test_a_set_that_is_chosen_brings_its_points_and_the_reader_s_own_stay():
    figure = separator()
    assert figure.points == [[0.5, 0.5, 1], [-0.5, -0.5, 0], [0.75, 0.0, 1]]
    figure.values = {"points": "XOR"}
    assert figure.points == [[*place, label] for place, label in zip(CORNERS, [0, 1, 1, 0], strict=True)]
    figure.points = [[0.5, 0.5, 1]]
    figure.values = {"points": "your own"}
    assert figure.points == [[0.5, 0.5, 1]] and len(figure.course().missed) == 0


def test_points_are_moved_to_the_grid():
    figure = separator(sets={"one": ([[0.51, -0.26]], [1])})
    assert figure.points == [[0.5, -0.25, 1]] and json.dumps(figure.get_state())


def test_no_points_are_no_fault():
    figure = separator()
    figure.points = []
    assert figure.course().stopped and figure.bound() == (0.0, 0.0, math.inf)


def test_the_state_is_small_enough_for_many_sets():
    assert separator().state_size() < 48 * 1024


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sets": {}}, "expected one or more"),
        ({"sets": {"your own": SETS["wide"]}}, "that name is the reader's"),
        ({"sets": {"a": ([[0, 0]], [1, 0])}}, r"points \[N, 2\] and N labels"),
        ({"sets": {"a": ([[0, 0, 0]], [1])}}, r"points \[N, 2\] and N labels"),
        ({"sets": {"a": ([[0.0, 0.0]] * 41, [1] * 41)}}, "at most 40"),
        ({"sets": {"a": ([[0, 2]], [1])}}, r"places in \[-1, 1\]"),
        ({"sets": {"a": ([[0, 0]], [2])}}, "labels 0 or 1"),
        ({"start": "none"}, "expected one of"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_it_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        separator(**changes)


def never_at_zero(points, most):
    """A score of 0 is a no: the first point of the class yes is missed too."""
    weights, missed, right, look = [np.zeros(3)], [], 0, 0
    while right < len(points) and len(missed) < most:
        x, y, label = points[look % len(points)]
        answer = int(weights[-1] @ [x, y, 1.0] > 0)
        right = right + 1 if answer == label else 0
        if answer != label:
            missed.append(look % len(points))
            weights.append(weights[-1] + (label - answer) * np.array([x, y, 1.0]))
        look += 1
    return module.Course(np.stack(weights), missed, right >= len(points))


def without_bias(points, most):
    run = module.course(points, most)
    return module.Course(run.weights * [1, 1, 0], run.missed, run.stopped)


@pytest.mark.parametrize("fault", [never_at_zero, without_bias])
def test_the_package_s_perceptron_catches_the_seeded_fault(fault, monkeypatch):
    monkeypatch.setitem(globals(), "course", fault)
    with pytest.raises(AssertionError):
        check_course()
