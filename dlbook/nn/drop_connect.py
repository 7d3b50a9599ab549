r"""DropConnect: a linear layer that drops its weights, not its units.

Wan, Zeiler, Zhang, LeCun, Fergus, "Regularization of Neural Networks using DropConnect" (ICML 2013). With q
the probability of keeping a weight, M a mask for each example, and a the activation::

    training     r = a((M * W) v),   M_ij ~ Bernoulli(q)                    section 3.1; biases are masked too
    evaluation   r = E[a(u)],        u ~ N(q W v, q (1 - q) (W * W)(v * v))         section 3.2, for each unit

(M * W) v is a sum of many independent terms, so nearly Gaussian, with this mean and variance. The simple
alternative a(E[u]) = a(q W v) forgets the variance: for a ReLU it is too small, because E[relu(u)] >
relu(E[u]).

Departures from the paper

1. `drop_prob` is 1 - q.
2. The paper estimates E[a(u)] from 1,000 random draws. Here the draws are the `points` quantiles of the
   normal distribution at (k + 1/2) / points: the same mean in the limit, less error for the same work, and
   evaluation stays deterministic. ``inference="mean"`` is the simple alternative, for comparison.
3. A mask for each example costs B out in numbers. The paper writes its own kernels for that; here the memory
   is spent.

>>> import torch
>>> layer = DropConnectLinear(2, 3, drop_prob=0.5).eval()
>>> layer(torch.ones(4, 2)).shape
torch.Size([4, 3])
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import require_one_of, require_positive, require_probability, require_shape


def drop_connect(
    x: Tensor, weight: Tensor, bias: Tensor | None, drop_prob: float, generator: torch.Generator | None = None
) -> Tensor:
    """Return (M * W) x + m * b with masks of each example's own: x [B, in], weight [out, in], bias [out] ->
    [B, out].
    """
    masks = x.new_empty(len(x), *weight.shape).bernoulli_(1 - drop_prob, generator=generator)  # [B, out, in]
    y = ((masks * weight) @ x[:, :, None]).squeeze(-1)  # [B, out]
    if bias is None:
        return y
    return y + bias * x.new_empty(len(x), len(bias)).bernoulli_(1 - drop_prob, generator=generator)


def drop_connect_moments(
    x: Tensor, weight: Tensor, bias: Tensor | None, drop_prob: float
) -> tuple[Tensor, Tensor]:
    """Mean and variance over the masks of what `drop_connect` gives, exact: two tensors [B, out]."""
    keep = 1 - drop_prob
    mean = keep * F.linear(x, weight, bias)
    variance = (
        keep * drop_prob * F.linear(x.square(), weight.square(), None if bias is None else bias.square())
    )
    return mean, variance


def gaussian_average(
    function: Callable[[Tensor], Tensor], mean: Tensor, variance: Tensor, points: int = 1000
) -> Tensor:
    """Return E[function(u)] for u ~ N(mean, variance), by `points` quantiles of the normal distribution; the
    shape of mean.
    """
    levels = (torch.arange(points, dtype=torch.float64, device=mean.device) + 0.5) / points
    normal = torch.special.ndtri(levels).to(mean.dtype)  # [points]
    deviation = variance.clamp(
        min=torch.finfo(variance.dtype).tiny
    ).sqrt()  # the slope of the root is infinite at 0
    return function(mean[..., None] + deviation[..., None] * normal).mean(-1)


class DropConnectLinear(nn.Module):
    """activation(W x + b) whose weights and biases drop in training: [B, in] -> [B, out].

    Args:
        drop_prob: of each weight, in [0, 1).
        activation: elementwise, the layer's own, because evaluation averages over it.
        inference: "moments" (the paper's) or "mean".
        points: quantiles of "moments", which takes points times the output's memory.

    Raises:
        ValueError: for arguments out of range or x of another shape.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        drop_prob: float = 0.5,
        activation: Callable[[Tensor], Tensor] = torch.relu,
        inference: str = "moments",
        points: int = 1000,
    ) -> None:
        super().__init__()
        for name, value in (("in_features", in_features), ("out_features", out_features), ("points", points)):
            require_positive(name, value)
        require_probability("drop_prob", drop_prob)
        require_one_of("inference", inference, ("moments", "mean"))
        self.drop_prob, self.activation, self.inference, self.points = (
            drop_prob,
            activation,
            inference,
            points,
        )
        bound = 1 / math.sqrt(in_features)
        self.weight = nn.Parameter(torch.empty(out_features, in_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out_features))

    def forward(self, x: Tensor) -> Tensor:
        require_shape("x", x, ("B", self.weight.shape[1]), "flatten it, or match in_features")
        if self.training:
            return self.activation(drop_connect(x, self.weight, self.bias, self.drop_prob))
        mean, variance = drop_connect_moments(x, self.weight, self.bias, self.drop_prob)
        if self.inference == "mean" or self.drop_prob == 0:
            return self.activation(mean)
        return gaussian_average(self.activation, mean, variance, self.points)

    def extra_repr(self) -> str:
        out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}, drop_prob={self.drop_prob:g}, inference={self.inference}"
