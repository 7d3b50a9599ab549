"""The derivative of every activation in closed form, worked out by hand.

Each takes a floating tensor `x` of any shape and returns f'(x) in the same shape and dtype; the keyword is
that of the function in dlbook.nn.activations. There is no derivative at a corner; these take the choices
listed there (departure 1). `SLOPES` has them by name.

>>> import torch
>>> relu_slope(torch.tensor([-1.0, 0.0, 2.0]))
tensor([0., 0., 1.])
"""

import math

import torch
from torch import Tensor

SELU_ALPHA = 1.6732632423543772  # Klambauer et al. 2017 (arXiv:1706.02515), equation 14
SELU_SCALE = 1.0507009873554805
GELU_CUBIC = 0.044715  # Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2


def sigmoid_slope(x: Tensor) -> Tensor:
    """s (1 - s), at most 1/4; written s(x) s(-x), which does not cancel for large x."""
    return torch.sigmoid(x) * torch.sigmoid(-x)


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
    return torch.where(x > 0, 1.0, alpha * torch.exp(x.clamp(max=0)))


def selu_slope(x: Tensor) -> Tensor:
    """SELU_SCALE where x > 0, else SELU_SCALE * SELU_ALPHA * e^x."""
    return SELU_SCALE * elu_slope(x, SELU_ALPHA)


def softplus_slope(x: Tensor, beta: float = 1.0) -> Tensor:
    """sigmoid(beta x)."""
    return torch.sigmoid(beta * x)


def swish_slope(x: Tensor, beta: float = 1.0) -> Tensor:
    """s + beta x s (1 - s) with s = sigmoid(beta x); the paper writes beta f + s (1 - beta f)."""
    return torch.sigmoid(beta * x) + beta * x * sigmoid_slope(beta * x)


def gelu_slope(x: Tensor) -> Tensor:
    """Phi(x) + x phi(x), phi the standard normal density."""
    density = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return torch.erfc(-x / math.sqrt(2)) / 2 + x * density


def gelu_tanh_slope(x: Tensor) -> Tensor:
    """(1 + t)/2 + x/2 (1 - t^2) u' with t = tanh(u), u = sqrt(2/pi) (x + 0.044715 x^3)."""
    bounded = x.clamp(-10, 10)
    u = math.sqrt(2 / math.pi) * (bounded + GELU_CUBIC * bounded**3)
    du = math.sqrt(2 / math.pi) * (1 + 3 * GELU_CUBIC * bounded**2)
    return (1 + torch.tanh(u)) / 2 + bounded * tanh_slope(u) * du / 2


def mish_slope(x: Tensor) -> Tensor:
    """t + x (1 - t^2) sigmoid(x) with t = tanh(softplus(x))."""
    return torch.tanh(torch.logaddexp(x, torch.zeros_like(x))) + x * tanh_slope(
        torch.logaddexp(x, torch.zeros_like(x))
    ) * torch.sigmoid(x)


def hard_swish_slope(x: Tensor) -> Tensor:
    """0 up to -3, (2x + 3)/6 between, 1 from 3 on: it jumps by 1/2 at both ends."""
    return torch.where(x <= -3, 0.0, torch.where(x >= 3, 1.0, x / 3 + 0.5))


def softmax_jacobian(probs: Tensor) -> Tensor:
    """diag(p) - p p^T for probs = softmax(x) of shape (..., K); returns (..., K, K)."""
    return torch.diag_embed(probs) - probs.unsqueeze(-1) * probs.unsqueeze(-2)


SLOPES = {  # by the names of dlbook.nn.activations.FAMILY
    "sigmoid": sigmoid_slope,
    "tanh": tanh_slope,
    "hard sigmoid": hard_sigmoid_slope,
    "ReLU": relu_slope,
    "ReLU6": relu6_slope,
    "leaky ReLU": leaky_relu_slope,
    "ELU": elu_slope,
    "SELU": selu_slope,
    "softplus": softplus_slope,
    "Swish": swish_slope,
    "GELU": gelu_slope,
    "GELU (tanh)": gelu_tanh_slope,
    "Mish": mish_slope,
    "hard swish": hard_swish_slope,
}
