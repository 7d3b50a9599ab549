"""Backprop's Python side: values, deltas and gradients are autograd's, the recorded losses too, and errors."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from dlbook.widgets import backprop_net as net
from dlbook.widgets.backprop import XOR, torch_losses
from tests.oracles.seeded import edited
from tests.widgets import backprop_checks as checks


def by_autograd(weights, x, target, loss):
    """Loss, gradients by the eleven numbers, and by the three sums, from torch."""
    theta = torch.tensor([*weights, *x], dtype=torch.float64, requires_grad=True)
    rows, inputs = theta[:6].view(2, 3), theta[9:]
    sums = rows[:, :2] @ inputs + rows[:, 2]
    last = theta[6:8] @ torch.sigmoid(sums) + theta[8]
    goal = torch.tensor(float(target), dtype=torch.float64)
    value = F.binary_cross_entropy_with_logits(last, goal)
    if loss == net.SQUARED:
        value = (torch.sigmoid(last) - goal) ** 2 / 2
    gradient, hidden, top = torch.autograd.grad(value, (theta, sums, last))
    return value.item(), gradient.numpy(), [*hidden.tolist(), top.item()]


def check_autograd(names):
    draw = np.random.default_rng(0)
    for loss in net.LOSSES:
        for _ in range(50):
            weights, x, target = draw.normal(0, 3, 9), draw.uniform(-0.25, 1.25, 2), int(draw.integers(2))
            found = names["forward_and_back"](weights, x, target, loss)
            value, gradient, deltas = by_autograd(weights, x, target, loss)
            assert found["loss"] == pytest.approx(value, rel=1e-9, abs=1e-12)
            assert np.abs(found["gradient"] - gradient).max() < 1e-12
            assert np.abs(found["deltas"] - deltas).max() < 1e-12


def test_every_value_is_autograds():
    check_autograd(vars(net))


FAULTS = {
    "slope of the output": ("(y - target) * y * (1 - y)", "(y - target) * y"),
    "slope of a hidden unit": ("v1 * d3 * h1 * (1 - h1)", "v1 * d3 * h1"),
    "delta through the other weight": ("v2 * d3 * h2", "v1 * d3 * h2"),
    "one path of two": ("w11 * d1 + w21 * d2, ", "w11 * d1, "),
    "no half": ("(y - target) ** 2 / 2", "(y - target) ** 2"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen(fault):
    with pytest.raises(AssertionError):
        check_autograd(edited(net, *FAULTS[fault]))


def test_far_out_nothing_overflows():
    found = net.forward_and_back([900.0] * 9, (1.0, 1.0), 0, net.CROSS)
    assert np.isfinite(found["gradient"]).all() and found["loss"] == pytest.approx(2700)


@pytest.mark.parametrize("loss", net.LOSSES)
def test_recorded_losses_are_those_of_plain_gradient_descent(loss):
    weights, cases = np.array(checks.STARTS["a"]), XOR
    for recorded in torch_losses(weights, cases, loss, 0.8, 20):
        assert net.together(weights, cases, loss)[0] == pytest.approx(recorded, rel=1e-12)
        grads = [net.forward_and_back(weights, (a, b), t, loss)["gradient"][:9] for a, b, t in cases]
        weights = weights - 0.8 * np.mean(grads, axis=0)


def test_it_begins_where_it_was_told():
    figure = checks.net(start="b", case=1, loss=net.CROSS, number="x₂")
    assert figure.weights == checks.STARTS["b"] and figure.inputs == [0.0, 1.0] and figure.target() == 1
    assert figure.numbers()["loss"] == pytest.approx(-np.log(figure.numbers()["y"]))
    assert figure.values["number"] == "x₂" and figure.state_size() < 61_440


def test_the_target_is_that_of_the_nearest_case():
    figure = checks.net()
    figure.inputs = [0.9, 0.8]
    assert figure.target() == 0
    figure.inputs = [0.9, 0.3]
    assert figure.target() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"starts": {"a": [1, 2]}}, "starts: expected nine finite numbers for 'a'"),
        ({"cases": [(0, 0, 0.5)]}, "targets 0 or 1"),
        ({"cases": [(0, 9, 1)]}, r"inputs in \[-0.25, 1.25\]"),
        ({"losses": ["hinge"]}, "losses: expected some of"),
        ({"number": "q"}, "expected one of"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_what_does_not_fit_is_explained(changes, words):
    with pytest.raises(ValueError, match=words):
        checks.net(**changes)


def test_the_still_picture_has_all_numbers_in_both_forms():
    figure = checks.net()
    still = figure.still()
    assert still.count(">w₁₁ 1.2<") == 2 and still.count(">b₃ 0.2<") == 2 and still.count("target 1") == 2
    assert still.count(f">δ {float(figure.numbers()['deltas'][2]):.3f}<".replace("-", "−")) == 2
