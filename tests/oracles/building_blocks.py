"""Naive loops over the equations of papers whose layers torch lacks: mixed, gated and stochastic pooling,
DropConnect.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor


def each_window(
    x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> Iterator[tuple]:
    """(index of the output, values inside the image, taps of those values, number of taps) for each window of
    x.
    """
    for b in range(x.shape[0]):
        for c in range(x.shape[1]):
            for i in range((x.shape[2] + 2 * padding[0] - kernel[0]) // stride[0] + 1):
                for j in range((x.shape[3] + 2 * padding[1] - kernel[1]) // stride[1] + 1):
                    values, taps = [], []
                    for u in range(kernel[0]):
                        for v in range(kernel[1]):
                            row, column = i * stride[0] - padding[0] + u, j * stride[1] - padding[1] + v
                            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                                values.append(float(x[b, c, row, column]))
                                taps.append((u, v))
                    yield (b, c, i, j), values, taps, kernel[0] * kernel[1]


def pool(
    x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], rule
) -> Tensor:
    """rule(values, taps, number of taps) of each window, as a tensor [B, C, H', W']."""
    found = {
        index: rule(values, taps, count)
        for index, values, taps, count in each_window(x, kernel, stride, padding)
    }
    size = [1 + max(index[axis] for index in found) for axis in range(4)]
    out = torch.zeros(size, dtype=torch.float64)
    for index, value in found.items():
        out[index] = value
    return out


def mixed(proportion: float):
    """Lee et al.: a max + (1 - a) mean, zeros of the padding counted in the mean."""
    return lambda values, taps, count: proportion * max(values) + (1 - proportion) * sum(values) / count


def gated(mask: list[list[float]]):
    """Lee et al.: sigmoid(w . x) max + (1 - sigmoid(w . x)) mean."""

    def rule(values: list[float], taps: list[tuple[int, int]], count: int) -> float:
        gate = 1 / (1 + math.exp(-sum(mask[u][v] * value for value, (u, v) in zip(values, taps))))
        return gate * max(values) + (1 - gate) * sum(values) / count

    return rule


def stochastic_probabilities(values: list[float]) -> list[float]:
    """Zeiler & Fergus, equation (4)."""
    return [value / sum(values) for value in values]


def stochastic_expectation(values: list[float], taps: list | None = None, count: int = 0) -> float:
    """Zeiler & Fergus, equation (6); a window without activation gives 0."""
    if sum(values) == 0:
        return 0.0
    return sum(p * value for p, value in zip(stochastic_probabilities(values), values))


def drop_connect_all_masks(
    x: list[float], weights: list[float], bias: float, drop_prob: float
) -> list[tuple[float, float]]:
    """(probability, value) of sum_i m_i w_i x_i + m b over all 2^(n + 1) masks of one unit of a DropConnect
    layer.
    """
    terms = [w * value for w, value in zip(weights, x)] + [bias]
    outcomes = []
    for code in range(2 ** len(terms)):
        kept = [code >> i & 1 for i in range(len(terms))]
        probability = math.prod(1 - drop_prob if m else drop_prob for m in kept)
        outcomes.append((probability, sum(m * term for m, term in zip(kept, terms))))
    return outcomes
