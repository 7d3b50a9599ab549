"""Wide residual networks: Zagoruyko, Komodakis, "Wide Residual Networks" (arXiv:1605.07146).

The paper in ten lines: WRN-n-k has n = 6N + 4 convolutions and k times the channels of He et al.'s CIFAR net
(Table 1)::

    x = conv3x3(image)                                   # 16 channels, whatever k is
    for width in (16 k, 32 k, 64 k):                     # each group but the first halves H and W
        for block in N blocks:
            a = relu(bn(x))
            F = conv3x3(dropout(relu(bn(conv3x3(a)))))   # section 2.4: no dropout on the shortcut
            x = F + (x, or conv1x1(a) where the shape changes)
    logits = linear(mean over H, W of relu(bn(x)))
    ImageNet, WRN-50-2-bottleneck: ResNet's net with the inner channels of each bottleneck doubled; activation
    after the sum

Departures from the paper

1. `drop_prob` is 0 unless you ask: of the paper's results some have dropout (0.3 on CIFAR, 0.4 on SVHN) and
   some not.
2. The ImageNet rows are torchvision's: stride on the bottleneck's 3x3 convolution, as in the Torch code that
   the paper builds on. They have no dropout. The basic ImageNet nets of the paper (18 and 34 layers, widths 1
   to 3) are not here.
3. ``wrn28_2`` is not in the paper; Oliver et al. (arXiv:1804.09170) made it the net of semi-supervised
   learning.
4. Weights start as normal deviates of variance 2 / fan_out, the linear bias of the CIFAR nets as 0, as in the
   authors' code.

Parameters: WRN-28-10 36,479,194; 16-8 10,961,370; 40-4 8,949,210; 28-2 1,467,610 (10 classes); with 1,000
classes 50-2 68,883,240 and 101-2 126,886,696.

>>> sum(p.numel() for p in wide_resnet("wrn28_2").parameters())
1467610
"""

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_one_of, require_positive, require_probability
from dlbook.nn.residual_frame import ResidualFrame, conv, initialise, projection, stem_layers


class WideBlock(nn.Module):
    """The basic-wide, pre-activated block (figure 1c and d): [B, C, H, W] -> [B, width, H/stride,
    W/stride].
    """

    def __init__(self, in_channels: int, width: int, stride: int, drop_prob: float) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = conv(in_channels, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.dropout = nn.Dropout(drop_prob)
        self.shortcut = None if stride == 1 and in_channels == width else conv(in_channels, width, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.bn1(x), inplace=True)
        # a projection starts from the activated input
        shortcut = x if self.shortcut is None else self.shortcut(activated)
        out = F.relu(self.bn2(self.conv1(activated)), inplace=True)
        out = self.conv2(self.dropout(out))
        out += shortcut
        return out


class WideBottleneck(nn.Module):
    """ResNet's bottleneck with `inner` channels: [B, C, H, W] -> [B, width, H/stride, W/stride]."""

    def __init__(self, in_channels: int, inner: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, inner, 1)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = conv(inner, inner, 3, stride)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = conv(inner, width, 1)
        self.bn3 = nn.BatchNorm2d(width)
        self.downsample = projection(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.conv3(out)  # rebind: see dlbook.nn
        out = self.bn3(out)
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


@dataclass(frozen=True)
class Config:
    """Describe one net.

    Args:
        dataset: "cifar" or "imagenet".
        depths: blocks in each group.
        widen_factor: k.
        num_classes: K.

    Raises:
        ValueError: for a value outside these.
    """

    dataset: str
    depths: tuple[int, ...]
    widen_factor: int
    num_classes: int

    def __post_init__(self) -> None:
        require_one_of("dataset", self.dataset, ("cifar", "imagenet"))
        for depth in self.depths:
            require_positive("each depth", depth)
        require_positive("widen_factor", self.widen_factor)
        require_positive("num_classes", self.num_classes)

    @property
    def resolution(self) -> int:
        """Height and width of the data set's images; the net takes others too."""
        return 32 if self.dataset == "cifar" else 224


# Zagoruyko & Komodakis 2016, Tables 4 and 5 (28-2: departure 3): three groups of N = (n - 4) / 6 blocks
VARIANTS = {
    "wrn40_1": Config("cifar", (6, 6, 6), 1, 10),
    "wrn40_2": Config("cifar", (6, 6, 6), 2, 10),
    "wrn40_4": Config("cifar", (6, 6, 6), 4, 10),
    "wrn40_8": Config("cifar", (6, 6, 6), 8, 10),
    "wrn28_2": Config("cifar", (4, 4, 4), 2, 10),
    "wrn28_10": Config("cifar", (4, 4, 4), 10, 10),
    "wrn28_12": Config("cifar", (4, 4, 4), 12, 10),
    "wrn22_8": Config("cifar", (3, 3, 3), 8, 10),
    "wrn22_10": Config("cifar", (3, 3, 3), 10, 10),
    "wrn16_8": Config("cifar", (2, 2, 2), 8, 10),
    "wrn16_10": Config("cifar", (2, 2, 2), 10, 10),
    # Table 8 and torchvision
    "wide_resnet50_2": Config("imagenet", (3, 4, 6, 3), 2, 1000),
    "wide_resnet101_2": Config("imagenet", (3, 4, 23, 3), 2, 1000),
}


class WideResNet(ResidualFrame):
    """WRN-n-k for small images: [B, C, H, W] -> logits [B, K].

    Args:
        config: a CIFAR row.
        num_classes: K.
        in_channels: C.
        drop_prob: of dropping a value between a block's convolutions.

    Raises:
        ValueError: in `forward` for input that is not float [B, in_channels, H, W].
    """

    def __init__(self, config: Config, num_classes: int, in_channels: int, drop_prob: float) -> None:
        super().__init__(in_channels)
        self.config = config
        self.num_features = 16
        self.conv1 = conv(in_channels, self.num_features, 3)
        for index, depth in enumerate(config.depths):
            width = 16 * 2**index * config.widen_factor
            self.add_stage(partial(WideBlock, width=width, drop_prob=drop_prob), depth, width)
        self.bn = nn.BatchNorm2d(self.num_features)
        self.add_last_layer(num_classes)
        initialise(self)
        nn.init.zeros_(self.fc.bias)

    def run_stem(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] -> [B, 16, H, W], not normalised: each block does that itself."""
        require_images(images, self.in_channels)
        return self.conv1(images)

    def finish(self, x: Tensor) -> Tensor:
        """The last BN and ReLU, which no block follows that would begin with them."""
        return F.relu(self.bn(x), inplace=True)


class WideBottleneckResNet(ResidualFrame):
    """WRN-50-2 and 101-2 for large images: [B, C, H, W] -> logits [B, K]. Arguments as of `WideResNet`,
    without dropout.

    Submodules are named as in torchvision.
    """

    def __init__(self, config: Config, num_classes: int, in_channels: int) -> None:
        super().__init__(in_channels)
        self.config = config
        self.add_stem(*stem_layers("imagenet", in_channels, 64), 64)
        for index, depth in enumerate(config.depths):
            planes = 64 * 2**index
            # only the inside is wider than in ResNet
            make_block = partial(WideBottleneck, inner=planes * config.widen_factor, width=4 * planes)
            self.add_stage(make_block, depth, 4 * planes)
        self.add_last_layer(num_classes)
        initialise(self)


def wide_resnet(
    name: str,
    num_classes: int | None = None,
    in_channels: int = 3,
    drop_prob: float = 0.0,
) -> WideResNet | WideBottleneckResNet:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        num_classes: K, None for the row's own (10 for ``wrn...``, else 1,000).
        drop_prob: for the ``wrn...`` rows, in [0, 1).

    Raises:
        ValueError: for an unknown name, an argument out of range, or dropout on an ImageNet row.
    """
    config = find_row(name, VARIANTS)
    num_classes = config.num_classes if num_classes is None else num_classes
    require_probability("drop_prob", drop_prob)
    if config.dataset == "imagenet" and drop_prob:
        raise ValueError(
            f"expected drop_prob=0 for {name}, which has no dropout, got {drop_prob}; "
            "leave it 0, or take a row wrn..."
        )
    if config.dataset == "imagenet":
        return WideBottleneckResNet(config, num_classes, in_channels)
    return WideResNet(config, num_classes, in_channels, drop_prob)
