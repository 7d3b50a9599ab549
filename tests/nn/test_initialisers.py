"""Initialisers: torch's numbers from the same generator where torch has the thing, and the statistics of
each.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dlbook.nn import initialisers as init


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def check_statistics(weight, deviation, uniform=False):
    """Mean and standard deviation within five of their own deviations, and the fourth moment of the
    distribution.
    """
    n = weight.numel()
    assert abs(weight.mean().item()) < 5 * deviation / math.sqrt(n), "the mean"
    kurtosis = 1.8 if uniform else 3.0
    variance = weight.double().square().mean().item()
    assert abs(variance / deviation**2 - 1) < 5 * math.sqrt((kurtosis - 1) / n), "the variance"
    fourth = weight.double().pow(4).mean().item() / variance**2
    assert abs(fourth - kurtosis) < 30 / math.sqrt(n), "the kind of distribution"
    if uniform:
        assert weight.abs().max().item() <= deviation * math.sqrt(3) * (1 + 1e-6), "the bound"


DENSE, KERNEL, GROUPED = (
    (300, 400),
    (96, 64, 3, 5),
    (96, 16, 3, 5),
)  # fan in 400, 960, 240; out 300, 1440, 1440 / 4 in groups
STATISTICS = {  # call, shape, variance, uniform: variance by hand from the fans above
    "LeCun normal": (init.lecun_normal_, KERNEL, 1 / 960, False),
    "LeCun uniform": (init.lecun_uniform_, KERNEL, 1 / 960, True),
    "Xavier normal": (init.xavier_normal_, DENSE, 2 / 700, False),
    "Xavier uniform": (init.xavier_uniform_, KERNEL, 2 / 2400, True),
    "Xavier with a gain": (lambda w, **k: init.xavier_normal_(w, 5 / 3, **k), DENSE, 25 / 9 * 2 / 700, False),
    "Xavier of groups": (lambda w, **k: init.xavier_uniform_(w, groups=4, **k), GROUPED, 2 / 600, True),
    "He forward": (init.he_normal_, KERNEL, 2 / 960, False),
    "He backward": (lambda w, **k: init.he_uniform_(w, "fan_out", **k), KERNEL, 2 / 1440, True),
    "He of groups, forward": (lambda w, **k: init.he_normal_(w, groups=4, **k), GROUPED, 2 / 240, False),
    "He of groups, backward": (
        lambda w, **k: init.he_normal_(w, "fan_out", groups=4, **k),
        GROUPED,
        2 / 360,
        False,
    ),
    "He of leaky ReLU": (lambda w, **k: init.he_normal_(w, slope=0.5, **k), DENSE, 2 / 1.25 / 400, False),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics(name):
    fill, shape, variance, uniform = STATISTICS[name]
    weight = torch.empty(shape)
    assert fill(weight, generator=generator()) is weight
    check_statistics(weight, math.sqrt(variance), uniform)


TORCHS = {
    "Xavier normal": (
        lambda w, g: init.xavier_normal_(w, 1.3, generator=g),
        lambda w, g: nn.init.xavier_normal_(w, 1.3, generator=g),
    ),
    "Xavier uniform": (
        lambda w, g: init.xavier_uniform_(w, 1.3, generator=g),
        lambda w, g: nn.init.xavier_uniform_(w, 1.3, generator=g),
    ),
    "He normal": (
        lambda w, g: init.he_normal_(w, "fan_out", generator=g),
        lambda w, g: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu", generator=g),
    ),
    "He uniform": (
        lambda w, g: init.he_uniform_(w, slope=0.3, generator=g),
        lambda w, g: nn.init.kaiming_uniform_(w, 0.3, generator=g),
    ),
    "LeCun normal": (
        lambda w, g: init.lecun_normal_(w, g),
        lambda w, g: nn.init.kaiming_normal_(w, nonlinearity="linear", generator=g),
    ),
    "LeCun uniform": (
        lambda w, g: init.lecun_uniform_(w, g),
        lambda w, g: nn.init.kaiming_uniform_(w, nonlinearity="linear", generator=g),
    ),
    "orthogonal": (lambda w, g: init.orthogonal_(w, 0.7, g), lambda w, g: nn.init.orthogonal_(w, 0.7, g)),
}


@pytest.mark.parametrize("shape", [(7, 12), (12, 7), (9, 9), (8, 3, 2, 3), (40, 2, 3, 1)])
@pytest.mark.parametrize("name", TORCHS)
def test_equals_torch_from_the_same_generator(name, shape):
    ours, theirs = TORCHS[name]
    weight = torch.empty(shape, dtype=torch.float64)
    expected = theirs(weight.clone(), generator(3))
    torch.testing.assert_close(ours(weight, generator(3)), expected, rtol=1e-12, atol=1e-12)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.lists(st.integers(1, 4), max_size=2))
def test_fans_of_groups_are_those_of_one_group(groups, inputs, outputs, taps):
    weight = torch.empty(groups * outputs, inputs, *taps)
    assert init.fans(weight, groups) == init.fans(torch.empty(outputs, inputs, *taps))
    assert init.fans(weight) == nn.init._calculate_fan_in_and_fan_out(weight)  # torch knows no groups


@pytest.mark.parametrize("shape", [(16, 16), (10, 24), (24, 10), (12, 3, 3, 2), (40, 2, 3, 3)])
def test_orthogonality(shape):
    weight = init.orthogonal_(torch.empty(shape, dtype=torch.float64), 1.5, generator()).flatten(1)
    short = min(weight.shape)
    product = weight @ weight.T if len(weight) == short else weight.T @ weight
    torch.testing.assert_close(product, 1.5**2 * torch.eye(short, dtype=torch.float64), rtol=0, atol=1e-12)


def check_uniform_over_rotations(fill):
    """The first entry of a uniform 2 x 2 rotation or reflection is a cosine of a uniform angle: mean 0, mean
    square 1/2.

    Any fixed rotation of it must be as likely; the QR habit of a negative diagonal shows in the signs.
    """
    stream = generator()
    drawn = torch.stack([fill(torch.empty(3, 3, dtype=torch.float64), generator=stream) for _ in range(4000)])
    bound = 5 / math.sqrt(4000)
    assert drawn.mean(0).abs().max() < bound, "no entry has a preferred sign"
    assert (drawn.square().mean(0) - 1 / 3).abs().max() < bound
    assert (torch.linalg.det(drawn).round() == 1).double().mean().sub(0.5).abs() < bound, (
        "rotations and reflections alike"
    )


def test_orthogonal_is_uniform():
    check_uniform_over_rotations(init.orthogonal_)


def test_without_the_sign_it_is_not_uniform():
    with pytest.raises(AssertionError):
        check_uniform_over_rotations(lambda w, generator: torch.linalg.qr(w.normal_(generator=generator)).Q)


ALL = [
    init.lecun_normal_,
    init.lecun_uniform_,
    init.xavier_normal_,
    init.xavier_uniform_,
    init.he_normal_,
    init.he_uniform_,
    init.orthogonal_,
    init.truncated_normal_,
]


@pytest.mark.parametrize("fill", ALL)
def test_generators_parameters_meta_and_half_precision(fill):
    parameter = nn.Parameter(torch.empty(6, 4))
    state = torch.get_rng_state()
    first = fill(parameter, generator=generator(1)).detach().clone()
    assert torch.equal(torch.get_rng_state(), state) and parameter.requires_grad and not parameter.grad_fn
    assert torch.equal(fill(parameter, generator=generator(1)), first) and not torch.equal(
        fill(parameter, generator=generator(2)), first
    )
    torch.manual_seed(7)
    fill(parameter)
    assert not torch.equal(torch.get_rng_state(), state)  # torch's own generator without one
    assert fill(torch.empty(6, 4, device="meta")).shape == (6, 4)
    assert torch.isfinite(fill(torch.empty(6, 4, dtype=torch.bfloat16))).all()


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
        (lambda: init.he_normal_(torch.empty(3)), "at least 2 axes"),
        (lambda: init.fan_in(torch.zeros(3)), "at least 2 axes"),
        (lambda: init.orthogonal_(torch.empty(3)), "at least 2 axes"),
        (lambda: init.he_normal_(torch.empty(3, 3), "fan_avg"), "expected mode to be"),
        (lambda: init.fans(torch.empty(5, 3), 2), "expected groups to divide"),
        (lambda: init.fans(torch.empty(5, 3), 0), "expected groups"),
        (lambda: init.truncated_normal_(torch.empty(3), -1.0), "expected std >= 0"),
        (lambda: init.truncated_normal_(torch.empty(3), bound=0.0), "expected bound > 0"),
        (lambda: init.truncated_std(1.0, 0.0), "expected bound > 0"),
    ],
)
def test_errors_say_how_to_fix(call, words):
    with pytest.raises(ValueError, match=words):
        call()


FAULTS = {
    "fan out for fan in": ("He forward", lambda w, **k: init.he_normal_(w, "fan_out", **k)),
    "gain 1 for sqrt 2": ("He forward", init.lecun_normal_),
    "a variance passed for a deviation": (
        "He forward",
        lambda w, generator: w.normal_(0, 2 / 960, generator=generator),
    ),
    "uniform without the 3": (
        "LeCun uniform",
        lambda w, generator: w.uniform_(-(960**-0.5), 960**-0.5, generator=generator),
    ),
    "a normal for a uniform": ("Xavier uniform", init.xavier_normal_),
    "sum for the mean of the fans": (
        "Xavier normal",
        lambda w, generator: w.normal_(0, (1 / 700) ** 0.5, generator=generator),
    ),
    "groups forgotten": ("He of groups, backward", lambda w, **k: init.he_normal_(w, "fan_out", **k)),
    "groups counted twice": (
        "He of groups, forward",
        lambda w, generator: w.normal_(0, (2 / 60) ** 0.5, generator=generator),
    ),
    "taps forgotten": ("LeCun normal", lambda w, generator: w.normal_(0, 64**-0.5, generator=generator)),
    "slope not squared": (
        "He of leaky ReLU",
        lambda w, generator: w.normal_(0, (2 / 1.5 / 400) ** 0.5, generator=generator),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_statistics_catch_the_seeded_fault(fault):
    name, faulty = FAULTS[fault]
    _, shape, variance, uniform = STATISTICS[name]
    with pytest.raises(AssertionError):
        check_statistics(faulty(torch.empty(shape), generator=generator()), math.sqrt(variance), uniform)


@pytest.mark.parametrize(
    "fault",
    [lambda w: w[:, 0].numel(), lambda w: w[0].numel() // w.shape[1]],
    ids=["fan_out for fan_in", "kernel area without the channels"],
)
def test_wrong_fan_is_caught(monkeypatch, fault):
    def keeps_variance():
        weight = init.scaled_normal_(torch.empty(256, 64, 3, 3), math.sqrt(2), generator())
        return abs(weight.std().item() / math.sqrt(2 / 576) - 1) < 0.02

    assert keeps_variance()
    monkeypatch.setattr(init, "fan_in", fault)
    assert not keeps_variance()
