"""Self-attention, written out and fused: Vaswani et al., "Attention Is All You Need" (arXiv:1706.03762),
section 3.2.

The paper in five lines::

    q, k, v = x Wq + bq, x Wk + bk, x Wv + bv       # queries, keys and values of every token     [N, D] each
    q, k, v = cut each into h heads of d = D / h    #                                          [h, N, d] each
    A   = softmax(q k^T / sqrt(d))                  # equation (1); each row of A sums to 1          [h, N, N]
    y   = join the heads of A v                     #                                                 [N, D]
    out = y Wo + bo

`attend` is the second half of it in plain tensors, and also returns A for a figure. `SelfAttention` is the
whole, as models use it: its `forward` calls torch's fused kernel, which never stores A; `written_out` does
the same with `attend`.

Departures from the paper

1. Wq, Wk, Wv stand one below the other in one matrix ``qkv`` [3D, D], so that one product makes all three.
   The arithmetic is the same; torch's MultiheadAttention (``in_proj_weight``), torchvision and timm store
   them like this too.
2. The three projections and the last have biases, as in vision transformers; the paper's have none.
3. `attention_drop_prob` drops entries of A (the authors' code does, the paper does not say so); `drop_prob`
   is the paper's.

Parameters: 4 D^2 + 4 D.

>>> layer = SelfAttention(8, num_heads=2)
>>> sum(p.numel() for p in layer.parameters()), tuple(layer(torch.ones(3, 5, 8)).shape)
(288, (3, 5, 8))
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import require_positive, require_probability


def attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, drop_prob: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Equation (1), written out: softmax(q k^T / sqrt(d) + mask) v.

    Args:
        q: [..., N, d].
        k: [..., M, d].
        v: [..., M, e].
        mask: added to the scores before the softmax, broadcastable to [..., N, M]; 0 lets query n see key m,
            -inf hides it; each query must see a key.
        drop_prob: of dropping an entry of the weights.

    Returns:
        The output [..., N, e] and the weights [..., N, M] before dropping; each of their rows sums to 1.

    Raises:
        ValueError: for a mask that is not floating-point.
    """
    require_additive(mask)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # [..., N, M]
    if mask is not None:
        scores = scores + mask
    weights = torch.softmax(scores, dim=-1)  # over the keys
    return F.dropout(weights, drop_prob) @ v, weights


def require_additive(mask: Tensor | None) -> None:
    """Raise ValueError unless `mask` is None or floating-point: torch reads a boolean mask in another way."""
    if mask is not None and not mask.is_floating_point():
        raise ValueError(
            f"expected mask to be float, got {mask.dtype}; it is added to the scores: write 0 where a key is "
            "seen, -inf where not"
        )


class SelfAttention(nn.Module):
    """Multi-head self-attention of tokens: [B, N, D] -> [B, N, D], through torch's fused kernel.

    Args:
        dim: D.
        num_heads: h, a divisor of D.
        attention_drop_prob: of dropping an entry of the weights in training.
        drop_prob: of dropping an entry of the output.

    Raises:
        ValueError: for values outside these.
    """

    def __init__(
        self, dim: int, num_heads: int, attention_drop_prob: float = 0.0, drop_prob: float = 0.0
    ) -> None:
        super().__init__()
        require_positive("dim", dim)
        require_positive("num_heads", num_heads)
        require_probability("attention_drop_prob", attention_drop_prob)
        require_probability("drop_prob", drop_prob)
        if dim % num_heads:
            raise ValueError(
                f"expected num_heads to divide dim, got {num_heads} and {dim}; every head takes dim "
                "/ num_heads "
                "channels"
            )
        self.num_heads, self.attention_drop_prob = num_heads, attention_drop_prob
        self.qkv = nn.Linear(
            dim, 3 * dim
        )  # rows: D of the queries, D of the keys, D of the values; within each, head by head
        self.proj = nn.Linear(dim, dim)
        self.drop = nn.Dropout(drop_prob)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of tokens [B, N, D], each [B, h, N, d]."""
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))  # [B, N, 3, h, d]
        return qkv.permute(2, 0, 3, 1, 4).unbind(0)  # [3, B, h, N, d]

    def join(self, heads: Tensor) -> Tensor:
        """Concatenate the heads [B, h, N, d] of each token and project them: [B, N, D]."""
        return self.drop(self.proj(heads.transpose(1, 2).flatten(2)))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend over tokens [B, N, D]: the same shape.

        Args:
            x: [B, N, D].
            mask: added to the scores, broadcastable to [B, h, N, N]; see `attend`.
        """
        require_additive(mask)
        q, k, v = self.heads(x)
        drop_prob = self.attention_drop_prob if self.training else 0.0
        return self.join(F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=drop_prob))

    def written_out(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The same in plain tensors, slower, for reading and for figures: the output [B, N, D] and the
        weights [B, h, N, N].
        """
        q, k, v = self.heads(x)
        y, weights = attend(q, k, v, mask, self.attention_drop_prob if self.training else 0.0)
        return self.join(y), weights

    def extra_repr(self) -> str:
        return f"num_heads={self.num_heads}"
