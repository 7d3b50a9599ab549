"""Two pictures of 4 x 4 pixels at five places, which several modules of tests draw."""

import numpy as np

from dlbook.widgets import Nudge, Row, Tiles

TEXTS = {"title": "A title", "description": "What it shows."}
PICTURES = np.zeros((2, 4, 4))
PICTURES[0, :, 1] = 1.0  # a bar in the second column
PICTURES[1, 2, :] = 1.0
FLIPPING = np.array(
    [[[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.9, 0.1, 0.0]]] * 2
)
STEADY = np.array([[[0.8, 0.1, 0.1]] * 5] * 2)


def cells(h, w):
    """Cells that differ at every picture and shift."""
    return np.arange(10.0 * h * w).reshape(2, 5, h, w)


def nudged(**changes):
    """Two networks: the first flips at every step, the second stands still."""
    arguments = {
        **TEXTS,
        "names": ["bar", "line"],
        "pictures": PICTURES,
        "classes": ["a", "b", "c"],
        "truths": [0, 0],
        "shifts": [-2, -1, 0, 1, 2],
        "rows": [
            Row("flips", [Tiles("a map", cells(2, 2)), Tiles("six", cells(1, 6))], FLIPPING),
            Row("stands", [Tiles("a map", cells(2, 2)), Tiles("six", cells(1, 6))], STEADY),
        ],
        "start": {"picture": "bar", "shift": 0},
        **changes,
    }
    return Nudge(**arguments)
