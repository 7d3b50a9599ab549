r"""How variances travel through a random network, and the gain that an activation needs.

Weights W ~ N(0, gain^2 / fan_in), no biases. If the inputs of a unit are many, its pre-activation is
Gaussian, and an activation f enters through two numbers only (Poole et al. 2016, arXiv:1606.05340; Schoenholz
et al. 2016, arXiv:1611.01232):

    q_l   = gain^2 * E[f(sqrt(q_{l-1}) Z)^2]        variance of the pre-activations, forward
    chi_l = gain^2 * E[f'(sqrt(q_l) Z)^2]           factor of the squared gradient, backward      Z ~ N(0, 1)

``gaussian_mean`` evaluates such expectations by quadrature; ``gain`` keeps q = 1; ``variance_map`` iterates
the first line and ``gradient_factor`` gives the second.

Departures from the papers

1. He et al. (2015, arXiv:1502.01852) give the gain sqrt(2) of ReLU; ``gain`` computes it for any function.
2. torch's ``calculate_gain`` returns rules of thumb for some functions (5/3 for tanh, 1 for sigmoid, 3/4 for
   SELU).

>>> import torch
>>> round(gain(torch.relu) ** 2, 9)
2.0
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from dlbook.checks import require_above, require_positive

Function = Callable[[Tensor], Tensor]


def gaussian_mean(function: Function, mean: float = 0.0, variance: float = 1.0, points: int = 4001) -> float:
    """Return E[function(X)] for X ~ N(mean, variance), by Simpson's rule on each side of x = 0 up to 12
    deviations.

    Args:
        function: float64 tensor (points,) -> (points,), smooth except perhaps at 0.
        points: odd, per side.

    Raises:
        ValueError: for a variance that is not positive or an even number of points.
    """
    require_above("variance", variance, fix="a constant needs no quadrature")
    if points % 2 == 0 or points < 3:
        raise ValueError(f"expected points to be odd and >= 3, got {points}; Simpson's rule needs it")
    deviation = math.sqrt(variance)
    total = 0.0
    low, high = mean - 12 * deviation, mean + 12 * deviation
    for left, right in ((low, min(0.0, high)), (max(0.0, low), high)):
        if right <= left:
            continue
        step = (right - left) / (points - 1)
        # Half a cell's shift of the ends keeps a jump at 0 on its own side.
        x = torch.linspace(left + 1e-13 * step, right - 1e-13 * step, points, dtype=torch.float64)
        weights = torch.full_like(x, 2.0)
        weights[1::2] = 4.0
        weights[0] = weights[-1] = 1.0
        density = torch.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
        total += float((weights * function(x) * density).sum()) * step / 3
    return total


def gain(function: Function) -> float:
    """Return 1 / sqrt(E[f(Z)^2]): with W ~ N(0, gain^2 / fan_in) pre-activations of variance 1 stay so.

    sqrt(2) for ReLU (He et al. 2015, eq. 10), sqrt(2 / (1 + a^2)) for leaky ReLU (eq. 15), 1 for SELU.

    Raises:
        ValueError: for a function that is 0 almost everywhere.
    """
    power = gaussian_mean(lambda x: function(x) ** 2)
    if not power > 0:
        raise ValueError(
            "expected a function that is not 0 almost everywhere, got one that is; no gain can "
            "keep its variance"
        )
    return 1 / math.sqrt(power)


def variance_map(function: Function, weight_gain: float, depth: int, start: float) -> list[float]:
    """Return q_1 .. q_depth, the variances of the pre-activations of each layer.

    Args:
        start: mean square of an input value, so that q_1 = weight_gain^2 * start; depth >= 1.

    Raises:
        ValueError: for depth < 1.
    """
    require_positive("depth", depth)
    variances = [weight_gain**2 * start]
    while len(variances) < depth:
        deviation = math.sqrt(variances[-1])
        variances.append(weight_gain**2 * gaussian_mean(lambda z, d=deviation: function(d * z) ** 2))
    return variances


def gradient_factor(slope: Function, weight_gain: float, variance: float) -> float:
    """Return chi = gain^2 E[f'(sqrt(variance) Z)^2]: what a layer multiplies the mean squared gradient by."""
    return weight_gain**2 * gaussian_mean(lambda z: slope(math.sqrt(variance) * z) ** 2)


def selu_constants() -> tuple[float, float]:
    """Return (alpha, scale) for which mean 0 and variance 1 are a fixed point.

    Klambauer et al. 2017, arXiv:1706.02515, eq. 14.

    E[selu(Z)] = 0 gives alpha, E[selu(Z)^2] = 1 gives scale; the integrals over Z < 0 are erfc's.
    """
    first = math.exp(0.5) * math.erfc(1 / math.sqrt(2)) / 2  # E[e^Z ; Z < 0]
    second = math.exp(2.0) * math.erfc(math.sqrt(2)) / 2  # E[e^2Z ; Z < 0]
    alpha = 1 / (math.sqrt(2 * math.pi) * (0.5 - first))
    scale = 1 / math.sqrt(0.5 + alpha**2 * (second - 2 * first + 0.5))
    return alpha, scale
