"""A small block of activations that several modules of tests draw, and what torch makes of it."""

import numpy as np
import torch

from dlbook.widgets import Norms
from dlbook.widgets.norms_rules import KINDS
from tests.oracles.norms import normalised

CHOICES = [(kind, groups, images) for kind in KINDS for groups in (1, 2, 4) for images in (1, 2, 3)]
TEXTS = {"title": "A title", "description": "What it shows."}


def made(**changes):
    """Three images, four channels, maps of 3 x 5: no two sides alike, each map with a mean of its own."""
    rng = np.random.default_rng(0)
    block = rng.standard_normal((3, 4, 3, 5)) + rng.standard_normal((3, 4, 1, 1))
    return Norms(**{**TEXTS, "block": block, "pictures": rng.random((3, 6, 7)), **changes})


def by_torch(figure, kind, groups, images):
    """The first images of the figure's block, normalised by torch."""
    return normalised(torch.tensor(figure._block[:images]), kind, groups).numpy()
