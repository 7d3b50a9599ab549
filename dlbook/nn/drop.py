"""Dropping whole residual branches: stochastic depth.

Huang, Sun, Liu, Sedra, Weinberger, "Deep Networks with Stochastic Depth" (arXiv 1603.09382), equation (2).

Departure from the paper: the paper leaves the branch as it is in training and multiplies it by the survival probability at
test time; here, as in every library, the branch is divided by it in training and nothing happens at test time. The
expectation is the same. The draw is one per example (the paper's is one per mini-batch), so that a batch averages over nets.

>>> import torch
>>> StochasticDepth(0.2).eval()(torch.ones(1, 2)).tolist()
[[1.0, 1.0]]
"""

from torch import Tensor, nn

from dlbook.nn.checks import require_probability


class StochasticDepth(nn.Module):
    """In training set each example's branch to 0 with probability `drop_prob`, else divide it by 1 - `drop_prob`.

    drop_prob: in [0, 1). Input and output [B, ...], the same shape; the identity in evaluation and for `drop_prob` 0.
    Raises ValueError for a `drop_prob` outside [0, 1).
    """

    def __init__(self, drop_prob: float) -> None:
        super().__init__()
        require_probability("drop_prob", drop_prob)
        self.drop_prob = drop_prob

    def forward(self, branch: Tensor) -> Tensor:
        if not self.training or self.drop_prob == 0:
            return branch
        keep_prob = 1 - self.drop_prob
        kept = branch.new_empty(len(branch)).bernoulli_(keep_prob)  # [B]
        return branch * (kept / keep_prob).view(-1, *[1] * (branch.ndim - 1))  # [B, 1, ...]

    def extra_repr(self) -> str:
        return f"drop_prob={self.drop_prob:g}"
