"""The contract of a backbone: what every network of the zoo offers to a method that does not know it.

Transfer, probes on frozen features and every self-supervised method begin with the same three questions:
what does the network say about an image, how wide is that, and which layer turns it into logits?

    features = model.represent(images)                 # [B, D], D = model.num_features
    projector = nn.Linear(model.num_features, 128)     # SimCLR's head, for example
    classifier = model.get_submodule(model.last_layer) # what transfer exchanges

The rules, which ``tests/models/test_backbone.py`` asks of every row:

1. `last_layer` is the dotted name of the module that gives the logits. `num_features` is D, the number of
   channels that it reads. In a row of one head that reads a vector, ``forward(images)`` is
   ``last_layer(represent(images))``, in training with the dropout that stands directly before the last layer.
2. `represent` is all of the network but the last layer and that dropout: pooled and normalised, [B, D].
3. Where the last layer is a convolution whose output is averaged (NiN), `represent` is the mean over H and W
   of the map that it reads. The logits are then no function of it: a ReLU stands between.
4. A network with several heads says which layer it means. The two heads of the distilled DeiT are one
   module, which reads both tokens, [B, 2 D]. GoogLeNet means the head at its end; the auxiliary heads, which
   are there in training only, read earlier maps.
5. `stages` are the modules whose outputs are worth looking at, in the order in which they run: any sequence,
   such as an nn.ModuleList or a tuple. Each gives a map [B, C, H, W] (tokens [B, N, D] in a
   transformer), and the first one reads what the stem has made. `dlbook.measure.feature_maps` looks at them.
   A network without such modules (the perceptron) has an empty tuple.

A network keeps the contract by having these names; it needs no base class, and does not import this file.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Backbone(Protocol):
    """A network that can be asked for its features.

    >>> from dlbook.models import create
    >>> isinstance(create("resnet20_cifar"), Backbone), isinstance(nn.Linear(2, 3), Backbone)
    (True, False)

    Args:
        last_layer: dotted name of the module that gives the logits.
        num_features: D, the width that it reads.
        stages: the modules whose outputs are the feature maps.
    """

    last_layer: str
    num_features: int
    stages: Sequence[nn.Module]

    def represent(self, images: Tensor) -> Tensor:
        """Describe images [B, C, H, W] by one vector each: [B, D].

        Raises:
            ValueError: for images that do not fit the network.
        """
        ...

    def forward(self, images: Tensor) -> Tensor:
        """Give the logits [B, K] of images [B, C, H, W]."""
        ...

    def get_submodule(self, target: str) -> nn.Module:
        """Find a module by its dotted name, as every nn.Module can."""
        ...
