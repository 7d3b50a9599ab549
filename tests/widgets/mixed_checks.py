"""Two small networks and two pairs of pictures, which several modules of tests draw."""

import torch
from torch import nn

from dlbook.widgets import Mixed


def networks():
    """Two networks of 16 inputs, 6 hidden units and 4 classes, with weights by chance."""
    torch.manual_seed(0)
    nets = {
        name: nn.Sequential(nn.Linear(16, 6), nn.ReLU(), nn.Linear(6, 4)) for name in ("plain", "with mixup")
    }
    for net in nets.values():
        for weight in net.parameters():
            nn.init.normal_(weight, std=1.2)
    return nets


def pairs():
    """Pictures by chance, eight pixels a side, whole levels of 255."""
    draw = torch.Generator().manual_seed(1)
    picture = lambda: torch.randint(256, (1, 8, 8), generator=draw) / 255
    return {"a 0 and a 3": (picture(), picture()), "a 2 and a 1": (picture(), picture())}


def mixed(**changes):
    """A box that is cut off at the top and at the right."""
    given = {
        "title": "A title",
        "description": "What it shows.",
        "networks": networks(),
        "pairs": pairs(),
        "labels": [(0, 3), (2, 1)],
        "start": {"rule": "CutMix", "λ": 0.4, "row": 1, "column": 6},
        **changes,
    }
    return Mixed(**given)
