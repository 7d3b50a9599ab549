"""Stochastic depth: per example, unbiased, silent in evaluation.

Seeded faults that the check must catch: one draw for the whole batch, one draw for each element, no scaling,
survival probability taken for the drop probability.
"""

import pytest
import torch
from torch import nn

from dlbook.nn.drop import StochasticDepth


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
