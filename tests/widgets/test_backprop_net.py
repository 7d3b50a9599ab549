"""The net of five numbers: every value, delta and gradient is autograd's."""

import numpy as np
import pytest

from dlbook.widgets import backprop_net as net
from tests.seeded import edited
from tests.widgets.backprop_checks import by_autograd


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
