"""A river through six blocks, over a switch and a step, which several modules of tests draw."""

import numpy as np

from dlbook.widgets import Flow

STEPS = [0, 1, 5]
TEXTS = {"title": "A title", "description": "What it shows."}


def river(**changes):
    """Off: it grows tenfold a block towards the input, then less with the steps. On: level; step 5 diverges."""
    grows = 10.0 ** np.arange(5, -1, -1.0)
    level = np.ones(6)
    values = np.stack([[grows, grows**0.5, grows**-0.4], [level, level, level * np.nan]]) * 0.02
    arguments = {
        **TEXTS,
        "values": values,
        "carried": "gradient norm",
        "parameters": {"shortcuts": ["off", "on"], "step": STEPS},
        "shortcuts": ("shortcuts", "on"),
        "valves": ("shortcuts", "off"),
        "stages": ["wide", "narrow"],
        "reading": ("Loss", [[2.3, 2.2, 2.1], [2.3, 1.0, np.nan]]),
        "start": {"step": 0},
        **changes,
    }
    return Flow(**arguments)
