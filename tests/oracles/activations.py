"""torch's own function for each activation, its derivative by autograd, and the points at which to
compare.
"""

from functools import partial

import torch
from torch.nn import functional as F

EDGE = 1e4
REFERENCE = {  # torch's own function for each row of FAMILY; a keyword where the row has a parameter
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "hard sigmoid": F.hardsigmoid,
    "ReLU": F.relu,
    "ReLU6": F.relu6,
    "leaky ReLU": lambda x, slope: F.leaky_relu(x, slope),
    "ELU": lambda x, alpha: F.elu(x, alpha),
    "SELU": F.selu,
    "softplus": lambda x, beta: F.softplus(x, beta, threshold=60),  # torch's default threshold is 20
    "Swish": lambda x, beta: F.silu(beta * x) / beta,
    "GELU": F.gelu,
    "GELU (tanh)": partial(F.gelu, approximate="tanh"),
    "Mish": F.mish,
    "hard swish": F.hardswish,
}
SETTINGS = {"slope": (0.0, 0.01, 0.3), "alpha": (0.5, 1.0, 2.0), "beta": (0.25, 1.0, 3.0)}


def keywords(row):
    """Every keyword setting to try for a row of FAMILY."""
    return [{row.parameter: value} for value in SETTINGS[row.parameter]] if row.parameter else [{}]


def grid(dtype=torch.float64):
    """Odd count over [-12, 12], 0 among them, plus the far ends; the ends of hard swish (+-3) are
    left out.
    """
    x = torch.cat(
        [
            torch.linspace(-12, 12, 481, dtype=torch.float64),
            torch.tensor([-EDGE, -80, 0, 6, 80, EDGE]).double(),
        ]
    )
    return x[x.abs() != 3].to(dtype)


def gradient(function, x):
    """df/dx of an elementwise function by autograd."""
    x = x.detach().clone().requires_grad_(True)
    (result,) = torch.autograd.grad(function(x).sum(), x)
    return result
