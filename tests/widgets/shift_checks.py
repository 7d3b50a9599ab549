"""One picture, two networks and nine places, which several modules of tests draw."""

import numpy as np

from dlbook.widgets import Shift

TEXTS = {"title": "A title", "description": "What it shows."}


def probabilities(right):
    """Probabilities [1, 3, 3, 2]: 0.8 for class 1 where `right` is true, else for class 0."""
    sure = np.where(np.array(right), 0.8, 0.2)[None, ..., None]
    return np.concatenate([1 - sure, sure], -1)


def made(**changes):
    """The first network is right in the middle and to the right of it, the second everywhere."""
    arguments = {
        **TEXTS,
        "pictures": {"a one": np.eye(8)},
        "truths": [1],
        "networks": {
            "Dense": ("10 parameters", probabilities([[0, 0, 0], [0, 1, 1], [0, 0, 0]])),
            "Conv": ("2 parameters", probabilities(np.ones((3, 3)))),
        },
        "middle": 4,
        **changes,
    }
    return Shift(**arguments)
