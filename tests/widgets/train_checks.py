"""A small training, which several modules of tests draw."""

import functools
from unittest import mock

import torch
from torch.nn import functional as F

from dlbook.browser import digits
from dlbook.data import mnist5k
from dlbook.models import resnet
from dlbook.widgets import Fault, Train
from tests.browser.networks import SGD, residual

TEXTS = {"title": "A title", "description": "What it shows."}


class WithSigmoids(resnet.ResNet):
    """The residual network with a sigmoid in the place of each ReLU."""

    def forward(self, images):
        with mock.patch.object(F, "relu", lambda x, inplace=False: torch.sigmoid(x)):
            return super().forward(images)


def made(**changes):
    """Two blocks, eight steps, four faults."""
    train = mnist5k("train")
    torch.manual_seed(0)
    arguments = {
        **TEXTS,
        "model": residual(),
        "images": train.images,
        "labels": train.labels,
        "faults": {
            "no shortcut": Fault("It is gone.", {"shortcuts": "none"}, residual(resnet.PlainBlock, None)),
            "labels": Fault("They say nothing.", {"labels": "shuffled"}),
            "sigmoid": Fault(
                "It is flat.", {"activation": "sigmoid"}, WithSigmoids(residual().config, in_channels=1)
            ),
            "flat": Fault("It stays.", {"schedule": [1.0] * 8}),
        },
        "schedule": [1 - step / 16 for step in range(8)],
        "optimiser": SGD,
        "says": "It learns.",
        "steps": 8,
        "batch": 16,
        "every": 4,
        "most": 100,
        **changes,
    }
    return Train(**arguments)


@functools.cache
def script():
    """The file of digits of the site."""
    train = mnist5k("train")
    return digits.script(train.images, train.labels)
