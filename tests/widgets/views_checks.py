"""Two pictures of 4 x 4 pixels in two strengths, which several modules of tests draw."""

import numpy as np

from dlbook.widgets import Views

TEXTS = {"title": "A title", "description": "What it shows."}


def views(**changes):
    """A sure picture whose label is right, and a less sure one whose label is wrong; three classes."""
    arguments = {
        **TEXTS,
        "names": ["sure", "mistaken"],
        "classes": ["a", "b", "c"],
        "truths": [1, 2],
        "strengths": [0.0, 1.0],
        "weak": np.stack([np.zeros((4, 4)), np.full((4, 4), 0.2)]),
        "strong": np.linspace(0.4, 1, 4).reshape(2, 2, 1, 1) * np.ones((4, 4)),
        "weak_probs": [[0.02, 0.96, 0.02], [0.8, 0.15, 0.05]],
        "strong_probs": [[[0.05, 0.9, 0.05], [0.3, 0.5, 0.2]], [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]],
        "thresholds": [0.5, 0.8, 0.95, 0.99],
        "start": {"picture": "sure", "τ": 0.95, "strength": 1.0},
        **changes,
    }
    return Views(**arguments)
