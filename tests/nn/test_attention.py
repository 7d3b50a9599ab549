"""Self-attention against the paper's equation in loops, torch's MultiheadAttention, and itself written out.

Seeded faults that the checks must catch: no division by sqrt(d), division by sqrt(D), softmax over the
queries, heads cut the wrong way round, keys and values exchanged, heads joined without moving them beside
each other.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlbook.nn.attention import SelfAttention, attend


def naive(layer, x, mask=None):
    """Output and weights, one head and one query at a time; projections row by row of the packed matrix."""
    B, N, D = x.shape
    h, d = layer.num_heads, D // layer.num_heads
    W, b = layer.qkv.weight.detach(), layer.qkv.bias.detach()
    weights = torch.zeros(B, h, N, N, dtype=x.dtype)
    joined = torch.zeros_like(x)
    for i in range(B):
        for head in range(h):
            rows = [slice(part * D + head * d, part * D + (head + 1) * d) for part in range(3)]
            q, k, v = ([W[r] @ token + b[r] for token in x[i]] for r in rows)
            for n in range(N):
                scores = [
                    float(q[n] @ k[m]) / math.sqrt(d) + (0 if mask is None else float(mask[n, m]))
                    for m in range(N)
                ]
                powers = [math.exp(score) for score in scores]
                for m in range(N):
                    weights[i, head, n, m] = powers[m] / sum(powers)
                    joined[i, n, head * d : (head + 1) * d] += weights[i, head, n, m] * v[m]
    return joined @ layer.proj.weight.detach().T + layer.proj.bias.detach(), weights


def make(cls=SelfAttention, dim=12, num_heads=3):
    torch.manual_seed(0)
    layer = cls(dim, num_heads).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layer, torch.randn(2, 5, dim, dtype=torch.float64)


def check(cls):
    """Fused and written out equal the loop."""
    layer, x = make(cls)
    expected, weights = naive(layer, x)
    torch.testing.assert_close(layer(x), expected, rtol=1e-10, atol=1e-10)
    ours, our_weights = layer.written_out(x)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(our_weights, weights, rtol=1e-10, atol=1e-10)


def test_equals_the_equation_in_loops():
    check(SelfAttention)


class Fault(SelfAttention):
    def written_out(self, x, mask=None):
        q, k, v = self.heads(x)
        weights = self.weights(q, k, x.shape[-1])
        return self.join(weights @ v), weights

    def weights(self, q, k, D):
        return torch.softmax(q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5, -1)

    def forward(self, x, mask=None):
        return self.written_out(x)[0]


class Unscaled(Fault):
    def weights(self, q, k, D):
        return torch.softmax(q @ k.transpose(-2, -1), -1)


class ScaledByTheWholeWidth(Fault):
    def weights(self, q, k, D):
        return torch.softmax(q @ k.transpose(-2, -1) / D**0.5, -1)


class SoftmaxOverQueries(Fault):
    def weights(self, q, k, D):
        return torch.softmax(q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5, -2)


class HeadsInterleaved(Fault):
    def heads(self, x):
        return self.qkv(x).unflatten(-1, (3, -1, self.num_heads)).permute(2, 0, 4, 1, 3).unbind(0)


class KeysForValues(Fault):
    def heads(self, x):
        q, k, v = super().heads(x)
        return q, v, k


class HeadsJoinedInPlace(Fault):
    def join(self, heads):
        return self.proj(heads.reshape(heads.shape[0], heads.shape[2], -1))


FAULTS = [
    Unscaled,
    ScaledByTheWholeWidth,
    SoftmaxOverQueries,
    HeadsInterleaved,
    KeysForValues,
    HeadsJoinedInPlace,
]


def test_the_faults_frame_is_right():
    check(Fault)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_loop_catches_the_seeded_fault(fault):
    with pytest.raises(AssertionError):
        check(fault)


@pytest.mark.parametrize("num_heads", [1, 3, 12])
def test_equals_torch(num_heads):
    layer, x = make(num_heads=num_heads)
    theirs = nn.MultiheadAttention(12, num_heads, batch_first=True).double()
    names = {
        "qkv.weight": "in_proj_weight",
        "qkv.bias": "in_proj_bias",
        "proj.weight": "out_proj.weight",
        "proj.bias": "out_proj.bias",
    }
    theirs.load_state_dict({names[name]: tensor for name, tensor in layer.state_dict().items()})
    inputs = [x.clone().requires_grad_() for _ in range(3)]
    fused, (written, weights) = layer(inputs[0]), layer.written_out(inputs[1])
    expected, their_weights = theirs(inputs[2], inputs[2], inputs[2], average_attn_weights=False)
    for ours in (fused, written):
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(weights, their_weights, rtol=1e-12, atol=1e-12)
    factor = torch.cos(torch.arange(expected.numel(), dtype=x.dtype)).view_as(expected)
    for out in (fused, written, expected):
        (out * factor).sum().backward()
    for values in inputs[:2]:
        torch.testing.assert_close(values.grad, inputs[2].grad, rtol=1e-10, atol=1e-12)


def test_causal_mask_equals_the_loop_and_hides_the_future():
    layer, x = make()
    mask = torch.full((5, 5), -math.inf, dtype=x.dtype).triu(1)
    expected, weights = naive(layer, x, mask)
    torch.testing.assert_close(layer(x, mask), expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(layer.written_out(x, mask)[1], weights, rtol=1e-10, atol=1e-10)
    assert (weights.triu(1) == 0).all()
    changed = x.clone()
    changed[:, 3:] += 1
    assert torch.allclose(layer(changed, mask)[:, :3], layer(x, mask)[:, :3], atol=1e-12)


@pytest.mark.parametrize("mask", [torch.ones(5, 5, dtype=torch.bool), torch.zeros(5, 5, dtype=torch.long)])
def test_a_mask_that_is_not_additive_is_refused(mask):
    layer, x = make()
    for call in (layer, layer.written_out):
        with pytest.raises(ValueError, match="0 where a key is seen, -inf where not"):
            call(x, mask)


@settings(max_examples=30)
@given(st.integers(1, 7), st.integers(1, 9), st.integers(1, 5), st.integers(1, 6), st.integers(0, 99))
def test_weights_are_a_distribution_and_tokens_have_no_order(N, M, d, e, seed):
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((2, N, d), (2, M, d), (2, M, e))
    )
    out, weights = attend(q, k, v)
    assert out.shape == (2, N, e) and weights.shape == (2, N, M)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, N, dtype=torch.float64))
    assert (out <= v.amax(1, keepdim=True) + 1e-12).all() and (
        out >= v.amin(1, keepdim=True) - 1e-12
    ).all()  # a mean of the values
    order = torch.randperm(M, generator=generator)
    torch.testing.assert_close(attend(q, k[:, order], v[:, order])[0], out)


def test_self_attention_follows_a_permutation_of_its_tokens():
    layer, x = make()
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("written_out", [False, True])
def test_dropout_is_for_training_and_drops_with_its_probability(written_out):
    layer = SelfAttention(6, 2, attention_drop_prob=0.25, drop_prob=0.5)
    x = torch.randn(4, 50, 6)
    call = (lambda: layer.written_out(x)[0]) if written_out else lambda: layer(x)
    layer.eval()
    assert torch.equal(call(), call())
    layer.train()
    assert abs((call() == 0).double().mean() - 0.5) < 6 * (0.25 / x.numel()) ** 0.5
    layer.drop.p = 0.0
    assert not torch.equal(call(), call())


def test_dropped_weights_keep_their_mean_and_the_returned_ones_are_whole():
    torch.manual_seed(0)
    q = k = torch.zeros(20_000, 1, 4)
    v = torch.ones(20_000, 1, 2)
    out, weights = attend(q, k, v, drop_prob=0.2)
    assert (weights == 1).all() and set(out.unique().tolist()) == {0.0, 1.25}
    assert abs((out[:, 0, 0] == 0).double().mean() - 0.2) < 6 * (0.16 / 20_000) ** 0.5


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((0, 1), "expected dim"),
        ((8, 0), "expected num_heads"),
        ((8, 3), "expected num_heads to divide dim, got 3 and 8"),
        ((8, 2, 1.0), "attention_drop_prob"),
        ((8, 2, 0.0, -0.1), "drop_prob"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        SelfAttention(*arguments)
