"""DropConnect against all masks of a small layer, and its inference against closed forms and sampling."""

import math

import pytest
import torch

from dlbook.naive.drop_connect import every_mask
from dlbook.nn import drop_connect as module
from dlbook.nn.drop_connect import DropConnectLinear, drop_connect, drop_connect_moments, gaussian_average
from tests.seeded import check_sees


def made(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


X, WEIGHT, BIAS, DROP = made(3, 5), made(2, 5, seed=1), made(2, seed=2), 0.3


def check_moments(moments):
    """Mean and variance over all 2^6 masks, weighed by their probabilities."""
    mean, variance = moments(X, WEIGHT, BIAS, DROP)
    for b in range(3):
        for o in range(2):
            outcomes = every_mask(X[b].tolist(), WEIGHT[o].tolist(), float(BIAS[o]), DROP)
            expected = sum(p * value for p, value in outcomes)
            spread = sum(p * (value - expected) ** 2 for p, value in outcomes)
            assert float(mean[b, o]) == pytest.approx(expected, rel=1e-12, abs=1e-12)
            assert float(variance[b, o]) == pytest.approx(spread, rel=1e-12)


def check_draws(draw):
    """4,000 draws: only values that some mask gives, with the probability of their masks; each example and
    unit its own.
    """
    x = X[:1].expand(4000, 5)
    drawn = draw(x, WEIGHT, BIAS, DROP, torch.Generator().manual_seed(0))  # [4000, 2]
    codes = []  # of the mask that gives the value, for each draw
    for o in range(2):
        outcomes = every_mask(X[0].tolist(), WEIGHT[o].tolist(), float(BIAS[o]), DROP)
        values = torch.tensor([value for _, value in outcomes], dtype=torch.float64)
        nearest = (drawn[:, o, None] - values).abs().min(1)
        assert float(nearest.values.max()) < 1e-12, "a sum of some of the terms"
        probabilities = torch.tensor([p for p, _ in outcomes])
        counts = torch.bincount(nearest.indices, minlength=len(outcomes))
        chi_squared = float(((counts - 4000 * probabilities).square() / (4000 * probabilities)).sum())
        assert chi_squared < 63 + 5 * math.sqrt(2 * 63), (
            "each mask as often as it should be"
        )  # 63 degrees of freedom
        codes.append(nearest.indices)
    differ, chance = codes[0] ^ codes[1], DROP**2 + (1 - DROP) ** 2
    for bit in range(6):
        agree = float((differ >> bit & 1 == 0).double().mean())
        assert abs(agree - chance) < 5 * math.sqrt(chance * (1 - chance) / 4000), (
            "units have masks of their own"
        )


def test_moments_equal_the_sum_over_all_masks():
    check_moments(drop_connect_moments)


def test_draws_follow_the_masks():
    check_draws(drop_connect)


def check_generator(draw):
    """Equal seeds give equal masks of weights and of biases; torch's own generator is left alone."""
    state = torch.get_rng_state()
    one, again = (draw(X, WEIGHT, BIAS, DROP, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, again) and torch.equal(state, torch.get_rng_state())


def test_a_generator_repeats_the_draw_and_leaves_the_global_one():
    check_generator(drop_connect)


@pytest.mark.parametrize("count", ["len(x), *weight.shape", "len(x), len(bias)"])
def test_the_check_sees_a_draw_from_the_global_generator(count):
    given = f"x.new_empty({count}).bernoulli_(1 - drop_prob"
    check_sees(check_generator, module, "drop_connect", f"{given}, generator=generator)", f"{given})")


def test_without_bias():
    mean, variance = drop_connect_moments(X, WEIGHT, None, DROP)
    torch.testing.assert_close(mean, 0.7 * X @ WEIGHT.T, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(variance, 0.21 * X.square() @ WEIGHT.square().T, rtol=1e-12, atol=1e-12)
    assert drop_connect(X, WEIGHT, None, DROP).shape == (3, 2)


def relu_average(mean, variance):
    """E[relu(u)] of a Gaussian in closed form: mu Phi(mu / sigma) + sigma phi(mu / sigma)."""
    deviation = variance.sqrt()
    z = mean / deviation
    return mean * torch.special.ndtr(z) + deviation * torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)


def test_quantiles_equal_the_closed_form_of_relu():
    mean, variance = made(50), made(50, seed=1).square() + 0.1
    error = (gaussian_average(torch.relu, mean, variance) - relu_average(mean, variance)).abs().max()
    assert error < 1e-3
    sampled = torch.relu(mean + variance.sqrt() * made(1000, 50, seed=2)).mean(0)  # the paper's 1,000 draws
    assert error < 0.02 * (sampled - relu_average(mean, variance)).abs().max()
    torch.testing.assert_close(gaussian_average(lambda u: u, mean, variance), mean, rtol=1e-12, atol=1e-12)


def test_inference_is_near_the_mean_of_training_and_the_simple_form_is_not():
    """A wide layer, so that the sums are nearly Gaussian (section 3.2)."""
    torch.manual_seed(0)
    layer = DropConnectLinear(300, 20, 0.5)
    x = torch.randn(1, 300)
    with torch.no_grad():
        trained = layer.train()(x.expand(10_000, 300)).mean(0)
        moments = layer.eval()(x)[0]
        layer.inference = "mean"
        simple = layer(x)[0]
    assert (moments - trained).abs().max() < 0.02 < 0.08 < (simple - trained).abs().max()
    assert (simple <= moments).all()  # Jensen: E[relu(u)] >= relu(E[u])


def test_gradients():
    layer = DropConnectLinear(5, 2, DROP, torch.tanh, points=50).double().eval()
    assert torch.autograd.gradcheck(layer, X.clone().requires_grad_())
    zero = torch.zeros(
        1, 5, dtype=torch.float64, requires_grad=True
    )  # variance 0: the root has no slope there
    layer(zero).sum().backward()
    assert torch.isfinite(zero.grad).all()
    layer.train()(X).sum().backward()
    assert layer.weight.grad.abs().sum() > 0


def test_nothing_dropped_is_a_linear_layer():
    layer = DropConnectLinear(5, 2, 0.0).double()
    expected = torch.relu(torch.nn.functional.linear(X, layer.weight, layer.bias))
    torch.testing.assert_close(layer.train()(X), expected)
    torch.testing.assert_close(layer.eval()(X), expected)


@pytest.mark.parametrize("train", [True, False])
def test_traces_and_runs_on_meta(train):
    layer = DropConnectLinear(5, 2).train(train)
    assert torch.compile(layer, fullgraph=True, backend="aot_eager")(X.float()).shape == (3, 2)
    assert layer.to("meta")(X.float().to("meta")).shape == (3, 2)


def one_mask_for_all(x, weight, bias, drop_prob, generator):
    mask = torch.empty_like(weight).bernoulli_(1 - drop_prob, generator=generator)
    return x @ (mask * weight).T + bias * torch.empty(len(x), 2).bernoulli_(
        1 - drop_prob, generator=generator
    )


def units_dropped(x, weight, bias, drop_prob, generator):
    kept = torch.empty_like(x).bernoulli_(1 - drop_prob, generator=generator)
    return (x * kept) @ weight.T + bias * torch.empty(len(x), 2).bernoulli_(
        1 - drop_prob, generator=generator
    )


DRAW_FAULTS = {
    "one mask for the whole batch": one_mask_for_all,
    "units dropped, not weights": units_dropped,
    "inverted scaling": lambda *a: drop_connect(*a) / 0.7,
    "biases never dropped": lambda x, w, b, p, g: drop_connect(x, w, None, p, g) + b,
    "drop_prob taken for the keep probability": lambda x, w, b, p, g: drop_connect(x, w, b, 1 - p, g),
}
MOMENT_FAULTS = {
    "variance without the square of x": lambda x, w, b, p: (
        drop_connect_moments(x, w, b, p)[0],
        p * (1 - p) * (x.abs() @ w.square().T + b.square()),
    ),
    "variance with drop_prob for q (1 - q)": lambda x, w, b, p: (
        drop_connect_moments(x, w, b, p)[0],
        p * (x.square() @ w.square().T + b.square()),
    ),
    "mean unscaled": lambda x, w, b, p: (x @ w.T + b, drop_connect_moments(x, w, b, p)[1]),
}


@pytest.mark.parametrize("fault", [*DRAW_FAULTS, *MOMENT_FAULTS])
def test_all_masks_catch_the_seeded_fault(fault):
    with pytest.raises(AssertionError):
        check_draws(DRAW_FAULTS[fault]) if fault in DRAW_FAULTS else check_moments(MOMENT_FAULTS[fault])


def test_activation_before_the_average_is_caught(monkeypatch):
    monkeypatch.setattr(module, "gaussian_average", lambda f, mean, variance, points: f(mean))
    with pytest.raises(AssertionError):
        test_inference_is_near_the_mean_of_training_and_the_simple_form_is_not()


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((0, 2), "expected in_features"),
        ((2, 0), "expected out_features"),
        ((2, 2, 1.0), "expected drop_prob"),
        ((2, 2, 0.5, torch.relu, "sampling"), "expected inference to be"),
        ((2, 2, 0.5, torch.relu, "mean", 0), "expected points"),
    ],
)
def test_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        DropConnectLinear(*arguments)


def test_refuses_another_width():
    with pytest.raises(ValueError, match=r"expected x of shape \[B, 5\]"):
        DropConnectLinear(5, 2)(torch.ones(3, 4))
    assert "5, 2, drop_prob=0.5" in repr(DropConnectLinear(5, 2))
