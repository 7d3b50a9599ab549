"""Three curves in small squares, which several modules of tests draw."""

import numpy as np

from dlbook.widgets import Curve, Multiples

TEXTS = {"title": "A title", "description": "What it shows."}
X = np.linspace(-2, 2, 41)


def multiples(**changes):
    """A line, a square, and a ramp whose slope jumps at 0 and is flat below."""
    arguments = {
        **TEXTS,
        "x": X,
        "curves": [
            Curve("line", X / 2, np.full(41, 0.5)),
            Curve("square", X**2 / 2, X),
            Curve("ramp", np.maximum(X, 0), (X > 0) * 1.0, jumps=(0,)),
        ],
        "y_range": (-2, 2),
        "cursor": 1.0,
        **changes,
    }
    return Multiples(**arguments)
