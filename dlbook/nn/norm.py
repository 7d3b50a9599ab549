"""Normalisation, written out: batch, layer, group, instance, root-mean-square and local response normalisation.

====================  =================================================  ==========================
layer                 statistics over, for x [B, C, H, W]                source
====================  =================================================  ==========================
BatchNorm2d           B, H, W, for each channel                          Ioffe & Szegedy, 1502.03167
LayerNorm             the last axes, for each position                   Ba et al., 1607.06450
GroupNorm             H, W and the channels of a group, for each image   Wu & He, 1803.08494
InstanceNorm2d        H, W, for each image and channel                   Ulyanov et al., 1607.08022
RMSNorm               the last axis, without centring                    Zhang & Sennrich, 1910.07467
LocalResponseNorm     n neighbouring channels, for each pixel            Krizhevsky et al. 2012
====================  =================================================  ==========================

Each equals its torch counterpart, which the models use where one exists, because it is fused and faster.

>>> float(RMSNorm(2)(torch.tensor([3.0, 4.0])).detach().square().mean().round(decimals=4))
1.0
"""

import torch
from torch import Tensor, nn

from dlbook.nn.checks import require_positive


def standardise(x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over `axes`, with the biased variance; same shape as x."""
    mean = x.mean(axes, keepdim=True)
    variance = (x - mean).square().mean(axes, keepdim=True)
    return (x - mean) / (variance + eps).sqrt()


class BatchNorm2d(nn.Module):
    """Batch normalisation of maps [B, C, H, W] (Ioffe & Szegedy, algorithms 1 and 2).

    Training normalises with the batch's biased variance, and stores running averages of the mean and of the *unbiased*
    variance. `momentum` is the weight of the new batch, in (0, 1], as in torch; TensorFlow's is 1 minus it. Evaluation uses
    the running averages. Raises ValueError if C is not num_features, or a training batch has one value a channel.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        require_positive("num_features", num_features)
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))  # gamma
        self.bias = nn.Parameter(torch.zeros(num_features))  # beta
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != self.weight.numel():
            raise ValueError(f"x must be [B, {self.weight.numel()}, H, W], got {list(x.shape)}; match num_features to the channels")
        if self.training:
            count = x.numel() // x.shape[1]
            if count < 2:
                raise ValueError(f"training needs more than one value a channel, got {list(x.shape)}; use a larger batch or eval()")
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * count / (count - 1), self.momentum)  # biased -> unbiased
                self.num_batches_tracked += 1
        else:
            mean, variance = self.running_mean, self.running_var
        scale = self.weight / (variance + self.eps).sqrt()
        return x * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]


class LayerNorm(nn.Module):
    """Standardise the last axis of x [..., D], then scale and shift (Ba et al., equation 4)."""

    def __init__(self, dim: int, eps: float = 1e-5) -> None:
        super().__init__()
        require_positive("dim", dim)
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        return standardise(x, (-1,), self.eps) * self.weight + self.bias


class GroupNorm(nn.Module):
    """Standardise each of `num_groups` groups of channels of each image (Wu & He, equations 1-3, 7); x [B, C, H, W].

    One group is layer normalisation over C, H, W; C groups are instance normalisation. Raises ValueError unless
    num_groups divides C.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        require_positive("num_groups", num_groups)
        require_positive("num_channels", num_channels)
        if num_channels % num_groups:
            raise ValueError(f"num_groups must divide num_channels, got {num_groups} and {num_channels}")
        self.num_groups, self.eps = num_groups, eps
        self.weight, self.bias = nn.Parameter(torch.ones(num_channels)), nn.Parameter(torch.zeros(num_channels))

    def forward(self, x: Tensor) -> Tensor:
        grouped = x.reshape(x.shape[0], self.num_groups, -1)  # [B, groups, C/groups * H * W]
        x = standardise(grouped, (-1,), self.eps).reshape(x.shape)
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class InstanceNorm2d(nn.Module):
    """Standardise each map of each image, x [B, C, H, W] (Ulyanov et al.); no parameters, as in the paper and in torch."""

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        require_positive("num_features", num_features)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return standardise(x, (2, 3), self.eps)


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) over the last axis of [..., D], then scale (Zhang & Sennrich, equation 4)."""

    def __init__(self, dim: int, eps: float = 1e-6) -> None:
        super().__init__()
        require_positive("dim", dim)
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.square().mean(-1, keepdim=True) + self.eps).rsqrt() * self.weight


class LocalResponseNorm(nn.Module):
    """x / (k + alpha * sum of squares of n neighbouring channels)^beta, x [B, C, H, W] (Krizhevsky et al. 2012, section 3.3).

    alpha multiplies the *sum*, as in the paper. torch divides alpha by n, so its alpha = 5e-4 is the paper's 1e-4 at n = 5.
    """

    def __init__(self, n: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> None:
        super().__init__()
        require_positive("n", n)
        self.n, self.alpha, self.beta, self.k = n, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        squares = nn.functional.pad(x.square(), (0, 0, 0, 0, self.n // 2, (self.n - 1) // 2))  # [B, C + n - 1, H, W]
        sums = squares.unfold(1, self.n, 1).sum(-1)  # [B, C, H, W]
        return x / (self.k + self.alpha * sums) ** self.beta
