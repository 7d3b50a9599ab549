"""A small training, which several modules of tests draw."""

import functools

import torch

from dlbook.browser import digits
from dlbook.data import mnist5k
from dlbook.models import resnet
from dlbook.widgets import Fault, Train
from tests.browser.networks import SGD, residual

TEXTS = {"title": "A title", "description": "What it shows."}


def made(**changes):
    """Two blocks, eight steps, two faults."""
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
        },
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
