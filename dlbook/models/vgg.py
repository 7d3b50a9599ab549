"""VGG: Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
(arXiv:1409.1556).

The paper in six lines::

    for stage in 5 stages:                # Table 1: one column of it is one row of VARIANTS
        for layer in stage:               # only 3x3 convolutions (column C: some 1x1), padded to keep H and W
            x = relu(conv(x))
        x = maxpool2x2/2(x)
    x = dropout(relu(linear(flatten(x))));  x = dropout(relu(linear(x)))
    logits = linear(x)

Departures from the paper

1. Before the classifier the map is pooled adaptively to 7x7, as torchvision does. At 224x224 that is the
   identity; other resolutions work too. The paper converts the linear layers to convolutions instead (section
   3.2).
2. Initialisation is He et al.'s for convolutions and N(0, 0.01) for linear layers, as in torchvision. The
   paper draws all weights from N(0, 0.01) and can train the deep columns only from the trained layers of
   column A (section 3.1).
3. Rows with ``_bn`` put batch normalisation before each ReLU of the convolutions. It did not exist yet;
   torchvision adds it.
4. Column A-LRN says no more than "LRN" in Table 1: the constants are AlexNet's (section 2.3 cites them).

Parameters with 1,000 classes: A and A-LRN 132,863,336; B 133,047,848; C 133,638,952; D 138,357,544; E
    143,667,240.

>>> from dlbook.models import create
>>> sum(p.numel() for p in create("vgg_a", num_classes=10, device="meta").parameters())
128807306
"""

from dataclasses import dataclass

from torch import Tensor, nn

from dlbook.checks import find_row, require_images, require_positive, require_probability, require_sides
from dlbook.nn.norm import LocalResponseNorm

WIDTHS = (64, 128, 256, 512, 512)  # channels of the five stages


@dataclass(frozen=True)
class Config:
    """Describe one column of Table 1.

    Args:
        kernels: the kernel sizes of each stage's convolutions.
        batch_norm: whether batch normalisation stands before each ReLU.
        lrn: whether local response normalisation follows the first ReLU.
    """

    kernels: tuple[tuple[int, ...], ...]
    batch_norm: bool = False
    lrn: bool = False


A = ((3,), (3,), (3, 3), (3, 3), (3, 3))
B = ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3))
# The 1x1 of column C adds a non-linearity, not a larger receptive field
C = ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1))
D = ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3))
E = ((3, 3), (3, 3), (3,) * 4, (3,) * 4, (3,) * 4)

# Simonyan & Zisserman 2014, Table 1; vgg11, 13, 16, 19 are the common names of A, B, D, E
VARIANTS = {
    "vgg_a": Config(A),
    "vgg_a_lrn": Config(A, lrn=True),
    "vgg_b": Config(B),
    "vgg_c": Config(C),
    "vgg_d": Config(D),
    "vgg_e": Config(E),
    "vgg11": Config(A),
    "vgg13": Config(B),
    "vgg16": Config(D),
    "vgg19": Config(E),
    "vgg11_bn": Config(A, True),
    "vgg13_bn": Config(B, True),
    "vgg16_bn": Config(D, True),
    "vgg19_bn": Config(E, True),
}


class VGG(nn.Module):
    """Five stages of convolutions and a classifier of three linear layers: images [B, C, H, W] -> logits [B,
    K].

    H and W are at least 32.

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
        self.in_channels = in_channels
        layers: list[nn.Module] = []
        channels = in_channels
        for width, kernels in zip(WIDTHS, config.kernels, strict=True):
            for kernel_size in kernels:
                layers.append(nn.Conv2d(channels, width, kernel_size, padding=kernel_size // 2))
                if config.batch_norm:
                    layers.append(nn.BatchNorm2d(width))
                layers.append(nn.ReLU(inplace=True))
                if config.lrn and channels == in_channels:
                    layers.append(LocalResponseNorm())
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(drop_prob),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(drop_prob),
            nn.Linear(4096, num_classes),
        )
        initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the five poolings: each ends a stage."""
        return tuple(layer for layer in self.features if isinstance(layer, nn.MaxPool2d))

    def represent(self, images: Tensor) -> Tensor:
        """Return the second hidden layer after its ReLU: images [B, C, H, W] -> [B, 4096]."""
        require_images(images, self.in_channels)
        require_sides(images, 32)
        x = self.avgpool(self.features(images))  # [B, 512, 7, 7]
        return self.classifier[:5](x.flatten(1))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier[5:](self.represent(images))  # dropout and the last layer


def initialise(model: VGG) -> None:
    """Draw convolutions from He et al.'s normal with fan_out, linear layers from N(0, 0.01); set biases to 0
    (departure 2).
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)


def vgg(name: str, num_classes: int = 1000, in_channels: int = 3, drop_prob: float = 0.5) -> VGG:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `VGG`."""
    return VGG(find_row(name, VARIANTS), num_classes, in_channels, drop_prob)
