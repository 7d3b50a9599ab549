"""Two small networks and three digits, which several modules of tests draw."""

import torch
from torch import nn

from dlbook.widgets import Thinned


def networks():
    """Two networks of 36 pixels, 7 and 5 hidden units and 4 classes, with weights by chance."""
    torch.manual_seed(0)
    sizes = ((36, 7), (7, 5), (5, 4))
    build = lambda: nn.Sequential(*[part for a, b in sizes for part in (nn.Linear(a, b), nn.ReLU())][:-1])
    nets = {"plain": build(), "with dropout": build()}
    for net in nets.values():
        for weight in net.parameters():
            nn.init.normal_(weight, std=0.6)
    return nets


def digits():
    """Three pictures by chance."""
    draw = torch.Generator().manual_seed(1)
    return {f"a {k}": torch.rand(1, 6, 6, generator=draw) for k in range(3)}


def thinned(**changes):
    """Forty thinned networks of two networks."""
    given = {
        "title": "A title",
        "description": "What it shows.",
        "networks": networks(),
        "digits": digits(),
        "labels": [0, 1, 2],
        "drop_prob": 0.4,
        "most": 40,
        "start": {"thinned networks": 12},
        **changes,
    }
    return Thinned(**given)
