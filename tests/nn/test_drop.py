"""Dropout in both forms, spatial dropout and stochastic depth: what drops together, how often, scaled how."""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import StochasticDepth as Theirs

from dlbook.nn.drop import (
    Dropout,
    PublishedDropout,
    SpatialDropout2d,
    StochasticDepth,
    dropout,
    spatial_dropout,
    stochastic_depth,
)


def check_stochastic_depth(make, drop_prob=0.2):
    torch.manual_seed(0)
    layer = make(drop_prob).train()
    out = layer(torch.ones(20_000, 2, 3, 1))
    assert out.shape == (20_000, 2, 3, 1)
    first = out[:, :1, :1, :1]
    assert torch.equal(out, first.expand_as(out)), "an example is dropped whole or kept whole"
    values = first.flatten()
    assert set(values.unique().tolist()) == {0.0, torch.tensor(1 / (1 - drop_prob)).item()}, "0 or 1 / keep"
    deviation = (drop_prob * (1 - drop_prob) / 20_000) ** 0.5
    assert abs((values == 0).double().mean() - drop_prob) < 6 * deviation, (
        "drop_prob is the probability of dropping"
    )
    x = torch.randn(4, 3)
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("drop_prob", [0.2, 0.6])
def test_stochastic_depth(drop_prob):
    check_stochastic_depth(StochasticDepth, drop_prob)


class WholeBatch(StochasticDepth):
    def forward(self, branch):
        keep = 1 - self.drop_prob
        return branch * (torch.rand(1) < keep) / keep if self.training else branch


class EachElement(StochasticDepth):
    def forward(self, branch):
        return nn.functional.dropout(branch, self.drop_prob, self.training)


class Unscaled(StochasticDepth):
    def forward(self, branch):
        return super().forward(branch) * (1 - self.drop_prob) if self.training else branch


class SurvivalForDrop(StochasticDepth):
    def __init__(self, drop_prob):
        super().__init__(1 - drop_prob)


@pytest.mark.parametrize("fault", [WholeBatch, EachElement, Unscaled, SurvivalForDrop])
def test_seeded_fault_is_caught(fault):
    with pytest.raises(AssertionError):
        check_stochastic_depth(fault)


def test_zero_and_gradient():
    x = torch.randn(3, 2, requires_grad=True)
    assert StochasticDepth(0).train()(x) is x
    torch.manual_seed(0)
    out = StochasticDepth(0.5).train()(x)
    out.sum().backward()
    assert torch.equal(x.grad[:, 0] == 0, (out == 0).all(1))  # no gradient through a dropped branch


def test_half_precision_keeps_its_type():
    assert StochasticDepth(0.5).train()(torch.ones(4, 2, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize("drop_prob", [-0.1, 1.0, 1.5])
def test_refuses(drop_prob):
    with pytest.raises(ValueError, match=r"expected drop_prob in \[0, 1\)"):
        StochasticDepth(drop_prob)


SHAPE = (200, 20, 3, 4)


TOGETHER = {  # layer -> shape of what is drawn: the axes of size 1 drop together
    "dropout": (Dropout, (200, 20, 3, 4)),
    "as published": (PublishedDropout, (200, 20, 3, 4)),
    "spatial": (SpatialDropout2d, (200, 20, 1, 1)),
    "depth": (StochasticDepth, (200, 1, 1, 1)),
}


def check(make, drawn, drop_prob, seed=0):
    """Members of a unit drop together, with the right frequency; the mean of training is that of
    evaluation.
    """
    torch.manual_seed(seed)
    layer, x = make(drop_prob), torch.full(SHAPE, 3.0)
    trained, evaluated = layer.train()(x), layer.eval()(x)
    units = trained[tuple(slice(0, n) for n in drawn)]
    assert torch.equal(trained, units.expand_as(trained)), "a unit drops as a whole"
    values = units.unique()
    assert len(values) == 2 and values[0] == 0, "dropped or kept at one scale"
    deviation = math.sqrt(drop_prob * (1 - drop_prob) / units.numel())
    assert abs(float((units == 0).double().mean()) - drop_prob) < 5 * deviation, (
        "drop_prob is the probability of dropping"
    )
    assert float(values[1]) * (1 - drop_prob) == pytest.approx(float(evaluated[0, 0, 0, 0])), (
        "training and evaluation have one mean"
    )
    assert torch.equal(evaluated, evaluated[0, 0, 0, 0].expand_as(x)), "evaluation is deterministic"
    for axis, size in enumerate(
        drawn
    ):  # units along each axis are drawn on their own: neighbours agree by chance only
        if size > 1:
            ahead, behind = units.narrow(axis, 1, size - 1), units.narrow(axis, 0, size - 1)
            agree = float((ahead == behind).double().mean())
            chance = drop_prob**2 + (1 - drop_prob) ** 2
            # pairs share members, so their count is correlated: six deviations of twice the variance
            assert abs(agree - chance) < 6 * math.sqrt(2 * chance * (1 - chance) / ahead.numel()), (
                "units are independent"
            )


@pytest.mark.parametrize("drop_prob", [0.2, 0.5, 0.7])
@pytest.mark.parametrize("name", TOGETHER)
def test_statistics(name, drop_prob):
    check(*TOGETHER[name], drop_prob)


def test_the_scales_of_both_forms():
    torch.manual_seed(0)
    x = torch.full((1000,), 2.0, dtype=torch.float64)
    assert set(PublishedDropout(0.2).train()(x).tolist()) == {0, 2.0} and PublishedDropout(0.2).eval()(
        x
    ).unique().tolist() == [1.6]
    assert set(Dropout(0.2).train()(x).tolist()) == {0, 2.5} and Dropout(0.2).eval()(x) is x


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (Dropout(0.3), nn.Dropout(0.3)),
        (SpatialDropout2d(0.3), nn.Dropout2d(0.3)),
        (StochasticDepth(0.3), Theirs(0.3, "row")),
        (StochasticDepth(0.3, "batch"), Theirs(0.3, "batch")),
    ],
)
def test_equals_the_library_from_the_same_seed_with_its_gradient(ours, theirs):
    found = []
    for layer in (ours, theirs):
        torch.manual_seed(5)
        x = torch.randn(20, 6, 3, 4, dtype=torch.float64, requires_grad=True)
        out = layer.train()(x)
        out.square().sum().backward()
        found.append((out.detach(), x.grad))
        assert layer.eval()(x) is x
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-12)


def test_batch_mode_drops_all_examples_or_none():
    torch.manual_seed(0)
    layer = StochasticDepth(0.4, "batch").train()
    draws = [layer(torch.ones(3, 2)).unique().tolist() for _ in range(2000)]
    assert all(len(values) == 1 for values in draws)
    dropped = sum(values == [0] for values in draws) / 2000
    assert abs(dropped - 0.4) < 5 * math.sqrt(0.4 * 0.6 / 2000)


@pytest.mark.parametrize(
    "function", [dropout, spatial_dropout, stochastic_depth, partial(stochastic_depth, mode="batch")]
)
def test_a_generator_repeats_the_draw_and_leaves_the_global_one(function):
    x = torch.randn(8, 4, 3, 3)
    state = torch.get_rng_state()
    first, again = (
        [function(x, 0.5, generator=torch.Generator().manual_seed(seed)) for seed in range(9)]
        for _ in range(2)
    )
    assert all(map(torch.equal, first, again)) and not all(torch.equal(first[0], other) for other in first)
    assert torch.equal(torch.get_rng_state(), state)


def test_why_spatial_dropout_drops_maps():
    """Averaging neighbours that are alike undoes dropout of pixels, and not that of maps."""
    torch.manual_seed(0)
    x = torch.ones(2000, 4, 4, 4)
    noise = {kind: float(F.avg_pool2d(kind(0.5)(x), 4).var()) for kind in (Dropout, SpatialDropout2d)}
    assert noise[Dropout] == pytest.approx(1 / 16, rel=0.05) and noise[SpatialDropout2d] == pytest.approx(
        1, rel=0.05
    )


@pytest.mark.parametrize(
    "layer",
    [
        Dropout(0.5),
        PublishedDropout(0.5),
        SpatialDropout2d(0.5),
        StochasticDepth(0.5),
        StochasticDepth(0.5, "batch"),
    ],
)
def test_traces_runs_on_meta_in_half_precision_and_keeps_the_layout(layer):
    x = torch.randn(4, 3, 5, 6).contiguous(memory_format=torch.channels_last)
    for mode in (True, False):
        layer.train(mode)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        assert compiled(x).shape == x.shape
        assert torch.export.export(layer, (x,)).module()(x).shape == x.shape
        assert layer(x.to("meta")).shape == x.shape
        assert layer(x.bfloat16()).dtype == torch.bfloat16
        assert layer(x).is_contiguous(memory_format=torch.channels_last)


def faulty(train, evaluate=lambda x, p: x):
    """A layer of two functions of x and drop_prob."""

    class Layer(nn.Module):
        def __init__(self, drop_prob):
            super().__init__()
            self.drop_prob = drop_prob

        def forward(self, x):
            return (train if self.training else evaluate)(x, self.drop_prob)

    return Layer


FAULTS = {
    "inverted and published mixed": (
        "dropout",
        faulty(lambda x, p: F.dropout(x, p), lambda x, p: x * (1 - p)),
    ),
    "no scaling at all": ("as published", faulty(lambda x, p: F.dropout(x, p) * (1 - p))),
    "evaluation divides by the keep probability": (
        "as published",
        faulty(lambda x, p: F.dropout(x, p) * (1 - p), lambda x, p: x / (1 - p)),
    ),
    "evaluation multiplies by drop_prob": (
        "as published",
        faulty(lambda x, p: F.dropout(x, p) * (1 - p), lambda x, p: x * p),
    ),
    "drop_prob taken for the keep probability": ("dropout", faulty(lambda x, p: F.dropout(x, 1 - p))),
    "still dropping in evaluation": (
        "dropout",
        faulty(lambda x, p: F.dropout(x, p), lambda x, p: F.dropout(x, p)),
    ),
    "pixels for maps": ("spatial", faulty(lambda x, p: F.dropout(x, p))),
    "a map drops for the whole batch": (
        "spatial",
        faulty(lambda x, p: x * F.dropout(torch.ones(1, x.shape[1], 1, 1), p)),
    ),
    "one draw for the whole batch": ("depth", faulty(lambda x, p: x * F.dropout(torch.ones(1), p))),
    "channels for examples": ("depth", faulty(lambda x, p: F.dropout2d(x, p))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_statistics_catch_the_seeded_fault(fault):
    name, make = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(make, TOGETHER[name][1], 0.3)


@pytest.mark.parametrize("kind", [Dropout, PublishedDropout, SpatialDropout2d, StochasticDepth])
@pytest.mark.parametrize("drop_prob", [-0.1, 1.0, 1.5, True, "half"])
def test_refuses_a_certain_drop(kind, drop_prob):
    with pytest.raises(ValueError, match=r"expected drop_prob in \[0, 1\)"):
        kind(drop_prob)


def test_refuses_other_modes_and_shapes():
    with pytest.raises(ValueError, match="expected mode to be"):
        StochasticDepth(0.5, "column")
    with pytest.raises(ValueError, match=r"expected x of shape \[B, C, H, W\]"):
        SpatialDropout2d(0.5)(torch.ones(2, 3))
    assert "drop_prob=0.25" in repr(Dropout(0.25)) and Dropout(0).train()(torch.ones(3)).tolist() == [1, 1, 1]
