"""The kinds of networks that the engine runs, small, and what is asked of each: an MLP, ConvNets, a transformer."""

import functools

import torch
from torch import nn
from torch.nn import functional as F

from dlbook.browser.export import exported
from dlbook.data import mnist5k
from dlbook.models import convnet, mlp, resnet, vit

SGD = {"kind": "sgd", "rate": 0.05, "momentum": 0.9, "decay": 1e-4}
ADAM = {"kind": "adam", "rate": 2e-3, "decay": 1e-3}
ADAMW = {"kind": "adamw", "rate": 2e-3, "decay": 0.1}
# A bias of the keys moves all scores of a query alike, so its gradient is 0 and rounding is all there is of it. Adam
# would divide rounding by rounding; this eps keeps it small. The residual networks have the usual one.
CALM_ADAMW = {**ADAMW, "eps": 1e-4}
STEPS = 10


@functools.cache
def digits(count=32, side=28):
    """Real digits [count, 1, side, side], and their labels."""
    found = mnist5k("test")
    images = found.images[:count]
    return (images if side == 28 else F.avg_pool2d(images, 2)), found.labels[:count]


def residual(block=resnet.BasicBlock, shortcut="A"):
    """14 x 14 digits through a stem and two stages, the second with a shortcut of another shape."""
    config = resnet.Config(block, (1, 1), (4, 8), "cifar", shortcut, num_classes=10)
    return resnet.ResNet(config, in_channels=1)


def transformer():
    """Two blocks of attention over four patches and a class token; the last layer does not start at 0."""
    model = vit.VisionTransformer(vit.Config(2, 16, 4, 32, 7), num_classes=10, in_channels=1, resolution=14)
    nn.init.normal_(model.head.weight, std=0.3)
    nn.init.normal_(model.cls_token)
    return model


def pools():
    """The layers that no network of the book's small ones has."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.LeakyReLU(0.1), nn.AvgPool2d(2), nn.Conv2d(4, 8, 3, groups=2),
        nn.SiLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Tanh(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 16), nn.Sigmoid(), nn.Linear(16, 10),
    )  # fmt: skip


def normalised():
    """Batch norm over 32 numbers a unit: there the biased and the unbiased variance differ visibly."""
    layers = nn.Flatten(), nn.Linear(196, 12, bias=False), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 10)
    return nn.Sequential(*layers)


# name: (builder, side of the digits, optimizer)
NETWORKS = {
    "mlp": (lambda: mlp.MLP(mlp.Config((32, 16), "relu"), resolution=14), 14, SGD),
    "convnet": (lambda: convnet.ConvNet(convnet.Config((4, 8, 8))), 28, ADAM),
    "resnet, option A": (residual, 14, SGD),
    "resnet, option B": (lambda: residual(shortcut="B"), 14, ADAMW),
    "plain": (lambda: residual(resnet.PlainBlock, None), 14, ADAM),
    "transformer": (transformer, 14, CALM_ADAMW),
    "pools": (pools, 28, SGD),
    "normalised": (normalised, 14, SGD),
}


def built(name):
    """A network from seed 0, and its digits and labels."""
    build, side, optimiser = NETWORKS[name]
    torch.manual_seed(0)
    return build(), *digits(side=side), optimiser


def case(name, kind="float32"):
    """One network as the proofs ask for it."""
    model, images, labels, optimiser = built(name)
    return {
        **exported(model, images, kind).as_json(),
        "images": images.flatten().tolist(),
        "shape": list(images.shape),
        "labels": labels.tolist(),
        "optimiser": optimiser,
        "steps": STEPS,
    }
