"""A race on two surfaces, which several modules of tests draw."""

from dlbook.widgets import Race

TEXTS = {"title": "A title", "description": "What it shows."}
RAVINE = [(0.5, 2, 0), (25.0, 0, 2)]
CURVED = [(11, 0, 0), (-2, 1, 0), (-19, 2, 0), (10, 0, 2), (20, 0, 1), (-20, 2, 1), (10, 4, 0)]
RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]


def race(**changes):
    """A ravine and a curved valley, with momentum at the rate 0.01 in the first."""
    arguments = {
        **TEXTS,
        "surfaces": {"ravine": RAVINE, "curved": CURVED},
        "rates": RATES,
        "start": (-1.5, 0.5),
        "updates": 100,
        "chosen": {"method": "momentum", "rate": 0.01},
        **changes,
    }
    return Race(**arguments)
