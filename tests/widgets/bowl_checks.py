"""A round bowl with two schedules, which several modules of tests draw."""

import numpy as np

from dlbook.widgets import Bowl

TEXTS = {"title": "A title", "description": "What it shows."}
UPDATES = 40


def bowl(**changes):
    """Curvature 1, noise 1; a constant rate, and one that falls to zero."""
    arguments = {
        **TEXTS,
        "curvatures": (1, 1),
        "noise": 1.0,
        "start": (-2.6, -1.5),
        "rates": [0.1, 0.5, 1.5, 2.2],
        "schedules": {"constant": np.ones(UPDATES), "decay": 1 - np.arange(UPDATES) / UPDATES},
        "start_rate": 0.5,
        **changes,
    }
    return Bowl(**arguments)
