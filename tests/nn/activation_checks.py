"""The oracles that the activation tests share; the fault tests show that each of them can fail."""

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
SLOPE_TOLERANCE = {"hard sigmoid": 5e-9}  # torch's kernel holds 1/6 as a float32 even for float64 input
CORNERS = {
    "ReLU": 0.0,
    "ReLU6": 0.0,
    "leaky ReLU": 0.3,
    "ELU": 2.0,
    "SELU": 1.0507009873554805 * 1.6732632423543772,
}


def keywords(row):
    """Every keyword setting to try for a row of FAMILY."""
    return [{row.parameter: value} for value in SETTINGS[row.parameter]] if row.parameter else [{}]


def grid(dtype=torch.float64):
    """Odd count over [-12, 12], 0 among them, plus the far ends; the ends of hard swish (+-3) are left out."""
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


def check_value(name, row):
    for keyword in keywords(row):
        x = grid()
        torch.testing.assert_close(
            row.function(x, **keyword), REFERENCE[name](x, **keyword), rtol=1e-12, atol=1e-12
        )


def check_slope(name, row):
    """torch's gradient = our closed derivative = autograd through our function, corners included."""
    tolerance = SLOPE_TOLERANCE.get(name, 1e-12)
    for keyword in keywords(row):
        x = grid()
        expected = gradient(lambda v, k=keyword: REFERENCE[name](v, **k), x)
        closed = row.slope(x, **keyword)
        mine = gradient(lambda v, k=keyword: row.function(v, **k), x)
        torch.testing.assert_close(closed, expected, rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(mine, closed, rtol=1e-12, atol=1e-12)


def check_extremes(row, dtype):
    """No nan and no inf in value, gradient or closed derivative, and the right limits of the derivative."""
    x = torch.tensor([-EDGE, -1000, -100, -20, 0, 20, 100, 1000, EDGE], dtype=dtype)
    for keyword in keywords(row):
        for result in (
            row.function(x, **keyword),
            gradient(lambda v, k=keyword: row.function(v, **k), x),
            row.slope(x, **keyword),
        ):
            assert result.dtype == dtype
            assert torch.isfinite(result).all(), (keyword, result)
        both = row.slope(x, **keyword), gradient(lambda v, k=keyword: row.function(v, **k), x)
        torch.testing.assert_close(*both, rtol=0.02, atol=0.02)


def check_gradcheck(row):
    """Finite differences against autograd, twice, away from corners."""
    x = torch.tensor([-4.1, -2.2, -0.7, 0.4, 1.9, 2.7, 5.3, 7.2], dtype=torch.float64, requires_grad=True)
    for keyword in keywords(row):
        assert torch.autograd.gradcheck(lambda v, k=keyword: row.function(v, **k), x)
        assert torch.autograd.gradgradcheck(lambda v, k=keyword: row.function(v, **k), x)
