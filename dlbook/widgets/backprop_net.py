"""The net of five numbers in numpy, as backprop_net.js computes it: values forward, deltas back.

>>> import numpy as np
>>> found = forward_and_back(np.zeros(9), (1.0, 0.0), 1.0, SQUARED)
>>> float(found["loss"]), found["deltas"].tolist()
(0.125, [-0.0, -0.0, -0.125])
"""

import numpy as np

NUMBERS = ("w₁₁", "w₁₂", "b₁", "w₂₁", "w₂₂", "b₂", "v₁", "v₂", "b₃", "x₁", "x₂")
SQUARED, CROSS = "squared error", "cross-entropy"
LOSSES = (SQUARED, CROSS)


def sigmoid(z):
    """Compute 1 / (1 + e^-z) without overflow."""
    return np.exp(-np.logaddexp(0, -np.asarray(z, np.float64)))


def forward_and_back(weights, x, target, loss):
    """Compute values, loss, deltas and gradients of one case.

    Args:
        weights: nine numbers, in the order of `NUMBERS`.
        x: two inputs; arrays of one shape compute many cases at once.
        target: 0 or 1.
        loss: one of `LOSSES`.

    Returns:
        dict of `h` (two values), `y`, `loss`, `deltas` (three), `gradient` (eleven, as `NUMBERS`).
    """
    w11, w12, b1, w21, w22, b2, v1, v2, b3 = weights
    h1, h2 = sigmoid(w11 * x[0] + w12 * x[1] + b1), sigmoid(w21 * x[0] + w22 * x[1] + b2)
    z = v1 * h1 + v2 * h2 + b3
    y, squared = sigmoid(z), loss == SQUARED
    value = (y - target) ** 2 / 2 if squared else np.logaddexp(0, z) - target * z
    d3 = (y - target) * y * (1 - y) if squared else y - target
    d1, d2 = v1 * d3 * h1 * (1 - h1), v2 * d3 * h2 * (1 - h2)
    gradient = [d1 * x[0], d1 * x[1], d1, d2 * x[0], d2 * x[1], d2, d3 * h1, d3 * h2, d3]
    gradient += [w11 * d1 + w21 * d2, w12 * d1 + w22 * d2]
    return {
        "h": np.array([h1, h2]),
        "y": y,
        "loss": value,
        "deltas": np.array([d1, d2, d3]),
        "gradient": np.array(gradient),
    }


def together(weights, cases, loss):
    """Average the loss over cases (x1, x2, target); return it and how many lie on the right side of 1/2."""
    found = [forward_and_back(weights, (a, b), target, loss) for a, b, target in cases]
    right = sum((one["y"] > 0.5) == (case[2] > 0.5) for one, case in zip(found, cases, strict=True))
    return float(np.mean([one["loss"] for one in found])), int(right)
