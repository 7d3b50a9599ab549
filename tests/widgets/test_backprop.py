"""Backprop's Python side: the recorded losses, where it begins, and errors."""

import numpy as np
import pytest

from dlbook.widgets import backprop_net as net
from dlbook.widgets.backprop import XOR, torch_losses
from tests.widgets import backprop_checks as checks


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
