r"""Activation functions, each written out as its paper writes it, without overflow in the value or in the
gradient.

Everything but ``softmax`` works element by element: ``x`` is a floating tensor of any shape, the result has
its shape and dtype. Nothing here calls ``torch.nn.functional``, which is the oracle of the tests. `FAMILY`
has the functions by name; their derivatives, worked out by hand, stand under the same names in
``dlbook.naive.activation_slopes.SLOPES``.

Two habits keep every gradient finite. The exponential only ever sees arguments that are not positive, and a
branch that is not taken gets a harmless argument (``torch.where`` runs both branches, and ``0 * inf`` is
``nan``).

Departures from the papers

1. At a corner there is no derivative. We take torch's: 0 for ReLU at 0, ``slope`` for leaky ReLU, ``alpha``
   for ELU, 0 at both ends of ReLU6, 0 at -3 and 1 at 3 for hard swish.
2. ``softplus`` is exact for all ``x``; torch returns ``x`` itself as soon as ``beta * x > 20``.
3. ``gelu`` uses erfc instead of 1 + erf: the same function, without cancellation in the left tail.

>>> import torch
>>> relu(torch.tensor([-1.0, 0.0, 2.0]))
tensor([0., 0., 2.])
>>> silu(torch.tensor(-1.2785))                      # the bottom of its dip
tensor(-0.2785)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlbook.checks import require_above, require_positive

# Klambauer et al. 2017 (arXiv:1706.02515), eq. (14); derived again by
# dlbook.nn.signal_propagation.selu_constants().
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
# Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2.
GELU_CUBIC = 0.044715


def _negative_part(x: Tensor) -> Tensor:
    """x where x <= 0, else 0: an argument at which exp cannot overflow, whichever branch is taken later."""
    return torch.where(x > 0, 0.0, x)


# ---- saturating: bounded on both sides


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + e^-x), in (0, 1)."""
    negative = torch.exp(_negative_part(x))  # e^x for x <= 0
    positive = torch.exp(-torch.where(x > 0, x, 0.0))  # e^-x for x > 0
    return torch.where(x > 0, 1 / (1 + positive), negative / (1 + negative))


def tanh(x: Tensor) -> Tensor:
    """Return (e^x - e^-x) / (e^x + e^-x), in (-1, 1); equals 2 sigmoid(2x) - 1."""
    negative = torch.expm1(2 * _negative_part(x))  # e^2x - 1, exact near 0
    positive = torch.expm1(-2 * torch.where(x > 0, x, 0.0))
    return torch.where(x > 0, -positive / (2 + positive), negative / (2 + negative))


def squash(x: Tensor) -> Tensor:
    """Return 1.7159 tanh(2x/3), by LeCun et al. 1998 (equation 6, appendix A): squash(±1) = ±1."""
    return 1.7159 * torch.tanh(x * (2 / 3))


def hard_sigmoid(x: Tensor) -> Tensor:
    """Return min(max(x + 3, 0), 6) / 6, in [0, 1] (Howard et al. 2019, arXiv:1905.02244, section 5.2)."""
    return torch.where(x <= -3, 0.0, torch.where(x >= 3, 1.0, x / 6 + 0.5))


# ---- rectifiers


def relu(x: Tensor) -> Tensor:
    """Return max(0, x) (Fukushima 1969; Nair & Hinton 2010); derivative 0 at x = 0."""
    return torch.where(x > 0, x, 0.0)


def relu6(x: Tensor) -> Tensor:
    """Return min(max(0, x), 6) (Krizhevsky 2010; MobileNetV2 for low precision)."""
    return torch.where(x >= 6, 6.0, torch.where(x > 0, x, 0.0))


def leaky_relu(x: Tensor, slope: float = 0.01) -> Tensor:
    """Return x where x > 0, else slope * x (Maas et al. 2013); ``slope`` is any number, 0.01 in the paper."""
    return torch.where(x > 0, x, slope * x)


def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """Leaky ReLU with a learnt slope per channel (He et al. 2015, arXiv:1502.01852, eq. 1).

    Args:
        x: (B, C, ...) or (C,).
        slope: (C,) or (1,), shared by all channels.

    Raises:
        ValueError: if ``slope`` has another length.
    """
    channels = x.shape[1] if x.dim() > 1 else x.shape[0]
    if slope.dim() != 1 or slope.numel() not in (1, channels):
        raise ValueError(
            f"expected slope [1] or [{channels}] for x of shape {list(x.shape)}, got {list(slope.shape)}; "
            "give one slope, or one a channel"
        )
    return torch.where(x > 0, x, slope.view(-1, *[1] * max(x.dim() - 2, 0)) * x)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return x if x > 0, else alpha (e^x - 1) (Clevert et al. 2015, arXiv:1511.07289, eq. 15), alpha > 0."""
    require_above("alpha", alpha)
    return torch.where(x > 0, x, alpha * torch.expm1(_negative_part(x)))


def selu(x: Tensor) -> Tensor:
    """Return SELU_SCALE * elu(x, SELU_ALPHA): keeps mean 0 and variance 1 (Klambauer et al. 2017, eq. 2)."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


def softplus(x: Tensor, beta: float = 1.0) -> Tensor:
    """Return log(1 + e^(beta x)) / beta, the integral of the sigmoid (Dugas et al. 2001); beta > 0."""
    require_above("beta", beta)
    return torch.logaddexp(beta * x, torch.zeros_like(x)) / beta


# ---- self-gated: x times a gate that x itself opens


def swish(x: Tensor, beta: float | Tensor = 1.0) -> Tensor:
    """Return x * sigmoid(beta x) (Ramachandran et al. 2017, arXiv:1710.05941); ``beta`` may be learnt."""
    return x * sigmoid(beta * x)


def silu(x: Tensor) -> Tensor:
    """Return x * sigmoid(x): Swish with beta = 1 (Hendrycks & Gimpel 2016; Elfwing et al. 2017,
    arXiv:1702.03118).
    """
    return swish(x, beta=1.0)


def gelu(x: Tensor) -> Tensor:
    """Return x * Phi(x), Phi the standard normal distribution function (Hendrycks & Gimpel 2016), exact."""
    return x * torch.erfc(-x / math.sqrt(2)) / 2


def gelu_tanh(x: Tensor) -> Tensor:
    """Return the tanh approximation of GELU, x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (same paper,
    section 2).
    """
    bounded = torch.where(x.abs() > 10, 10 * x.sign(), x)  # tanh is +-1 there; x^3 overflows in float16
    return x * (1 + tanh(math.sqrt(2 / math.pi) * (bounded + GELU_CUBIC * bounded**3))) / 2


def mish(x: Tensor) -> Tensor:
    """Return x * tanh(softplus(x)) (Misra 2019, arXiv:1908.08681)."""
    return x * tanh(softplus(x))


def hard_swish(x: Tensor) -> Tensor:
    """Return x * hard_sigmoid(x): SiLU from additions and clipping (Howard et al. 2019, section 5.2)."""
    return torch.where(x <= -3, 0.0, torch.where(x >= 3, x, x * (x + 3) / 6))


# ---- over a whole vector


def softmax(x: Tensor, dim: int) -> Tensor:
    """Return e^x_i / sum_j e^x_j along ``dim``: positive, sums to 1.

    Args:
        x: logits (..., K, ...), same shape out.
    """
    shifted = torch.exp(
        x - x.amax(dim, keepdim=True).detach()
    )  # softmax(x - c) = softmax(x); the largest is e^0
    return shifted / shifted.sum(dim, keepdim=True)


class PReLU(nn.Module):
    """Leaky ReLU whose slopes are parameters, one a channel; do not decay them (He et al. 2015, section 2.1).

    Input (B, C, ...), output the same shape.

    Args:
        channels: C > 0, or 1 for a shared slope.
        start: first value of every slope, 0.25 in the paper.

    Raises:
        ValueError: for channels < 1.
    """

    def __init__(self, channels: int, start: float = 0.25):
        super().__init__()
        require_positive("channels", channels, "pass 1 for one shared slope")
        self.slope = nn.Parameter(torch.full((channels,), start))

    def forward(self, x: Tensor) -> Tensor:
        return prelu(x, self.slope)


@dataclass(frozen=True)
class Activation:
    """A function of one variable, and the parameter that it may have, with the usual value."""

    function: Callable[..., Tensor]
    parameter: str | None = None
    default: float | None = None


FAMILY = {
    "sigmoid": Activation(sigmoid),
    "tanh": Activation(tanh),
    "hard sigmoid": Activation(hard_sigmoid),
    "ReLU": Activation(relu),
    "ReLU6": Activation(relu6),
    "leaky ReLU": Activation(leaky_relu, "slope", 0.01),
    "ELU": Activation(elu, "alpha", 1.0),
    "SELU": Activation(selu),
    "softplus": Activation(softplus, "beta", 1.0),
    "Swish": Activation(swish, "beta", 1.0),
    "GELU": Activation(gelu),
    "GELU (tanh)": Activation(gelu_tanh),
    "Mish": Activation(mish),
    "hard swish": Activation(hard_swish),
}
