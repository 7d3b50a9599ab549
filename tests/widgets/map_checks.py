"""Three points over three looks, which several modules of tests draw."""

from dlbook.widgets import Map

TEXTS = {"title": "A title", "description": "What it shows."}


def made(**changes):
    """One point never gets a label, one a right one, one a wrong one that is put right."""
    arguments = {
        **TEXTS,
        "steps": [10, 20, 30],
        "positions": [[[0, 0]] * 3, [[0, 0.2], [0.5, 0.5], [-0.5, 0]], [[0, 0.4], [1, 0], [0, 1]]],
        "states": [[0, 0, 0], [0, 1, 2], [0, 1, 1]],
        "anchors": {"a": (1, 0), "b": (0, 1)},
        **changes,
    }
    return Map(**arguments)
