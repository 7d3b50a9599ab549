"""Multi-layer perceptrons: Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors"
(Nature 323, 1986).

The network in four lines::

    a = flatten(image)                       # the net does not know which pixels are neighbours
    for each hidden layer:
        a = f(W a + b)                       # f: ReLU, or LeCun et al.'s squash 1.7159 tanh(2z/3)
    logits = W a + b

Departures from the papers

1. Rumelhart et al. have the logistic function everywhere and learn by squared errors; the output here is
   linear, for a softmax.
2. The rows ``mlp_300`` to ``mlp_500_150`` are the fully connected nets that LeCun et al. (Proc. IEEE 86,
   1998, section III.C) compare LeNet-5 with on MNIST. Theirs squash the outputs too. Ours start from their
   uniform in +-2.4 / fan_in.
3. ``mlp_digits`` is this book's: ReLU, and He et al.'s normal weights of variance 2 / fan_in
   (arXiv:1502.01852).

Parameters with 1 channel of 28 x 28 and 10 classes: mlp_digits 535,818; mlp_300 238,510; mlp_1000 795,010;
mlp_300_100 266,610; mlp_500_150 469,160.

>>> import torch
>>> model = mlp("mlp_digits")
>>> tuple(model(torch.rand(2, 1, 28, 28)).shape), sum(p.numel() for p in model.parameters())
((2, 10), 535818)
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import (
    find_row,
    require_images,
    require_one_of,
    require_positive,
    require_probability,
    require_resolution,
    require_size,
)
from dlbook.nn.activations import squash


@dataclass(frozen=True)
class Config:
    """Describe one row.

    Args:
        widths: of the hidden layers, each at least 1.
        activation: "relu" or "squash".
    """

    widths: tuple[int, ...]
    activation: str = "squash"


VARIANTS = {
    "mlp_digits": Config((512, 256), "relu"),
    # LeCun et al. 1998, section III.C: the numbers are those of hidden units
    "mlp_300": Config((300,)),
    "mlp_1000": Config((1000,)),
    "mlp_300_100": Config((300, 100)),
    "mlp_500_150": Config((500, 150)),
}


ACTIVATIONS = {"relu": F.relu, "squash": squash}


class MLP(nn.Module):
    """Linear layers with an activation after each but the last: images [B, C, H, W] -> logits [B, K].

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.
        resolution: H and W of the images in pixels, one number or a pair.
        drop_prob: probability of dropping a hidden unit in training, in [0, 1).

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    stages = ()  # no maps: the net does not know which pixels are neighbours

    def __init__(
        self,
        config: Config,
        num_classes: int = 10,
        in_channels: int = 1,
        resolution: int | tuple[int, int] = 28,
        drop_prob: float = 0.0,
    ) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        for width in config.widths:
            require_positive("widths", width)
        require_probability("drop_prob", drop_prob)
        require_one_of("activation", config.activation, tuple(ACTIVATIONS))
        self.config, self.in_channels = config, in_channels
        self.resolution = require_resolution(resolution)
        widths = (in_channels * math.prod(self.resolution), *config.widths, num_classes)
        self.last_layer = f"layers.{len(config.widths)}"
        self.num_features = widths[-2]
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.drop = nn.Dropout(drop_prob)
        initialise(self)

    def represent(self, images: Tensor) -> Tensor:
        """Return the last hidden layer after its activation: images [B, C, H, W] -> [B, D]."""
        require_images(images, self.in_channels)
        require_size(images, self.resolution, "resize them, or build the model with another resolution")
        activation = ACTIVATIONS[self.config.activation]
        a = images.flatten(1)  # [B, C H W]
        for number, layer in enumerate(self.layers[:-1]):
            if number > 0:
                a = self.drop(a)
            a = activation(layer(a))
        return a

    def forward(self, images: Tensor) -> Tensor:
        a = self.represent(images)
        return self.layers[-1](self.drop(a) if self.config.widths else a)


def initialise(model: MLP) -> None:
    """Draw weights, for ReLU from a normal of variance 2 / fan_in, for squash uniform in +-2.4 / fan_in; set
    biases to 0 (departures 2 and 3).
    """
    for layer in model.layers:
        if model.config.activation == "relu":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        else:
            nn.init.uniform_(layer.weight, -2.4 / layer.in_features, 2.4 / layer.in_features)
        nn.init.zeros_(layer.bias)


def mlp(
    name: str = "mlp_digits",
    num_classes: int = 10,
    in_channels: int = 1,
    resolution: int | tuple[int, int] = 28,
    drop_prob: float = 0.0,
) -> MLP:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `MLP`."""
    return MLP(find_row(name, VARIANTS), num_classes, in_channels, resolution, drop_prob)
