"""Mixed, gated and stochastic pooling, window by window and value by value.

Lee et al. (arXiv:1509.08985, section 3) mix the maximum and the mean of a window; Zeiler & Fergus
(arXiv:1301.3557, section 3) draw one of its values. `pool` walks the windows and applies a rule to each.

>>> import torch
>>> image = torch.tensor([[[[0.0, 1.0], [2.0, 5.0]]]])
>>> pool(image, (2, 2), (2, 2), (0, 0), mixed(0.5)).item()                        # (5 + 2) / 2
3.5
"""

import math

import torch
from torch import Tensor


def each_window(
    x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> list[tuple]:
    """List (index of the output, values inside the image, taps of those values, number of taps) of each
    window.
    """
    found = []
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
                    found.append(((b, c, i, j), values, taps, kernel[0] * kernel[1]))
    return found


def pool(
    x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], rule
) -> Tensor:
    """Apply rule(values, taps, number of taps) to each window of x [B, C, H, W]; returns float64 [B, C, H',
    W'].
    """
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
    """Return the rule a max + (1 - a) mean of Lee et al.; zeros of the padding count in the mean."""
    return lambda values, taps, count: proportion * max(values) + (1 - proportion) * sum(values) / count


def gated(mask: list[list[float]]):
    """Return the rule sigmoid(w . x) max + (1 - sigmoid(w . x)) mean of Lee et al."""

    def rule(values: list[float], taps: list[tuple[int, int]], count: int) -> float:
        gate = 1 / (1 + math.exp(-sum(mask[u][v] * value for value, (u, v) in zip(values, taps))))
        return gate * max(values) + (1 - gate) * sum(values) / count

    return rule


def stochastic_probabilities(values: list[float]) -> list[float]:
    """Return the probability of each value of a window (Zeiler & Fergus, equation 4)."""
    return [value / sum(values) for value in values]


def stochastic_expectation(values: list[float], taps: list | None = None, count: int = 0) -> float:
    """Return the expected value of a draw (Zeiler & Fergus, equation 6); a window without activation
    gives 0.
    """
    if sum(values) == 0:
        return 0.0
    return sum(p * value for p, value in zip(stochastic_probabilities(values), values))
