"""A few points of two classes, which several modules of tests draw."""

from dlbook.widgets import Separator

TEXTS = {"title": "A title", "description": "What it shows."}
CORNERS = [[-0.75, -0.75], [-0.75, 0.75], [0.75, -0.75], [0.75, 0.75]]
CLOSE = [
    [-0.25, -0.375],
    [0.5, -0.25],
    [0.625, 0.125],
    [-0.75, 0.0],
    [-0.25, 0.125],
    [0.125, 0.125],
    [0.125, 0.75],
]
SETS = {
    "wide": ([[0.5, 0.5], [-0.5, -0.5], [0.75, 0.0]], [1, 0, 1]),
    "close": (CLOSE, [1, 1, 1, 0, 0, 1, 0]),
    "XOR": (CORNERS, [0, 1, 1, 0]),
}


def separator(**changes):
    """Three sets: separable with room, separable with little, not separable."""
    return Separator(**{**TEXTS, "sets": SETS, **changes})
