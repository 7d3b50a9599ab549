"""Split attention against the paper's equations in loops over groups and candidates, and against timm."""

import pytest
import torch
from timm.layers import SplitAttn
from torch import nn
from torch.nn import functional as F

from dlbook.nn.split_attention import SplitAttention
from tests.parity import disagreements, randomise

KINDS = [(1, 1), (2, 1), (2, 2), (4, 2), (1, 4)]  # radix, cardinality
SHAPE = (3, 16, 5, 7)


def naive(layer, x, radix, cardinality):
    """Section 3.1: candidates and groups one at a time; each convolution by its own slice of the weights."""
    batch, channels, _, _ = x.shape
    share, hidden = channels // cardinality, layer.fc1.weight.shape[0] // cardinality
    slices = x.chunk(
        radix * cardinality, dim=1
    )  # the grouped 3x3: each candidate of each group sees its part of x
    weights = layer.conv.weight.chunk(radix * cardinality)
    maps = torch.cat([F.conv2d(part, weight, padding=1) for part, weight in zip(slices, weights)], dim=1)
    maps = F.relu(layer.bn0(maps)).view(batch, radix, cardinality, share, *x.shape[2:])
    out, squeezed = [], []
    for group in range(cardinality):
        s = sum(maps[:, r, group] for r in range(radix)).flatten(2).mean(2)  # [B, C / K]
        rows = slice(group * hidden, (group + 1) * hidden)
        squeezed.append(s @ layer.fc1.weight[rows, :, 0, 0].T + layer.fc1.bias[rows])
    squeezed = F.relu(layer.bn1(torch.cat(squeezed, 1)[:, :, None, None])).flatten(1)
    for group in range(cardinality):
        rows = slice(group * radix * share, (group + 1) * radix * share)
        inner = squeezed[:, group * hidden : (group + 1) * hidden]
        logits = inner @ layer.fc2.weight[rows, :, 0, 0].T + layer.fc2.bias[rows]
        candidates = [logits[:, r * share : (r + 1) * share] for r in range(radix)]
        total = sum(c.exp() for c in candidates) if radix > 1 else 1 + candidates[0].exp()
        out.append(
            sum((c.exp() / total)[:, :, None, None] * maps[:, r, group] for r, c in enumerate(candidates))
        )
    return torch.cat(out, dim=1)


def make(radix, cardinality):
    layer = randomise(SplitAttention(SHAPE[1], radix, cardinality))
    return layer, torch.randn(SHAPE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("radix, cardinality", KINDS)
def test_equals_the_equations(radix, cardinality, train):
    layer, x = make(radix, cardinality)
    layer.train(train)
    torch.testing.assert_close(layer(x), naive(layer, x, radix, cardinality), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("radix, cardinality", KINDS)
def test_equals_timm(radix, cardinality, stride):
    theirs = randomise(
        SplitAttn(16, 16, stride=stride, groups=cardinality, radix=radix, norm_layer=nn.BatchNorm2d)
    )
    layer = SplitAttention(16, radix, cardinality, stride).double()
    layer.load_state_dict(theirs.state_dict())
    assert disagreements(layer, theirs, (2, 16, 5, 8)) == []


@pytest.mark.parametrize("radix, cardinality", [(2, 1), (4, 2)])
def test_the_weights_of_the_candidates_sum_to_one(radix, cardinality):
    layer, _ = make(radix, cardinality)
    weights = layer.attention(torch.randn(3, radix, 16, 1, 1, dtype=torch.float64))
    assert weights.shape == (3, radix, 16, 1, 1)
    torch.testing.assert_close(weights.sum(1), torch.ones(3, 16, 1, 1, dtype=torch.float64))


def test_hidden_width():
    assert [
        SplitAttention(c, r).fc1.out_channels for c, r in ((16, 2), (64, 2), (128, 2), (96, 1), (80, 4))
    ] == [32, 32, 64, 32, 80]


def no_transposition(self, means):
    logits = self.fc2(F.relu(self.bn1(self.fc1(means.sum(1)))))
    return logits.view(means.shape).softmax(1)


def softmax_over_channels(self, means):
    logits = self.fc2(F.relu(self.bn1(self.fc1(means.sum(1)))))
    return (
        logits.view(len(logits), self.cardinality, self.radix, -1)
        .transpose(1, 2)
        .softmax(3)
        .reshape(means.shape)
    )


def sigmoid_always(self, means):
    logits = self.fc2(F.relu(self.bn1(self.fc1(means.sum(1)))))
    return (
        logits.view(len(logits), self.cardinality, self.radix, -1)
        .transpose(1, 2)
        .sigmoid()
        .reshape(means.shape)
    )


def mean_over_candidates(self, means):
    logits = self.fc2(F.relu(self.bn1(self.fc1(means.mean(1)))))
    return (
        logits.view(len(logits), self.cardinality, self.radix, -1)
        .transpose(1, 2)
        .softmax(1)
        .reshape(means.shape)
    )


@pytest.mark.parametrize(
    "fault", [no_transposition, softmax_over_channels, sigmoid_always, mean_over_candidates]
)
def test_the_loops_catch_the_seeded_fault(monkeypatch, fault):
    layer, x = make(2, 2)
    layer.eval()
    expected = naive(layer, x, 2, 2)
    monkeypatch.setattr(SplitAttention, "attention", fault)
    assert (layer(x) - expected).abs().max() > 1e-3


def test_cardinality_one_would_hide_the_missing_transposition(monkeypatch):
    """Why the faults are tried with two groups: with one, the transposition changes nothing."""
    layer, x = make(2, 1)
    layer.eval()
    expected = layer(x)
    monkeypatch.setattr(SplitAttention, "attention", no_transposition)
    torch.testing.assert_close(layer(x), expected)


def test_channels_last_stays():
    layer = SplitAttention(16).to(memory_format=torch.channels_last)
    assert layer(torch.randn(SHAPE).to(memory_format=torch.channels_last)).is_contiguous(
        memory_format=torch.channels_last
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((0,), "expected channels"),
        ((16, 0), "expected radix"),
        ((16, 2, 0), "expected cardinality"),
        ((16, 2, 1, 0), "expected stride"),
        ((16, 2, 3), "a multiple of radix"),
        ((16, 3), "a multiple of radix"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        SplitAttention(*arguments)
