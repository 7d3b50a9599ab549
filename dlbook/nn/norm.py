"""Normalisation, written out: batch, layer, group, instance, root-mean-square and local response
normalisation.

====================  =================================================  =================================
layer                 statistics over, for x [B, C, H, W]                source
====================  =================================================  =================================
BatchNorm2d           B, H, W, for each channel                          Ioffe & Szegedy, arXiv:1502.03167
LayerNorm             the last axis, for each position                   Ba et al., arXiv:1607.06450
GroupNorm             H, W and the channels of a group, for each image   Wu & He, arXiv:1803.08494
InstanceNorm2d        H, W, for each image and channel                   Ulyanov et al., arXiv:1607.08022
RMSNorm               the last axis, without centring                    Zhang & Sennrich, arXiv:1910.07467
LocalResponseNorm     n neighbouring channels, for each pixel            Krizhevsky et al. 2012
====================  =================================================  =================================

The first four share one formula, ``standardise``: only the axes differ. The variance is the biased one
(divided by n, not n - 1), and eps stands inside the root. Statistics are taken in float32 at least, and the
result has the type of x.

Each equals its torch counterpart, whose state dict fits; the models use torch's where one exists, because it
is fused and faster. Two differences of arguments: `LocalResponseNorm` multiplies the sum by alpha, as the
paper does, and torch divides alpha by n first; `RMSNorm` adds eps = 1e-6, where torch takes the smallest step
of the type unless it is told.

>>> float(RMSNorm(2)(torch.tensor([3.0, 4.0])).detach().square().mean().round(decimals=4))
1.0
"""

import torch
from torch import Tensor, nn

from dlbook.checks import require_at_least, require_positive, require_shape


def at_least_float32(x: Tensor) -> Tensor:
    """Return x in a type that sums many squares without much error: float16 and bfloat16 become float32."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def standardise(x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    """Return (x - mean) / sqrt(variance + eps) over `axes`, with the biased variance; same shape as x, at
    least float32.
    """
    x = at_least_float32(x)
    centred = x - x.mean(axes, keepdim=True)
    variance = centred.square().mean(axes, keepdim=True)
    return centred / (variance + eps).sqrt()


MATCH_MAPS = "build the layer with the channels of the map"
MATCH_WIDTH = "build the layer with the width of the last axis"


class BatchNorm2d(nn.Module):
    """Batch normalisation of maps [B, C, H, W] (Ioffe & Szegedy, algorithms 1 and 2).

    Training normalises with the batch's mean and biased variance, and keeps running averages of the mean and
    of the *unbiased* variance, which evaluation uses. `momentum` is the weight of the new batch, in (0, 1],
    as in torch; TensorFlow's is 1 minus it. None averages all batches alike, as algorithm 2 does.

    Raises:
        ValueError: if C is not num_features, for arguments out of range, and for a training batch with one
            value a channel, whose variance says nothing.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1) -> None:
        super().__init__()
        require_positive("num_features", num_features)
        require_at_least("eps", eps, 0, "it keeps the root away from 0")
        if momentum is not None and not 0 < momentum <= 1:
            raise ValueError(
                f"expected momentum in (0, 1] or None, got {momentum!r}; it is the weight of the new batch"
            )
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))  # gamma
        self.bias = nn.Parameter(torch.zeros(num_features))  # beta
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        require_shape("x", x, ("B", self.weight.numel(), "H", "W"), MATCH_MAPS)
        wide = at_least_float32(x)
        if self.training:
            mean, variance = wide.mean((0, 2, 3)), wide.var((0, 2, 3), correction=0)
            self.remember(mean.detach(), variance.detach(), x.numel() // x.shape[1])
        else:
            mean, variance = self.running_mean, self.running_var
        mean, variance, weight, bias = (
            v[:, None, None] for v in (mean, variance, self.weight, self.bias)
        )  # [C, 1, 1]
        return ((wide - mean) / (variance + self.eps).sqrt() * weight + bias).to(x.dtype)

    def remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running averages towards a batch's mean and biased variance [C] of `count` values a
        channel.
        """
        if count < 2:
            raise ValueError(
                "expected more than one value a channel in training, got one; use a larger batch "
                "or map, or eval()"
            )
        self.num_batches_tracked += 1
        rate = 1 / self.num_batches_tracked.to(mean.dtype) if self.momentum is None else self.momentum
        unbiased = variance * count / (count - 1)
        self.running_mean += rate * (mean - self.running_mean)
        self.running_var += rate * (unbiased - self.running_var)


class LayerNorm(nn.Module):
    """Standardise the last axis of x [..., dim], then scale and shift (Ba et al., equation 4).

    Raises:
        ValueError: in `forward`, for another last axis than dim.
    """

    def __init__(self, dim: int, eps: float = 1e-5) -> None:
        super().__init__()
        require_positive("dim", dim)
        require_at_least("eps", eps, 0, "it keeps the root away from 0")
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        require_shape("x", x, ("...", self.weight.numel()), MATCH_WIDTH)
        return (standardise(x, (-1,), self.eps) * self.weight + self.bias).to(x.dtype)


class GroupNorm(nn.Module):
    """Standardise each of `num_groups` groups of channels of each image (Wu & He, equations 1-3, 7); x [B, C,
    H, W].

    One group is layer normalisation over C, H, W; C groups are instance normalisation.

    Raises:
        ValueError: unless num_groups divides C and x has C channels.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        require_positive("num_groups", num_groups)
        require_positive("num_channels", num_channels)
        require_at_least("eps", eps, 0, "it keeps the root away from 0")
        if num_channels % num_groups:
            raise ValueError(
                f"expected num_groups to divide num_channels, got {num_groups} and {num_channels}; "
                "choose a divisor"
            )
        self.num_groups, self.eps = num_groups, eps
        self.weight, self.bias = (
            nn.Parameter(torch.ones(num_channels)),
            nn.Parameter(torch.zeros(num_channels)),
        )

    def forward(self, x: Tensor) -> Tensor:
        require_shape("x", x, ("B", self.weight.numel(), "H", "W"), MATCH_MAPS)
        grouped = x.unflatten(1, (self.num_groups, -1))  # [B, groups, C/groups, H, W]
        standard = standardise(grouped, (2, 3, 4), self.eps).flatten(1, 2)  # [B, C, H, W]
        return (standard * self.weight[:, None, None] + self.bias[:, None, None]).to(x.dtype)


class InstanceNorm2d(nn.Module):
    """Standardise each map of each image, x [B, C, H, W] (Ulyanov et al.); no parameters, as in torch by
    default.

    Raises:
        ValueError: for maps of one pixel, which would all become 0, and for other than `num_features`
            channels.
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        require_positive("num_features", num_features)
        require_at_least("eps", eps, 0, "it keeps the root away from 0")
        self.num_features, self.eps = num_features, eps

    def forward(self, x: Tensor) -> Tensor:
        require_shape("x", x, ("B", self.num_features, "H", "W"), MATCH_MAPS)
        if x.shape[2] * x.shape[3] < 2:
            raise ValueError(f"expected a map of more than one pixel, got {list(x.shape)}; use larger images")
        return standardise(x, (2, 3), self.eps).to(x.dtype)


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) over the last axis of [..., dim], then scale (Zhang & Sennrich,
    equation 4).
    """

    def __init__(self, dim: int, eps: float = 1e-6) -> None:
        super().__init__()
        require_positive("dim", dim)
        require_at_least("eps", eps, 0, "it keeps the root away from 0")
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        require_shape("x", x, ("...", self.weight.numel()), MATCH_WIDTH)
        wide = at_least_float32(x)
        mean_square = wide.square().mean(-1, keepdim=True)
        return (wide / (mean_square + self.eps).sqrt() * self.weight).to(x.dtype)


class LocalResponseNorm(nn.Module):
    """x / (k + alpha * sum of squares of n neighbouring channels)^beta, x [B, C, H, W] (Krizhevsky et al.
    2012, section 3.3).

    alpha multiplies the *sum*, as in the paper. torch divides alpha by n, so its alpha = 5e-4 is the paper's
    1e-4 at n = 5. Channel c sees c - n // 2 .. c + n // 2 for odd n; an even n reaches one channel further
    down than up.

    Raises:
        ValueError: for n below 1 or x of other than 4 axes.
    """

    def __init__(self, n: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> None:
        super().__init__()
        require_positive("n", n)
        self.n, self.alpha, self.beta, self.k = n, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        require_shape("x", x, ("B", "C", "H", "W"), "add the axes that are missing")
        squares = nn.functional.pad(
            x.square(), (0, 0, 0, 0, self.n // 2, (self.n - 1) // 2)
        )  # [B, C + n - 1, H, W]
        sums = squares.unfold(1, self.n, 1).sum(-1)  # [B, C, H, W]
        return x / (self.k + self.alpha * sums) ** self.beta
