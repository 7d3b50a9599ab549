"""dlbook.nn.init: quadrature against closed forms, maps against random networks, initial weights by their
statistics.
"""

import math

import pytest
import torch
from torch import nn

from dlbook.nn import activations as A
from dlbook.nn import init
from dlbook.nn.activation_slopes import FAMILY


@pytest.mark.parametrize("mean, variance", [(0, 1), (0.7, 2.0), (-3.0, 0.25), (0, 1e-4)])
def test_gaussian_mean_of_polynomials_and_relu(mean, variance):
    assert init.gaussian_mean(torch.ones_like, mean, variance) == pytest.approx(1, abs=1e-10)
    assert init.gaussian_mean(lambda x: x**2, mean, variance) == pytest.approx(mean**2 + variance, rel=1e-9)
    deviation = math.sqrt(variance)
    density = math.exp(-(mean**2) / variance / 2) / math.sqrt(2 * math.pi)
    expected = mean * math.erfc(-mean / deviation / math.sqrt(2)) / 2 + deviation * density
    assert init.gaussian_mean(A.relu, mean, variance) == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_gaussian_mean_equals_sampling():
    sample = torch.randn(2_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for row in FAMILY.values():
        values = row.function(sample) ** 2
        error = values.std().item() / math.sqrt(len(sample))
        assert init.gaussian_mean(lambda x, f=row.function: f(x) ** 2) == pytest.approx(
            values.mean().item(), abs=5 * error
        )


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.25, 1.0])
def test_gain_of_leaky_relu_is_hes(slope):
    assert init.gain(lambda x: A.leaky_relu(x, slope)) == pytest.approx(
        math.sqrt(2 / (1 + slope**2)), rel=1e-9
    )
    assert init.gain(lambda x: A.leaky_relu(x, slope)) == pytest.approx(
        nn.init.calculate_gain("leaky_relu", slope), rel=1e-9
    )


def test_selu_constants_equal_the_papers_and_torchs():
    assert init.selu_constants() == pytest.approx((A.SELU_ALPHA, A.SELU_SCALE), rel=1e-14)
    assert init.gaussian_mean(A.selu) == pytest.approx(0, abs=1e-12)
    assert init.gain(A.selu) == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "ReLU", "SELU", "GELU"])
def test_maps_predict_a_wide_random_network(name):
    row, weight_gain, depth, width = FAMILY[name], 1.3, 4, 1500
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(64, width, generator=generator)
    predicted = init.variance_map(row.function, weight_gain, depth, 1.0)
    for expected in predicted:
        z = x @ init.scaled_normal_(torch.empty(width, width), weight_gain, generator).T
        assert z.square().mean().item() == pytest.approx(expected, rel=0.06)
        x = row.function(z)
    squared_slope = row.slope(z).square().mean().item() * weight_gain**2
    assert init.gradient_factor(row.slope, weight_gain, predicted[-1]) == pytest.approx(
        squared_slope, rel=0.06
    )


@pytest.mark.parametrize("shape, fan", [((200, 300), 300), ((128, 32, 3, 3), 288), ((300, 1, 5, 5), 25)])
def test_scaled_normal_statistics(shape, fan):
    weight = init.scaled_normal_(torch.empty(shape), 1.7, torch.Generator().manual_seed(4))
    assert init.fan_in(weight) == fan
    deviation = 1.7 / math.sqrt(fan)
    assert weight.std().item() == pytest.approx(deviation, rel=4 / math.sqrt(2 * weight.numel()))
    assert abs(weight.mean().item()) < 5 * deviation / math.sqrt(weight.numel())


def test_scaled_normal_equals_kaiming_normal():
    weight = torch.empty(50, 20, 3, 3)
    torch.manual_seed(5)
    expected = nn.init.kaiming_normal_(weight.clone(), mode="fan_in", nonlinearity="relu")
    torch.manual_seed(5)
    torch.testing.assert_close(init.scaled_normal_(weight, math.sqrt(2)), expected, rtol=1e-6, atol=0)


def test_init_layers_touches_weights_and_zeroes_biases():
    net = nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(64), nn.Flatten(), nn.Linear(256, 500))
    init.init_layers_(net, 2.0, torch.Generator().manual_seed(6))
    assert net[0].weight.std().item() == pytest.approx(2 / math.sqrt(27), rel=0.1)
    assert net[3].weight.std().item() == pytest.approx(2 / 16, rel=0.02)
    assert not net[0].bias.any() and not net[3].bias.any() and (net[1].weight == 1).all()


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: init.gaussian_mean(A.relu, variance=0), "variance must be greater than 0"),
        (lambda: init.gaussian_mean(A.relu, points=10), "odd"),
        (lambda: init.gain(torch.zeros_like), "no gain"),
        (lambda: init.variance_map(A.relu, 1.0, 0, 1.0), "depth"),
        (lambda: init.fan_in(torch.zeros(3)), "2 axes"),
    ],
)
def test_errors_say_how_to_mend(call, words):
    with pytest.raises(ValueError, match=words):
        call()
