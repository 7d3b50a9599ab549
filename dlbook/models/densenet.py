"""DenseNet: Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks"
(arXiv:1608.06993).

The paper in ten lines; k is the growth rate::

    x = maxpool3x3/2(relu(bn(conv7x7/2(image))))   # ImageNet, 2k maps; CIFAR: conv3x3, 16 maps or with BC 2k
    for block in dense blocks:
        for layer in block:                        # equation (2): every layer sees all maps before it
            basic:           new = conv3x3(relu(bn(x)))                     # k maps
            bottleneck (B):  new = conv3x3(relu(bn(conv1x1(relu(bn(x))))))  # 4k maps, then k
            x = concatenate(x, new) over the channels
        if another block follows:
            x = avgpool2x2(conv1x1(relu(bn(x))))   # compression (C): half as many maps; without C as many
    logits = linear(mean over H, W of relu(bn(x)))

Departures from the paper

1. Weights start as He et al.'s normal with fan_in (arXiv:1502.01852), as in torchvision; the authors' Torch
   code, itself after ResNet's, uses fan_out. The paper cites He et al. without saying which. The linear layer
   has torch's default and bias 0.
2. In ImageNet's stem, BN and ReLU follow the convolution, as in the authors' code; Table 1 leaves that open.
3. ``densenet161`` (k = 48) is in the paper's first versions and in torchvision; the published Table 1 has
   ``densenet264``.
4. The layers of a block are computed plainly. The authors' report on memory (arXiv:1707.06990) computes the
   concatenations and BN again in the backward pass; that form is left out.

Dropout (0.2 on CIFAR and SVHN without augmentation) follows every convolution but the first, as the paper
says; torchvision's `drop_rate` follows the 3x3 convolutions only. It is 0 unless you ask for it.

Parameters with 1,000 classes: 121 7,978,856; 169 14,149,480; 201 20,013,928; 264 33,337,704; 161 28,681,000.
CIFAR, 10 classes: L = 40, k = 12 1,019,722; L = 100, k = 12 6,979,642; L = 100, k = 24 27,249,082;
BC L = 100, k = 12 769,162; BC L = 250, k = 24 15,324,406; BC L = 190, k = 40 25,624,430.

>>> sum(p.numel() for p in densenet("densenet100_bc_cifar").parameters())
769162
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import (
    find_row,
    require_images,
    require_in,
    require_one_of,
    require_positive,
    require_probability,
    require_sides,
)


@dataclass(frozen=True)
class Config:
    """Describe one row of Table 1 or 2.

    Args:
        depths: layers in each dense block.
        growth_rate: k.
        stem_channels: maps before the first block.
        bottleneck: B, whether each layer has a 1x1 convolution to 4k maps.
        compression: theta, the share of the maps that a transition keeps, in (0, 1].
        stem: "imagenet" (7x7/2 and max pooling) or "cifar" (3x3).
        num_classes: K where nothing else is asked for.

    Raises:
        ValueError: a value is out of range.
    """

    depths: tuple[int, ...]
    growth_rate: int
    stem_channels: int
    bottleneck: bool = True
    compression: float = 0.5
    stem: str = "imagenet"
    num_classes: int = 1000

    def __post_init__(self) -> None:
        for depth in self.depths or (0,):
            require_positive("depths", depth)
        require_positive("growth_rate", self.growth_rate)
        require_positive("stem_channels", self.stem_channels)
        require_positive("num_classes", self.num_classes)
        require_one_of("stem", self.stem, ("imagenet", "cifar"))
        require_in("compression", self.compression, 0, 1, "(]", "1 keeps all maps")


def cifar(layers: int, growth_rate: int, compressed: bool = False) -> Config:
    """Return a row of section 4.2: three equal blocks; L - 4 layers of one convolution, or with BC half as
    many of two.
    """
    depth = (layers - 4) // (6 if compressed else 3)
    stem_channels = 2 * growth_rate if compressed else 16
    return Config(
        (depth,) * 3, growth_rate, stem_channels, compressed, 0.5 if compressed else 1.0, "cifar", 10
    )


# Huang et al. 2017, Table 1 (B and C, theta = 0.5) and Table 2
VARIANTS = {
    "densenet121": Config((6, 12, 24, 16), 32, 64),
    "densenet169": Config((6, 12, 32, 32), 32, 64),
    "densenet201": Config((6, 12, 48, 32), 32, 64),
    "densenet264": Config((6, 12, 64, 48), 32, 64),
    "densenet161": Config((6, 12, 36, 24), 48, 96),
    "densenet40_cifar": cifar(40, 12),
    "densenet100_cifar": cifar(100, 12),
    "densenet100_k24_cifar": cifar(100, 24),
    "densenet100_bc_cifar": cifar(100, 12, compressed=True),
    "densenet250_bc_k24_cifar": cifar(250, 24, compressed=True),
    "densenet190_bc_k40_cifar": cifar(190, 40, compressed=True),
}


def conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution that at stride 1 keeps H and W; no bias, because a BN that follows has one."""
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)


class DenseLayer(nn.Module):
    """BN, ReLU, convolution, once or twice: all maps so far [B, C, H, W] -> new maps [B, k, H, W]."""

    def __init__(self, in_channels: int, growth_rate: int, bottleneck: bool, drop_prob: float) -> None:
        super().__init__()
        inner = 4 * growth_rate if bottleneck else growth_rate
        self.bottleneck = bottleneck
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = conv(in_channels, inner, 1 if bottleneck else 3)
        self.dropout = nn.Dropout(drop_prob)
        if bottleneck:
            self.norm2 = nn.BatchNorm2d(inner)
            self.conv2 = conv(inner, growth_rate, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(self.conv1(F.relu(self.norm1(x), inplace=True)))
        if self.bottleneck:
            x = self.dropout(self.conv2(F.relu(self.norm2(x), inplace=True)))
        return x


class DenseBlock(nn.ModuleDict):
    """Layers that each append k maps to what they have seen: [B, C, H, W] -> [B, C + depth k, H, W]."""

    def __init__(
        self, depth: int, in_channels: int, growth_rate: int, bottleneck: bool, drop_prob: float
    ) -> None:
        super().__init__()
        for index in range(depth):
            self[f"denselayer{index + 1}"] = DenseLayer(
                in_channels + index * growth_rate, growth_rate, bottleneck, drop_prob
            )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.values():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class Transition(nn.Module):
    """Between two blocks, fewer maps of half the size: [B, C, H, W] -> [B, C', floor(H/2), floor(W/2)]."""

    def __init__(self, in_channels: int, out_channels: int, drop_prob: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = conv(in_channels, out_channels, 1)
        self.dropout = nn.Dropout(drop_prob)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.dropout(self.conv(F.relu(self.norm(x), inplace=True))))


class DenseNet(nn.Module):
    """Stem, dense blocks with transitions between them, BN, ReLU, mean, linear layer: images [B, C, H, W] ->
    logits [B, K].

    H and W are at least 29 with ImageNet's stem, 4 with CIFAR's.

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, at least 1; None for the row's own.
        in_channels: C of the images, at least 1.
        drop_prob: probability of dropping an output of every convolution but the first, in [0, 1).

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "classifier"

    def __init__(
        self, config: Config, num_classes: int | None = None, in_channels: int = 3, drop_prob: float = 0.0
    ) -> None:
        super().__init__()
        num_classes = config.num_classes if num_classes is None else num_classes
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        require_probability("drop_prob", drop_prob)
        self.config, self.in_channels, channels = config, in_channels, config.stem_channels
        if config.stem == "imagenet":
            stem = {
                "conv0": conv(in_channels, channels, 7, 2),
                "norm0": nn.BatchNorm2d(channels),
                "relu0": nn.ReLU(inplace=True),
            }
            stem["pool0"] = nn.MaxPool2d(3, 2, padding=1)
        else:
            stem = {"conv0": conv(in_channels, channels, 3)}  # the first layer begins with BN and ReLU
        self.features = nn.Sequential(OrderedDict(stem))
        for index, depth in enumerate(config.depths, start=1):
            self.features.add_module(
                f"denseblock{index}",
                DenseBlock(depth, channels, config.growth_rate, config.bottleneck, drop_prob),
            )
            channels += depth * config.growth_rate
            if index < len(config.depths):
                kept = int(channels * config.compression)
                self.features.add_module(f"transition{index}", Transition(channels, kept, drop_prob))
                channels = kept
        self.features.add_module(f"norm{len(config.depths) + 1}", nn.BatchNorm2d(channels))
        self.num_features = channels
        self.classifier = nn.Linear(channels, num_classes)
        initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return every dense block and every transition, in order."""
        return tuple(layer for layer in self.features if isinstance(layer, (DenseBlock, Transition)))

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of all maps after the last BN and ReLU: images [B, C, H, W] -> [B, D]."""
        require_images(images, self.in_channels)
        require_sides(images, 29 if self.config.stem == "imagenet" else 4)
        return F.relu(self.features(images), inplace=True).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.represent(images))


def initialise(model: nn.Module) -> None:
    """Draw convolutions from a normal of variance 2 / fan_in (departure 1); set the linear layer's bias to 0.
    BN starts with gamma 1, beta 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


def densenet(
    name: str, num_classes: int | None = None, in_channels: int = 3, drop_prob: float = 0.0
) -> DenseNet:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `DenseNet`."""
    return DenseNet(find_row(name, VARIANTS), num_classes, in_channels, drop_prob)
