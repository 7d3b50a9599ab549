"""Quadrature against closed forms, maps against random networks."""

import math

import pytest
import torch
from torch import nn

from dlbook.naive.activation_slopes import SLOPES
from dlbook.nn import activations as A
from dlbook.nn import signal_propagation as signal
from dlbook.nn.activations import FAMILY
from dlbook.nn.initialisers import scaled_normal_
from tests.seeded import edited


@pytest.mark.parametrize("mean, variance", [(0, 1), (0.7, 2.0), (-3.0, 0.25), (0, 1e-4)])
def test_gaussian_mean_of_polynomials_and_relu(mean, variance):
    assert signal.gaussian_mean(torch.ones_like, mean, variance) == pytest.approx(1, abs=1e-10)
    assert signal.gaussian_mean(lambda x: x**2, mean, variance) == pytest.approx(mean**2 + variance, rel=1e-9)
    deviation = math.sqrt(variance)
    density = math.exp(-(mean**2) / variance / 2) / math.sqrt(2 * math.pi)
    expected = mean * math.erfc(-mean / deviation / math.sqrt(2)) / 2 + deviation * density
    assert signal.gaussian_mean(A.relu, mean, variance) == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_gaussian_mean_equals_sampling():
    sample = torch.randn(2_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for row in FAMILY.values():
        values = row.function(sample) ** 2
        error = values.std().item() / math.sqrt(len(sample))
        assert signal.gaussian_mean(lambda x, f=row.function: f(x) ** 2) == pytest.approx(
            values.mean().item(), abs=5 * error
        )


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.25, 1.0])
def test_gain_of_leaky_relu_is_hes(slope):
    assert signal.gain(lambda x: A.leaky_relu(x, slope)) == pytest.approx(
        math.sqrt(2 / (1 + slope**2)), rel=1e-9
    )
    assert signal.gain(lambda x: A.leaky_relu(x, slope)) == pytest.approx(
        nn.init.calculate_gain("leaky_relu", slope), rel=1e-9
    )


def test_selu_constants_equal_the_papers_and_torchs():
    assert signal.selu_constants() == pytest.approx((A.SELU_ALPHA, A.SELU_SCALE), rel=1e-14)
    assert signal.gaussian_mean(A.selu) == pytest.approx(0, abs=1e-12)
    assert signal.gain(A.selu) == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "ReLU", "SELU", "GELU"])
def test_maps_predict_a_wide_random_network(name):
    row, weight_gain, depth, width = FAMILY[name], 1.3, 4, 1500
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(64, width, generator=generator)
    predicted = signal.variance_map(row.function, weight_gain, depth, 1.0)
    for expected in predicted:
        z = x @ scaled_normal_(torch.empty(width, width), weight_gain, generator).T
        assert z.square().mean().item() == pytest.approx(expected, rel=0.06)
        x = row.function(z)
    squared_slope = SLOPES[name](z).square().mean().item() * weight_gain**2
    assert signal.gradient_factor(SLOPES[name], weight_gain, predicted[-1]) == pytest.approx(
        squared_slope, rel=0.06
    )


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: signal.gaussian_mean(A.relu, variance=0), "expected variance > 0"),
        (lambda: signal.gaussian_mean(A.relu, points=10), "odd"),
        (lambda: signal.gain(torch.zeros_like), "no gain"),
        (lambda: signal.variance_map(A.relu, 1.0, 0, 1.0), "depth"),
    ],
)
def test_errors_say_how_to_fix(call, words):
    with pytest.raises(ValueError, match=words):
        call()


FAULTS = {  # edits of signal_propagation.py -> the check of `wrong` that must see it
    ("lambda x: function(x) ** 2)\n    if", "lambda x: function(x).abs())\n    if"): "gain",
    ("return 1 / math.sqrt(power)", "return 1 / power"): "gain",
    ("weight_gain**2 * gaussian_mean(lambda z, d", "weight_gain * gaussian_mean(lambda z, d"): "map",
    ("slope(math.sqrt(variance) * z) ** 2", "slope(z) ** 2"): "factor",
    ("weights[1::2] = 4.0", "weights[1::2] = 2.0"): "gain",
}


def wrong(names: dict) -> set[str]:
    """The names of the closed forms that a version of the module misses."""
    found = set()
    if names["gain"](A.relu) != pytest.approx(math.sqrt(2), rel=1e-9):
        found.add("gain")
    if names["variance_map"](A.relu, 1.5, 2, 1.0) != pytest.approx([2.25, 2.25**2 / 2], rel=1e-9):
        found.add("map")  # E[relu(z)^2] = q / 2
    if names["gradient_factor"](lambda x: x, 1.5, 4.0) != pytest.approx(2.25 * 4, rel=1e-9):
        found.add("factor")
    return found


@pytest.mark.parametrize("edit", FAULTS)
def test_faults_are_seen(edit):
    assert wrong(vars(signal)) == set() and FAULTS[edit] in wrong(edited(signal, *edit))
