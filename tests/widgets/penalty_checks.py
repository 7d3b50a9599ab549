"""A few bowls, which several modules of tests draw."""

import numpy as np

from dlbook.widgets import Penalty

TEXTS = {"title": "A title", "description": "What it shows."}
CURVATURE = [[1.0, 0.45], [0.45, 0.5]]


def penalty(**changes):
    """A tilted bowl whose minimum is nearer to the first axis."""
    given = {"curvature": CURVATURE, "minimum": (0.8, 0.35), **TEXTS, **changes}
    return Penalty(**given)


def bowls(count=30):
    """(H, m, λ1, λ2), the curvatures positive, all else by chance; the first has no penalty."""
    draw = np.random.default_rng(0)
    for number in range(count):
        root = draw.normal(size=(2, 2))
        curvature = root @ root.T + 0.1 * np.eye(2)
        factors = (0.0, 0.0) if number == 0 else draw.uniform(0, 1.2, 2) * draw.integers(0, 2, 2)
        yield curvature, draw.uniform(-1, 1, 2), *map(float, factors)
