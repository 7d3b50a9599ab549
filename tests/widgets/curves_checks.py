"""A figure of lines and a parabola over two parameters, which the tests of several modules draw."""

import numpy as np

from dlbook.widgets import Curve, Curves

X = np.linspace(-2, 2, 41)
TEXTS = {"title": "A title", "description": "What it shows."}


def slopes(**changes):
    """A figure of lines a * x + b over a and b."""
    a, b = np.array([1.0, 2.0, 4.0]), ["low", "high"]
    values = a[:, None, None] * X + np.array([0.0, 10.0])[:, None]
    arguments = {
        **TEXTS,
        "x": X,
        "parameters": {"a": a, "b": b},
        "curves": [
            Curve("line", values, np.broadcast_to(a[:, None, None], values.shape)),
            Curve("square", X**2, parameters=()),
        ],
        **changes,
    }
    return Curves(**arguments)
