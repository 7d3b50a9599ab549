"""AlexNet: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks"
(NIPS 2012).

The paper in eight lines (section 3.5, figure 2)::

    x = maxpool3/2(lrn(relu(conv11x11/4(image))))     # 96 maps of 55 x 55, then 27 x 27
    x = maxpool3/2(lrn(relu(conv5x5(x))))             # 256 maps, then 13 x 13; two groups, one a GPU
    x = relu(conv3x3(x))                              # 384; sees both GPUs' maps
    x = relu(conv3x3(x))                              # 384; two groups
    x = maxpool3/2(relu(conv3x3(x)))                  # 256, then 6 x 6; two groups
    x = dropout(relu(linear(flatten(x))));  x = dropout(relu(linear(x)))
    logits = linear(x)

Departures from the paper

1. The paper says 224 x 224 pixels; with no padding, 55 x 55 maps need 227 x 227. Use 227.
2. One device holds both towers: "two GPUs" are two groups of a convolution, which is the same function.
3. Dropout here scales in training, so that nothing changes at test time; the paper halves the outputs at test
   time.
4. Row ``alexnet_ungrouped`` is the textbooks' form, without groups. Row ``alexnet_owt`` is torchvision's,
   from Krizhevsky's "One weird trick" (arXiv:1404.5997): one tower, 64-192-384-256-256 maps, no LRN, padding
   2 for 224 x 224, dropout before each hidden linear layer instead of after it. It starts as torch does, not
   with the paper's weights.

Parameters with 1,000 classes: 60,965,224 in two towers; 62,378,344 without groups; 61,100,840 in
    torchvision's form.

>>> from dlbook.models import create
>>> sum(p.numel() for p in create("alexnet", device="meta").parameters())
60965224
"""

from dataclasses import dataclass

from torch import Tensor, nn

from dlbook.checks import find_row, require_images, require_positive, require_probability, require_sides
from dlbook.nn.norm import LocalResponseNorm


@dataclass(frozen=True)
class Config:
    """Describe one row.

    Args:
        widths: channels of the five convolutions.
        groups: of the second, fourth and fifth convolution.
        padding: of the first convolution, in pixels.
        lrn: whether local response normalisation follows the first two convolutions.
        dropout_first: whether dropout comes before a hidden linear layer (torchvision) or after its ReLU (the
            paper).
    """

    widths: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256)
    groups: int = 2
    padding: int = 0
    lrn: bool = True
    dropout_first: bool = False


VARIANTS = {
    "alexnet": Config(),  # Krizhevsky et al. 2012, figure 2
    "alexnet_ungrouped": Config(groups=1),  # the textbooks' form
    # torchvision
    "alexnet_owt": Config((64, 192, 384, 256, 256), groups=1, padding=2, lrn=False, dropout_first=True),
}


def hidden(in_features: int, drop_prob: float, dropout_first: bool) -> list[nn.Module]:
    """List a hidden linear layer of 4,096 units, its ReLU, and dropout before or after them."""
    layers = [nn.Linear(in_features, 4096), nn.ReLU(inplace=True)]
    return [nn.Dropout(drop_prob), *layers] if dropout_first else [*layers, nn.Dropout(drop_prob)]


class AlexNet(nn.Module):
    """Five convolutions, three linear layers: images [B, C, H, W] -> logits [B, K].

    H and W are at least 67, or 63 where the row pads.

    Args:
        config: a row of `VARIANTS`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.
        drop_prob: probability of dropping a unit of the two hidden linear layers, in [0, 1).

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "classifier.6"
    num_features = 4096

    def __init__(
        self, config: Config, num_classes: int = 1000, in_channels: int = 3, drop_prob: float = 0.5
    ) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        require_probability("drop_prob", drop_prob)
        self.config, self.in_channels = config, in_channels
        widths, groups = config.widths, config.groups

        def norm() -> list[nn.Module]:
            return [LocalResponseNorm(n=5, alpha=1e-4, beta=0.75, k=2.0)] if config.lrn else []

        self.features = nn.Sequential(
            nn.Conv2d(in_channels, widths[0], 11, 4, config.padding),
            nn.ReLU(inplace=True),
            *norm(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(widths[0], widths[1], 5, padding=2, groups=groups),
            nn.ReLU(inplace=True),
            *norm(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(widths[1], widths[2], 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(widths[2], widths[3], 3, padding=1, groups=groups),
            nn.ReLU(inplace=True),
            nn.Conv2d(widths[3], widths[4], 3, padding=1, groups=groups),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)  # the identity at the row's own resolution
        self.classifier = nn.Sequential(
            *hidden(widths[4] * 36, drop_prob, config.dropout_first),
            *hidden(4096, drop_prob, config.dropout_first),
            nn.Linear(4096, num_classes),
        )
        self.num_hidden = 6 if config.dropout_first else 5  # layers of the classifier up to the second ReLU
        if config.lrn:
            initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the three poolings: each ends what one can call a stage."""
        return tuple(layer for layer in self.features if isinstance(layer, nn.MaxPool2d))

    def represent(self, images: Tensor) -> Tensor:
        """Return the second hidden layer after its ReLU: images [B, C, H, W] -> [B, 4096]."""
        require_images(images, self.in_channels)
        require_sides(images, 67 - 2 * self.config.padding)
        x = self.avgpool(self.features(images))  # [B, C, 6, 6]
        return self.classifier[: self.num_hidden](x.flatten(1))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier[self.num_hidden :](self.represent(images))


def initialise(model: AlexNet) -> None:
    """Draw weights from N(0, 0.01); set biases to 1 in convolutions 2, 4, 5 and the hidden linear layers,
    else to 0 (section 5).

    The ones put the ReLUs into their linear part at the start; with zeros there, the maps die out layer by
    layer.
    """
    layers = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    for index, layer in enumerate(layers):
        nn.init.normal_(layer.weight, 0, 0.01)
        nn.init.constant_(layer.bias, 1.0 if index in (1, 3, 4, 5, 6) else 0.0)


def alexnet(
    name: str = "alexnet", num_classes: int = 1000, in_channels: int = 3, drop_prob: float = 0.5
) -> AlexNet:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `AlexNet`."""
    return AlexNet(find_row(name, VARIANTS), num_classes, in_channels, drop_prob)
