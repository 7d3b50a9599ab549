"""Stochastic pooling against naive loops over its equations, and by its statistics."""

import math

import pytest
import torch

from dlbook.naive import pooling as naive
from dlbook.nn import pooling_stochastic
from dlbook.nn.pooling_stochastic import StochasticPool2d, stochastic_draw, stochastic_mean
from tests.naive.conv_cases import assert_same, gradients

GEOMETRIES = [
    ((2, 2), (2, 2), (0, 0)),
    ((3, 2), (2, 1), (1, 0)),
    ((3, 3), (2, 2), (1, 1)),
    ((1, 4), (3, 2), (0, 2)),
]


def made(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_stochastic_evaluation_equals_the_equation(geometry):
    x = made(2, 3, 6, 7).relu()
    x[0, 0] = 0  # windows without activation
    assert_same(
        [StochasticPool2d(*geometry).eval()(x)], [naive.pool(x, *geometry, naive.stochastic_expectation)]
    )


def check_draws(draw):
    """Frequencies of 60,000 draws within five deviations of equation (4); a zero never."""
    values = [0.0, 0.5, 1.0, 2.5]
    windows = torch.tensor(values, dtype=torch.float64).expand(60_000, 4)
    drawn = draw(windows, torch.Generator().manual_seed(0))
    for value, p in zip(values, naive.stochastic_probabilities(values)):
        assert abs(float((drawn == value).double().mean()) - p) <= 5 * math.sqrt(p * (1 - p) / 60_000), value
    assert abs(float(drawn.mean()) - naive.stochastic_expectation(values)) < 0.02


def test_stochastic_draws_with_the_papers_probabilities():
    check_draws(stochastic_draw)


def test_stochastic_draws_members_of_their_windows_and_trains_and_evaluates_to_one_mean():
    x = made(1, 2, 6, 7).relu()
    layer = StochasticPool2d((3, 2), (2, 1), (1, 0)).train()
    torch.manual_seed(0)
    mean = sum(layer(x) for _ in range(4000)) / 4000
    torch.testing.assert_close(mean, layer.eval()(x), rtol=0.03, atol=0.03)
    drawn = layer.train()(x)
    for index, values, _, _ in naive.each_window(x, (3, 2), (2, 1), (1, 0)):
        assert float(drawn[index]) in [*values, 0.0]
        assert float(drawn[index]) > 0 or max(values) == 0, "a zero only if nothing is active"


def test_stochastic_windows_of_zeros_and_negative_values():
    windows = torch.tensor([[0.0, 0.0], [-1.0, -2.0], [-1.0, 3.0]], requires_grad=True)
    for pooled in (stochastic_draw(windows), stochastic_mean(windows)):
        assert pooled.tolist() == [0, 0, 3]
        (gradient,) = torch.autograd.grad(pooled.sum(), windows)
        assert torch.isfinite(gradient).all()


def test_stochastic_gradient_goes_to_the_drawn_value():
    windows = made(50, 4).abs()
    drawn, gradient = gradients(stochastic_draw, windows, generator=torch.Generator().manual_seed(0))
    assert torch.equal(gradient != 0, windows == drawn[:, None])
    again = stochastic_draw(windows, torch.Generator().manual_seed(0))
    assert torch.equal(again, drawn)  # a generator repeats the draw


def test_stochastic_mean_by_finite_differences():
    assert torch.autograd.gradcheck(stochastic_mean, made(5, 4).abs().requires_grad_())


@pytest.mark.parametrize(
    "layer",
    [StochasticPool2d(2).eval(), StochasticPool2d(3, 2, 1).train()],
)
def test_traces_runs_on_meta_and_in_half_precision(layer):
    x = made(2, 3, 6, 7).float().relu()
    outcome = torch.compile(layer, fullgraph=True, backend="aot_eager")(x)
    assert outcome.shape == layer(x).shape
    assert layer.to("meta")(x.to("meta")).shape == outcome.shape
    assert layer.to_empty(device="cpu").bfloat16()(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("kind", [StochasticPool2d])
def test_refuses(kind):
    with pytest.raises(ValueError, match="expected kernel_size"):
        kind(0)
    with pytest.raises(ValueError, match="expected stride"):
        kind(2, 0)
    with pytest.raises(ValueError, match=r"expected x of shape \[B, C, H, W\]"):
        kind(2)(torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match="half the kernel of"):
        kind(2, 2, 2)(torch.zeros(1, 3, 4, 4))
    assert "kernel_size=(2, 2), stride=(2, 2)" in repr(kind(2))


FAULTS = {
    "softmax for the probabilities": lambda a, g: a.gather(
        -1, torch.multinomial(a.softmax(-1), 1, generator=g)
    )[:, 0],
    "the maximum": lambda a, g: a.max(-1).values,
    "uniform draws": lambda a, g: a.gather(-1, torch.randint(a.shape[-1], (len(a), 1), generator=g))[:, 0],
    "squared activations": lambda a, g: a.gather(-1, torch.multinomial(a.square(), 1, generator=g))[:, 0],
    "the last to ring": lambda a, g: a.gather(
        -1, (torch.empty_like(a).exponential_(generator=g) / a.clamp(1e-9)).argmax(-1, keepdim=True)
    )[:, 0],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_frequencies_catch_the_seeded_fault(fault):
    with pytest.raises(AssertionError):
        check_draws(FAULTS[fault])


@pytest.mark.parametrize(
    "fault",
    [lambda a: a.mean(-1), lambda a: (a.softmax(-1) * a).sum(-1), lambda a: a.square().sum(-1) / a.sum(-1)],
    ids=["a plain average", "softmax for the probabilities", "0 / 0 in a window of zeros"],
)
def test_evaluation_catches_the_seeded_fault(fault, monkeypatch):
    monkeypatch.setattr(pooling_stochastic, "stochastic_mean", fault)
    with pytest.raises(AssertionError):
        test_stochastic_evaluation_equals_the_equation(GEOMETRIES[0])
