r"""Dropping at random: units (dropout), whole channels (spatial dropout), whole residual branches (stochastic
depth).

With p the probability of dropping (`drop_prob`) and m ~ Bernoulli(1 - p)::

    dropout, as published     training  y = m x             evaluation  y = (1 - p) x  same mean in both
    dropout, inverted         training  y = m x / (1 - p)   evaluation  y = x          same mean in both
    spatial dropout     inverted, one m for each example and channel; neighbouring pixels tell almost the same
    stochastic depth    inverted, one m for each example, on the branch of a residual block

Sources: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
Networks from Overfitting" (JMLR 15, 2014), section 4; Tompson et al., "Efficient Object Localization Using
Convolutional Networks" (arXiv:1411.4280); Huang, Sun, Liu, Sedra, Weinberger, "Deep Networks with Stochastic
Depth" (arXiv:1603.09382), eq. (2). Dropping weights instead, DropConnect, stands in ``drop_connect``.

Departures from the papers

1. The papers write p for the probability of *keeping*; here `drop_prob` drops, as in every library.
2. Dropout's paper scales the weights by the keep probability at test time. Scaling the activations, as
   `PublishedDropout` does, is the same for the layer that follows.
3. Stochastic depth scales the branch by its survival probability at test time in the paper; here, as in every
   library, it is divided by it in training and nothing happens at test time. The expectation is the same.
4. Its draw is one per example, so that a batch averages over nets; the paper's, one per mini-batch, is
   ``mode="batch"``.

>>> import torch
>>> StochasticDepth(0.2).eval()(torch.ones(1, 2)).tolist()
[[1.0, 1.0]]
>>> PublishedDropout(0.25).eval()(torch.ones(2)).tolist(), Dropout(0.25).eval()(torch.ones(2)).tolist()
([0.75, 0.75], [1.0, 1.0])
"""

import torch
from torch import Tensor, nn

from dlbook.checks import require_one_of, require_probability, require_shape


def keep_mask(
    x: Tensor, shape: tuple[int, ...], drop_prob: float, generator: torch.Generator | None = None
) -> Tensor:
    """Return a mask of `shape`, x's type and device: 0 with probability `drop_prob`, else 1, each drawn on
    its own.
    """
    return x.new_empty(shape).bernoulli_(1 - drop_prob, generator=generator)


def dropout(x: Tensor, drop_prob: float, generator: torch.Generator | None = None) -> Tensor:
    """Inverted dropout in training: each number of x becomes 0 with probability `drop_prob`, else x / (1 -
    drop_prob).
    """
    return x * (keep_mask(x, x.shape, drop_prob, generator) / (1 - drop_prob))


def spatial_dropout(x: Tensor, drop_prob: float, generator: torch.Generator | None = None) -> Tensor:
    """Dropout of whole maps in training: x [B, C, ...], one draw for each of the B C maps."""
    shape = (*x.shape[:2], *[1] * (x.ndim - 2))  # [B, C, 1, ...]
    return x * (keep_mask(x, shape, drop_prob, generator) / (1 - drop_prob))


def stochastic_depth(
    branch: Tensor, drop_prob: float, mode: str = "row", generator: torch.Generator | None = None
) -> Tensor:
    """Drop a branch [B, ...] in training: one draw for each example ("row"), or one for all of them
    ("batch").
    """
    examples = len(branch) if mode == "row" else 1
    shape = (examples, *[1] * (branch.ndim - 1))  # [B or 1, 1, ...]
    return branch * (keep_mask(branch, shape, drop_prob, generator) / (1 - drop_prob))


class _Drop(nn.Module):
    """What the layers below share: `drop_prob` in [0, 1), or a ValueError."""

    def __init__(self, drop_prob: float) -> None:
        super().__init__()
        require_probability("drop_prob", drop_prob)
        self.drop_prob = drop_prob

    def extra_repr(self) -> str:
        return f"drop_prob={self.drop_prob:g}"


class PublishedDropout(_Drop):
    """Dropout as published: in training drop, unscaled; in evaluation multiply by 1 - drop_prob. x of any
    shape.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x * keep_mask(x, x.shape, self.drop_prob) if self.training else x * (1 - self.drop_prob)


class Dropout(_Drop):
    """Inverted dropout: in training drop and divide by 1 - drop_prob; the identity in evaluation. x of any
    shape.
    """

    def forward(self, x: Tensor) -> Tensor:
        return dropout(x, self.drop_prob) if self.training and self.drop_prob else x


class SpatialDropout2d(_Drop):
    """Inverted dropout of whole maps: x [B, C, H, W].

    Raises:
        ValueError: for another number of axes.
    """

    def forward(self, x: Tensor) -> Tensor:
        require_shape("x", x, ("B", "C", "H", "W"), "add the axes that are missing")
        return spatial_dropout(x, self.drop_prob) if self.training and self.drop_prob else x


class StochasticDepth(_Drop):
    """In training set each example's branch to 0 with probability `drop_prob`, else divide it by 1 -
    `drop_prob`.

    Input and output [B, ...], the same shape; the identity in evaluation and for `drop_prob` 0.

    Args:
        drop_prob: in [0, 1).
        mode: "row", a draw for each example, or "batch", one for the mini-batch.

    Raises:
        ValueError: for other arguments.
    """

    def __init__(self, drop_prob: float, mode: str = "row") -> None:
        super().__init__(drop_prob)
        require_one_of("mode", mode, ("row", "batch"))
        self.mode = mode

    def forward(self, branch: Tensor) -> Tensor:
        return (
            stochastic_depth(branch, self.drop_prob, self.mode)
            if self.training and self.drop_prob
            else branch
        )
