"""Wide residual networks: Zagoruyko, Komodakis, "Wide Residual Networks" (arXiv 1605.07146).

The paper in ten lines: WRN-n-k has n = 6N + 4 convolutions and k times the channels of He et al.'s CIFAR net
    (Table 1)::

    x = conv3x3(image)                                   # 16 channels, whatever k is
    for width in (16 k, 32 k, 64 k):                     # each group but the first halves H and W
        for block in N blocks:
            a = relu(bn(x))
            F = conv3x3(dropout(relu(bn(conv3x3(a)))))   # section 2.4: dropout between the convolutions, not on the shortcut
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
3. ``wrn28_2`` is not in the paper; Oliver et al. (arXiv 1804.09170) made it the net of semi-supervised
   learning.
4. Weights start as normal deviates of variance 2 / fan_out, the linear bias of the CIFAR nets as 0, as in the
   authors' code.

Parameters: WRN-28-10 36,479,194; 16-8 10,961,370; 40-4 8,949,210; 28-2 1,467,610 (10 classes); with 1,000
classes 50-2 68,883,240 and 101-2 126,886,696.

>>> sum(p.numel() for p in wide_resnet("wrn28_2").parameters())
1467610
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_one_of, require_positive, require_probability
from dlbook.nn.state import load_state


def conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution [B, C_in, H, W] -> [B, C_out, ceil(H/stride), ceil(W/stride)]; no bias, because of BN."""
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)


class WideBlock(nn.Module):
    """The basic-wide, pre-activated block (figure 1c and d): [B, C, H, W] -> [B, width, H/stride, W/stride]."""

    def __init__(self, in_channels: int, width: int, stride: int, drop_prob: float) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(in_channels), conv(in_channels, width, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(width), conv(width, width, 3)
        self.dropout = nn.Dropout(drop_prob)
        self.shortcut = None if stride == 1 and in_channels == width else conv(in_channels, width, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.bn1(x), inplace=True)
        shortcut = (
            x if self.shortcut is None else self.shortcut(activated)
        )  # a projection starts from the activated input
        out = F.relu(self.bn2(self.conv1(activated)), inplace=True)
        out = self.conv2(self.dropout(out))
        out += shortcut
        return out


class WideBottleneck(nn.Module):
    """ResNet's bottleneck with `inner` channels: [B, C, H, W] -> [B, width, H/stride, W/stride]."""

    def __init__(self, in_channels: int, inner: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(in_channels, inner, 1), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = conv(inner, inner, 3, stride), nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = conv(inner, width, 1), nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or in_channels != width:
            self.downsample = nn.Sequential(conv(in_channels, width, 1, stride), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.conv3(out)  # a line of its own: the narrow map is freed before BN makes its output
        out = self.bn3(out)
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


@dataclass(frozen=True)
class Config:
    """One net. dataset: "cifar" or "imagenet".  depths: blocks in each group.  widen_factor: k.  num_classes:
    K.

    Raises ValueError for a value outside these.
    """

    dataset: str
    depths: tuple[int, ...]
    widen_factor: int
    num_classes: int

    def __post_init__(self) -> None:
        require_one_of("dataset", self.dataset, ("cifar", "imagenet"))
        for value in (*self.depths, self.widen_factor, self.num_classes):
            require_positive("each depth, widen_factor and num_classes", value)

    @property
    def resolution(self) -> int:
        """Height and width of the data set's images; the net takes others too."""
        return 32 if self.dataset == "cifar" else 224


def cifar(layers: int, widen_factor: int) -> Config:
    """WRN-n-k: three groups of N = (n - 4) / 6 blocks."""
    return Config("cifar", ((layers - 4) // 6,) * 3, widen_factor, 10)


# Zagoruyko & Komodakis 2016, Tables 4 and 5 (28-2: departure 3); Table 8 and torchvision for ImageNet
CIFAR = (
    (40, 1),
    (40, 2),
    (40, 4),
    (40, 8),
    (28, 2),
    (28, 10),
    (28, 12),
    (22, 8),
    (22, 10),
    (16, 8),
    (16, 10),
)
VARIANTS = {
    **{f"wrn{layers}_{factor}": cifar(layers, factor) for layers, factor in CIFAR},
    "wide_resnet50_2": Config("imagenet", (3, 4, 6, 3), 2, 1000),
    "wide_resnet101_2": Config("imagenet", (3, 4, 23, 3), 2, 1000),
}


class WideResNet(nn.Module):
    """WRN-n-k for small images: [B, C, H, W] -> logits [B, K].

    config: a CIFAR row.  num_classes: K.  in_channels: C.  drop_prob: of dropping a value between a block's
    convolutions. Raises ValueError in `forward` for input that is not float [B, in_channels, H, W].
    """

    def __init__(self, config: Config, num_classes: int, in_channels: int, drop_prob: float) -> None:
        super().__init__()
        self.config, self.in_channels = config, in_channels
        channels = 16
        self.conv1 = conv(in_channels, channels, 3)
        self.groups = nn.ModuleList()
        for index, depth in enumerate(config.depths):
            width, blocks = 16 * 2**index * config.widen_factor, []
            for position in range(depth):
                blocks.append(WideBlock(channels, width, 2 if index and not position else 1, drop_prob))
                channels = width
            self.groups.append(nn.Sequential(*blocks))
        self.bn = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, num_classes)
        initialise(self)
        nn.init.zeros_(self.fc.bias)

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """The output of the first convolution and of every group, [B, C_i, H_i, W_i]; the last after BN and
        ReLU.
        """
        require_images(images, self.in_channels)
        maps = [self.conv1(images)]
        for group in self.groups:
            maps.append(group(maps[-1]))
        maps[-1] = F.relu(self.bn(maps[-1]), inplace=True)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.feature_maps(images)[-1].mean(dim=(2, 3)))  # [B, C, H, W] -> [B, C] -> [B, K]


class WideBottleneckResNet(nn.Module):
    """WRN-50-2 and 101-2 for large images: [B, C, H, W] -> logits [B, K]. Arguments as of `WideResNet`,
    without dropout.

    Submodules are named as in torchvision.
    """

    def __init__(self, config: Config, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.config, self.in_channels = config, in_channels
        channels = 64
        self.conv1, self.bn1 = conv(in_channels, channels, 7, 2), nn.BatchNorm2d(channels)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        for index, depth in enumerate(config.depths):
            planes, blocks = 64 * 2**index, []
            for position in range(depth):
                stride = 2 if index and not position else 1
                blocks.append(
                    WideBottleneck(channels, planes * config.widen_factor, 4 * planes, stride)
                )  # only the inside is wider
                channels = 4 * planes
            self.add_module(f"layer{index + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, num_classes)
        initialise(self)

    def run_stem(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] -> [B, C_0, H/4, W/4]; ValueError for images that do not fit."""
        require_images(images, self.in_channels)
        return self.maxpool(F.relu(self.bn1(self.conv1(images)), inplace=True))

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """The output of the stem and of every stage: [B, C_i, H_i, W_i] each."""
        maps = [self.run_stem(images)]
        for index in range(len(self.config.depths)):
            maps.append(getattr(self, f"layer{index + 1}")(maps[-1]))
        return maps

    def forward(self, images: Tensor) -> Tensor:
        x = self.run_stem(images)
        for index in range(
            len(self.config.depths)
        ):  # without feature_maps, whose list would keep every map alive
            x = getattr(self, f"layer{index + 1}")(x)
        return self.fc(x.mean(dim=(2, 3)))  # [B, C, H, W] -> [B, C] -> [B, K]


def initialise(model: nn.Module) -> None:
    """Convolutions: normal, variance 2 / fan_out. BN: gamma 1, beta 0. Linear layers keep torch's default."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def load_torchvision_state(model: WideBottleneckResNet, state: Mapping[str, Tensor]) -> WideBottleneckResNet:
    """Copy a state dict of torchvision's wide_resnet50_2 or 101_2; all or nothing; ValueError names the first
    misfit.
    """
    return load_state(model, state)


def wide_resnet(
    name: str,
    num_classes: int | None = None,
    in_channels: int = 3,
    drop_prob: float = 0.0,
    device: str | None = None,
) -> WideResNet | WideBottleneckResNet:
    """Build a row of `VARIANTS` with fresh weights; device "meta" builds it without memory.

    num_classes: K, None for the row's own (10 for ``wrn...``, else 1,000).  drop_prob: for the ``wrn...``
    rows, in [0, 1). Raises ValueError for an unknown name, an argument out of range, or dropout on an
    ImageNet row.
    """
    config = find_row(name, VARIANTS)
    num_classes = config.num_classes if num_classes is None else num_classes
    require_positive("num_classes", num_classes)
    require_positive("in_channels", in_channels)
    require_probability("drop_prob", drop_prob)
    if config.dataset == "imagenet" and drop_prob:
        raise ValueError(
            f"{name} has no dropout, got drop_prob={drop_prob}; leave it 0 or take a row wrn..., which has"
        )
    with torch.device(device or torch.get_default_device()):
        if config.dataset == "imagenet":
            return WideBottleneckResNet(config, num_classes, in_channels)
        return WideResNet(config, num_classes, in_channels, drop_prob)
