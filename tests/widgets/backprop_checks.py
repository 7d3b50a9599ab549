"""A net of five numbers, which several modules of tests draw."""

from dlbook.widgets import Backprop

STARTS = {
    "a": [1.2, -0.7, 0.1, -0.4, 1.5, -0.3, 2.0, -1.1, 0.2],
    "b": [0.5, 0.4, -0.2, 3.0, -2.0, 1.0, -1.5, 0.8, 0.3],
}


def net(**changes):
    """Two starts, both losses, forty steps."""
    texts = {"title": "A title", "description": "What it shows."}
    return Backprop(**{**texts, "starts": STARTS, "steps": 40, **changes})
