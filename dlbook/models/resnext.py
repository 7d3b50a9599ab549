"""ResNeXt: Xie, Girshick, Dollar, Tu, He, "Aggregated Residual Transformations for Deep Neural Networks"
(arXiv:1611.05431).

The paper in ten lines: ResNeXt-n (C x d) is ResNet with C paths of d channels in each block (Table 1)::

    x = relu(bn(conv7x7/2(image)));  x = maxpool3x3/2(x)      # CIFAR: relu(bn(conv3x3(image)))
    for stage in stages:                                      # each but the first halves H, W and doubles C d
        for block in stage:
            T_i = conv1x1(relu(bn(conv3x3(relu(bn(conv1x1(x)))))))   # to d channels, d to d, to all channels
            F = bn(T_1 + ... + T_C)                              # equation (2)
            x = relu(F + (x, or bn(conv1x1(x)) where the shape changes))    # equation (3)
    logits = linear(mean over H, W of x)

Figure 3 shows three forms of F that are the same function: `SplitPaths` (a), `EarlyConcatenation` (b) and
`GroupedConvolution` (c). The net uses (c), which is the fastest; `to_grouped` and `from_grouped` convert
weights between the forms.

Departures from the paper

1. Weights start as normal deviates of variance 2 / fan_out, as in the authors' Torch code, from where the
   stride on the 3x3 convolution comes too; the linear layers keep torch's default. For a grouped convolution
   fan_out counts all output channels, as in torchvision.
2. ``resnext101_32x8d`` (Mahajan et al. 2018) and ``resnext29_32x4d_cifar`` (pytorchcv) are not in the paper.

Submodules are named as in torchvision. Parameters with 1,000 classes: 50 (32x4d) 25,028,904; 101 (32x4d)
44,177,704; 101 (32x8d) 88,791,336; 101 (64x4d) 83,455,272. CIFAR, 10 classes: 29 (8x64d) 34,426,698; 29
(16x64d) 68,155,210.

>>> sum(p.numel() for p in resnext("resnext29_32x4d_cifar").parameters())
4775754
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_one_of, require_positive
from dlbook.nn.residual_frame import ResidualFrame, conv, initialise, projection, stem_layers


class GroupedConvolution(nn.Module):
    """F in the form of figure 3(c): [B, C_in, H, W] -> [B, C_out, H/stride, W/stride].

    Args:
        cardinality: the paths.
        path_width: channels d of each.
    """

    def __init__(
        self, in_channels: int, out_channels: int, cardinality: int, path_width: int, stride: int = 1
    ) -> None:
        super().__init__()
        width = cardinality * path_width
        self.conv1 = conv(in_channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3, stride, groups=cardinality)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv(width, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.conv3(out)  # rebind: see dlbook.nn
        return self.bn3(out)


class EarlyConcatenation(nn.Module):
    """F in the form of figure 3(b): the paths meet before the last convolution. Arguments as of
    `GroupedConvolution`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, cardinality: int, path_width: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.paths = nn.ModuleList(
            nn.Sequential(
                conv(in_channels, path_width, 1),
                nn.BatchNorm2d(path_width),
                nn.ReLU(),
                conv(path_width, path_width, 3, stride),
                nn.BatchNorm2d(path_width),
                nn.ReLU(),
            )
            for _ in range(cardinality)
        )
        self.conv3 = conv(cardinality * path_width, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn3(self.conv3(torch.cat([path(x) for path in self.paths], dim=1)))


class SplitPaths(nn.Module):
    """F in the form of figure 3(a), equation (2): each path ends in its own convolution; their outputs are
    summed.
    """

    def __init__(
        self, in_channels: int, out_channels: int, cardinality: int, path_width: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.paths = nn.ModuleList(
            nn.Sequential(
                conv(in_channels, path_width, 1),
                nn.BatchNorm2d(path_width),
                nn.ReLU(),
                conv(path_width, path_width, 3, stride),
                nn.BatchNorm2d(path_width),
                nn.ReLU(),
                conv(path_width, out_channels, 1),
            )
            for _ in range(cardinality)
        )
        self.bn3 = nn.BatchNorm2d(out_channels)  # after the sum, as the paper says in section 4

    def forward(self, x: Tensor) -> Tensor:
        return self.bn3(torch.stack([path(x) for path in self.paths]).sum(dim=0))


def from_grouped(state: Mapping[str, Tensor], cardinality: int, form: type[nn.Module]) -> dict[str, Tensor]:
    """Return the state dict of a `GroupedConvolution` cut into that of `form`, EarlyConcatenation or
    SplitPaths.
    """
    cut = {}
    for name, tensor in state.items():
        layer, _, field = name.partition(".")
        place = {"conv1": "0", "bn1": "1", "conv2": "3", "bn2": "4", "conv3": "6"}.get(layer)
        if place is None or (layer == "conv3" and form is EarlyConcatenation):
            cut[name] = tensor
            continue
        axis = 1 if layer == "conv3" else 0  # the last convolution is cut along its input channels
        pieces = (
            [tensor] * cardinality if tensor.ndim == 0 else tensor.chunk(cardinality, dim=axis)
        )  # the counter of BN has no axis
        cut.update({f"paths.{index}.{place}.{field}": piece for index, piece in enumerate(pieces)})
    return cut


def to_grouped(state: Mapping[str, Tensor], cardinality: int) -> dict[str, Tensor]:
    """Return the state dict of an `EarlyConcatenation` or `SplitPaths` joined into that of a
    `GroupedConvolution`.
    """
    joined = {name: tensor for name, tensor in state.items() if not name.startswith("paths.")}
    for name in [name for name in state if name.startswith("paths.0.")]:
        place, _, field = name.removeprefix("paths.0.").partition(".")
        layer = {"0": "conv1", "1": "bn1", "3": "conv2", "4": "bn2", "6": "conv3"}[place]
        pieces = [state[f"paths.{index}.{place}.{field}"] for index in range(cardinality)]
        joined[f"{layer}.{field}"] = (
            pieces[0] if pieces[0].ndim == 0 else torch.cat(pieces, dim=1 if layer == "conv3" else 0)
        )
    return joined


class Block(GroupedConvolution):
    """relu(F(x) + shortcut), equation (3): [B, C, H, W] -> [B, out_channels, H/stride, W/stride]."""

    def __init__(
        self, in_channels: int, out_channels: int, cardinality: int, path_width: int, stride: int
    ) -> None:
        super().__init__(in_channels, out_channels, cardinality, path_width, stride)
        self.downsample = projection(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


@dataclass(frozen=True)
class Config:
    """Describe one net.

    Args:
        depths: blocks in each stage.
        cardinality: C.
        path_width: d in the first stage; it doubles with each stage.
        stem: "imagenet" (7x7/2 and max pooling) or "cifar" (3x3).
        stem_width: its channels; stage 1 has four times as many.
        num_classes: K.

    Raises:
        ValueError: for a value outside these.
    """

    depths: tuple[int, ...]
    cardinality: int
    path_width: int
    stem: str = "imagenet"
    stem_width: int = 64
    num_classes: int = 1000

    def __post_init__(self) -> None:
        require_one_of("stem", self.stem, ("imagenet", "cifar"))
        for depth in self.depths:
            require_positive("each depth", depth)
        require_positive("cardinality", self.cardinality)
        require_positive("path_width", self.path_width)
        require_positive("stem_width", self.stem_width)
        require_positive("num_classes", self.num_classes)


CIFAR = {"stem": "cifar", "num_classes": 10}

VARIANTS = {
    # Xie et al. 2016, Tables 3 and 4: C x d at equal cost, then at twice the cost of ResNet-101
    "resnext50_2x40d": Config((3, 4, 6, 3), 2, 40),
    "resnext50_4x24d": Config((3, 4, 6, 3), 4, 24),
    "resnext50_8x14d": Config((3, 4, 6, 3), 8, 14),
    "resnext50_32x4d": Config((3, 4, 6, 3), 32, 4),
    "resnext101_2x40d": Config((3, 4, 23, 3), 2, 40),
    "resnext101_4x24d": Config((3, 4, 23, 3), 4, 24),
    "resnext101_8x14d": Config((3, 4, 23, 3), 8, 14),
    "resnext101_32x4d": Config((3, 4, 23, 3), 32, 4),
    "resnext101_2x64d": Config((3, 4, 23, 3), 2, 64),
    "resnext101_64x4d": Config((3, 4, 23, 3), 64, 4),
    "resnext101_32x8d": Config((3, 4, 23, 3), 32, 8),
    # Table 7, and the small one
    "resnext29_8x64d_cifar": Config((3, 3, 3), 8, 64, **CIFAR),
    "resnext29_16x64d_cifar": Config((3, 3, 3), 16, 64, **CIFAR),
    "resnext29_32x4d_cifar": Config((3, 3, 3), 32, 4, **CIFAR),
}


class ResNeXt(ResidualFrame):
    """Stem, stages of blocks, global average pooling, one linear layer: images [B, C, H, W] -> logits [B, K].

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, None for the row's own.
        in_channels: C of the images.

    Raises:
        ValueError: for arguments out of range, and in `forward` for input that is not float [B, in_channels,
            H, W].
    """

    def __init__(self, config: Config, num_classes: int | None = None, in_channels: int = 3) -> None:
        super().__init__(in_channels)
        self.config = config
        self.add_stem(*stem_layers(config.stem, in_channels, config.stem_width), config.stem_width)
        for index, depth in enumerate(config.depths):
            out_channels = 4 * config.stem_width * 2**index
            make_block = partial(
                Block,
                out_channels=out_channels,
                cardinality=config.cardinality,
                path_width=config.path_width * 2**index,
            )
            self.add_stage(make_block, depth, out_channels)
        self.add_last_layer(config.num_classes if num_classes is None else num_classes)
        initialise(self)


def resnext(name: str, num_classes: int | None = None, in_channels: int = 3) -> ResNeXt:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        num_classes: K, None for the row's own (1,000 for ImageNet, 10 for CIFAR).
        in_channels: C of the images.

    Raises:
        ValueError: for an unknown name or an argument out of range.
    """
    return ResNeXt(find_row(name, VARIANTS), num_classes, in_channels)
