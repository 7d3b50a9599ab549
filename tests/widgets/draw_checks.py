"""Two small networks and some digits, for the tests of `Draw`."""

import functools
import json

import torch
from torch import nn

from dlbook.browser.digit_networks import numbers
from dlbook.browser.export import exported
from dlbook.data import mnist5k
from dlbook.models import convnet, vit
from dlbook.widgets import Draw

TEXTS = {"title": "A title", "description": "What it shows."}
COUNT = 4  # samples


@functools.cache
def samples():
    """The first test digits of four classes, and their labels."""
    exam = mnist5k("test")
    places = [(exam.labels == digit).nonzero()[0].item() for digit in (3, 7, 1, 0)]
    return exam.images[places], exam.labels[places]


@functools.cache
def networks():
    """{name: text} of the networks, and {name: model} with the numbers that the page has."""
    torch.manual_seed(0)
    models = {
        "ConvNet": convnet.ConvNet(convnet.Config((4, 8, 8))),
        "transformer": vit.VisionTransformer(
            vit.Config(2, 16, 4, 32, 4), num_classes=10, in_channels=1, resolution=28
        ),
    }
    nn.init.normal_(models["transformer"].head.weight, std=0.3)
    images, texts = mnist5k("test").images[:64], {}
    for name, model in models.items():
        with torch.no_grad():
            model.train()(images)  # batch norm gets statistics of its own
        texts[name] = json.dumps(exported(model.eval(), images, most=1.0).as_json())
        model.load_state_dict(numbers(texts[name]), strict=False)
    return texts, models


def made(**changes):
    """The figure with these."""
    texts, models = networks()
    images, labels = samples()
    arguments = {"networks": texts, "models": models, "samples": images, "labels": labels, **TEXTS, **changes}
    return Draw(**arguments)
