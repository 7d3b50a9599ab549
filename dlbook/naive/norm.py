"""Normalisation cell by cell, and the gradient through it by a double loop.

Each cell of a block [B, C, H, W] has a set of cells with which it shares a mean and a variance (Wu & He,
arXiv:1803.08494, equations 2-5). The kinds differ in that set alone:

    for each cell i:
        S = all cells that share with i
        m = mean of x over S;  v = mean of (x - m)^2 over S
        y[i] = (x[i] - m) / sqrt(v + eps)

>>> normalise(torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1), "batch", eps=0.0).flatten().tolist()
[-1.0, 1.0]
"""

import math

import torch
from torch import Tensor


def share(kind: str, a: tuple, b: tuple, channels_per_group: int = 1) -> bool:
    """Say whether the cells a and b, each (image, channel, row, column), share mean and variance."""
    same_image, same_channel, same_place = a[0] == b[0], a[1] == b[1], a[2:] == b[2:]
    return {
        "batch": same_channel,
        "layer": same_image and same_place,  # the channels at one place
        "group": same_image and a[1] // channels_per_group == b[1] // channels_per_group,
        "instance": same_image and same_channel,
    }[kind]


def normalise(x: Tensor, kind: str, num_groups: int = 1, eps: float = 1e-5) -> Tensor:
    """Normalise each cell of x [B, C, H, W] by those that it shares with; no scale, no shift.

    Args:
        x: the block, small: every cell is compared with every other.
        kind: "batch", "layer", "group" or "instance".
        num_groups: of channels, for "group".
        eps: added to the variance.
    """
    cells = [tuple(cell) for cell in torch.ones_like(x).nonzero().tolist()]
    size = x.shape[1] // num_groups
    y = torch.empty_like(x)
    for cell in cells:
        shared = [x[other].item() for other in cells if share(kind, cell, other, size)]
        mean = sum(shared) / len(shared)
        variance = sum((value - mean) ** 2 for value in shared) / len(shared)
        y[cell] = (x[cell].item() - mean) / math.sqrt(variance + eps)
    return y


def gradient(x: list[float], upstream: list[float], eps: float = 1e-5) -> list[float]:
    """Return the derivatives of the loss by the values x that share one mean and one variance.

    Args:
        x: m values.
        upstream: derivatives of the loss by the normalised values.
        eps: added to the variance.
    """
    m = len(x)
    mean = sum(x) / m
    deviation = math.sqrt(sum((value - mean) ** 2 for value in x) / m + eps)
    y = [(value - mean) / deviation for value in x]
    found = []
    for j in range(m):
        total = 0.0
        for i in range(m):  # by how much value j moves the normalised value i, times what that is worth
            own = 1.0 if i == j else 0.0
            total += upstream[i] * (own - 1 / m - y[i] * y[j] / m) / deviation
        found.append(total)
    return found
