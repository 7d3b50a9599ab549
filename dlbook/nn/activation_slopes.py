r"""The derivative of every activation in closed form, and the table that joins functions and derivatives.

Each takes a floating tensor ``x`` of any shape and returns f'(x) in the same shape and dtype; the keyword is
that of the function. Corners follow ``dlbook.nn.activations`` (departure 1 there). ``FAMILY`` is the list
that the chapter, the tests and the explorer walk through.

>>> import torch
>>> relu_slope(torch.tensor([-1.0, 0.0, 2.0]))
tensor([0., 0., 1.])
>>> FAMILY["ELU"].parameter, FAMILY["ELU"].default
('alpha', 1.0)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dlbook.nn import activations as A


def sigmoid_slope(x: Tensor) -> Tensor:
    """s (1 - s), at most 1/4; written s(x) s(-x), which does not cancel for large x."""
    return A.sigmoid(x) * A.sigmoid(-x)


def tanh_slope(x: Tensor) -> Tensor:
    """1 - tanh^2 = 4 s(2x) s(-2x), at most 1."""
    return 4 * sigmoid_slope(2 * x)


def hard_sigmoid_slope(x: Tensor) -> Tensor:
    """1/6 inside (-3, 3), else 0."""
    return ((x > -3) & (x < 3)).to(x.dtype) / 6


def relu_slope(x: Tensor) -> Tensor:
    """1 where x > 0, else 0."""
    return (x > 0).to(x.dtype)


def relu6_slope(x: Tensor) -> Tensor:
    """1 inside (0, 6), else 0."""
    return ((x > 0) & (x < 6)).to(x.dtype)


def leaky_relu_slope(x: Tensor, slope: float = 0.01) -> Tensor:
    """1 where x > 0, else slope."""
    return torch.where(
        x > 0, torch.ones_like(x), slope
    )  # ones_like keeps float64: two numbers would give float32


def elu_slope(x: Tensor, alpha: float = 1.0) -> Tensor:
    """1 where x > 0, else alpha e^x: continuous at 0 only for alpha = 1."""
    return torch.where(x > 0, 1.0, alpha * torch.exp(A._negative_part(x)))


def selu_slope(x: Tensor) -> Tensor:
    """SELU_SCALE where x > 0, else SELU_SCALE * SELU_ALPHA * e^x."""
    return A.SELU_SCALE * elu_slope(x, A.SELU_ALPHA)


def softplus_slope(x: Tensor, beta: float = 1.0) -> Tensor:
    """sigmoid(beta x)."""
    return A.sigmoid(beta * x)


def swish_slope(x: Tensor, beta: float = 1.0) -> Tensor:
    """s + beta x s (1 - s) with s = sigmoid(beta x); the paper writes beta f + s (1 - beta f)."""
    return A.sigmoid(beta * x) + beta * x * sigmoid_slope(beta * x)


def gelu_slope(x: Tensor) -> Tensor:
    """Phi(x) + x phi(x), phi the standard normal density."""
    density = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return torch.erfc(-x / math.sqrt(2)) / 2 + x * density


def gelu_tanh_slope(x: Tensor) -> Tensor:
    """(1 + t)/2 + x/2 (1 - t^2) u' with t = tanh(u), u = sqrt(2/pi) (x + 0.044715 x^3)."""
    bounded = x.clamp(-10, 10)
    u = math.sqrt(2 / math.pi) * (bounded + A.GELU_CUBIC * bounded**3)
    du = math.sqrt(2 / math.pi) * (1 + 3 * A.GELU_CUBIC * bounded**2)
    return (1 + A.tanh(u)) / 2 + bounded * tanh_slope(u) * du / 2


def mish_slope(x: Tensor) -> Tensor:
    """t + x (1 - t^2) sigmoid(x) with t = tanh(softplus(x))."""
    return A.tanh(A.softplus(x)) + x * tanh_slope(A.softplus(x)) * A.sigmoid(x)


def hard_swish_slope(x: Tensor) -> Tensor:
    """0 up to -3, (2x + 3)/6 between, 1 from 3 on: it jumps by 1/2 at both ends."""
    return torch.where(x <= -3, 0.0, torch.where(x >= 3, 1.0, x / 3 + 0.5))


def softmax_jacobian(probs: Tensor) -> Tensor:
    """diag(p) - p p^T for probs = softmax(x) of shape (..., K); returns (..., K, K)."""
    return torch.diag_embed(probs) - probs.unsqueeze(-1) * probs.unsqueeze(-2)


@dataclass(frozen=True)
class Activation:
    """One row of the family: a function, its derivative, and the parameter it may have with the usual value."""

    function: Callable[..., Tensor]
    slope: Callable[..., Tensor]
    parameter: str | None = None
    default: float | None = None


FAMILY = {
    "sigmoid": Activation(A.sigmoid, sigmoid_slope),
    "tanh": Activation(A.tanh, tanh_slope),
    "hard sigmoid": Activation(A.hard_sigmoid, hard_sigmoid_slope),
    "ReLU": Activation(A.relu, relu_slope),
    "ReLU6": Activation(A.relu6, relu6_slope),
    "leaky ReLU": Activation(A.leaky_relu, leaky_relu_slope, "slope", 0.01),
    "ELU": Activation(A.elu, elu_slope, "alpha", 1.0),
    "SELU": Activation(A.selu, selu_slope),
    "softplus": Activation(A.softplus, softplus_slope, "beta", 1.0),
    "Swish": Activation(A.swish, swish_slope, "beta", 1.0),
    "GELU": Activation(A.gelu, gelu_slope),
    "GELU (tanh)": Activation(A.gelu_tanh, gelu_tanh_slope),
    "Mish": Activation(A.mish, mish_slope),
    "hard swish": Activation(A.hard_swish, hard_swish_slope),
}
