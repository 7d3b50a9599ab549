"""Residual networks: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (arXiv:1512.03385).

The paper in ten lines::

    x = relu(bn(conv7x7/2(image)));  x = maxpool3x3/2(x)     # ImageNet stem;  CIFAR: relu(bn(conv3x3(image)))
    for stage in stages:                                     # each stage halves H, W and doubles the width
        for block in stage:
            basic:       F = bn(conv3x3(relu(bn(conv3x3(x)))))
            bottleneck:  F = bn(conv1x1(relu(bn(conv3x3(relu(bn(conv1x1(x))))))))
            shortcut:   s = x, or where the shape changes zero-padding (option A) or bn(conv1x1(x)) (option B)
            x = relu(F + s)                                     # equations (1) and (2)
    logits = linear(mean over H, W of x)

Departures from the paper

1. Weights start as normal deviates of variance 2 / fan_out, as in the authors' later Torch release and in
   torchvision. The paper cites He et al. (arXiv:1502.01852), which allows fan_in as well. The last linear
   layer keeps torch's default.
2. The rows named ``_v1_5`` put a bottleneck's stride on its 3x3 convolution (torchvision, NVIDIA). The paper,
   and the rows without a suffix, put it on the first 1x1. Basic blocks have no 1x1, so their two rows are the
   same network.
3. The paper's 18- and 34-layer ImageNet nets of Table 2 use option A: rows ``resnet18_a`` and ``resnet34_a``.
   The plain row names use option B, as the paper's Table 4 and every library do.
4. `zero_init_last_gamma` is Goyal et al.'s (arXiv:1706.02677, section 5.1), so it is a function and off by
   default.

Submodules are named as in torchvision (``layer1.0.downsample.0``), so that its state dicts fit: see
``dlbook/models/resnet_weights.py``. Stem, pooling and last layer stand in ``dlbook/nn/residual_frame.py``.

Parameters with 1,000 classes: ResNet-18 11,689,512; 34 21,797,672; 50 25,557,032; 101 44,549,160; 152
    60,192,808.
CIFAR, 10 classes, option A: 20 269,722; 32 464,154; 44 658,586; 56 853,018; 110 1,727,962; ResNet-20 with
    option B 272,474.

>>> sum(p.numel() for p in resnet("resnet20_cifar").parameters())
269722
"""

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_one_of, require_positive
from dlbook.nn.residual_frame import (
    ResidualFrame,
    conv,
    initialise,
    projection,
    require_stages,
    stem_layers,
)


class PadShortcut(nn.Module):
    """Option A: keep every `stride`-th pixel and append channels of zeros. No parameters (section 3.3 of the
    paper).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.extra_channels, self.stride = out_channels - in_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.extra_channels))  # W, H, then C: zeros after the last channel


def make_shortcut(in_channels: int, out_channels: int, stride: int, option: str) -> nn.Module | None:
    """Return None where x can be added as it is; else option "A" (padding) or "B" (1x1 convolution, BN)."""
    if option == "A" and (stride != 1 or in_channels != out_channels):
        return PadShortcut(in_channels, out_channels, stride)
    return projection(in_channels, out_channels, stride)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions (figure 5, left): [B, C, H, W] -> [B, width, H/stride, W/stride]."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, shortcut: str) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(in_channels, width, stride, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)  # equation (1)
        return F.relu(out, inplace=True)  # the ReLU comes after the sum


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 (figure 5, right): [B, C, H, W] -> [B, 4 width, H/stride, W/stride]."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int, shortcut: str) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, width, 1, stride)  # the paper's place for the stride
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = make_shortcut(in_channels, 4 * width, stride, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.conv3(out)  # rebind: see dlbook.nn
        out = self.bn3(out)
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


class BottleneckV15(Bottleneck):
    """The bottleneck of torchvision and NVIDIA (departure 2): its stride is on the 3x3 convolution."""

    def __init__(self, in_channels: int, width: int, stride: int, shortcut: str) -> None:
        super().__init__(in_channels, width, stride, shortcut)
        self.conv1.stride = (1, 1)
        self.conv2.stride = (stride, stride)


class PlainBlock(nn.Module):
    """The paper's control, a basic block without a shortcut: [B, C, H, W] -> [B, width, H/stride,
    W/stride].
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(out)), inplace=True)


@dataclass(frozen=True)
class Config:
    """Describe one row of the paper's tables.

    Args:
        block: BasicBlock, Bottleneck, BottleneckV15 or PlainBlock.
        depths: blocks in each stage.
        widths: channels of the 3x3 convolutions in each stage; the stem has widths[0].
        stem: "imagenet" (7x7/2 and max pooling) or "cifar" (3x3).
        shortcut: "A" or "B"; None for PlainBlock, which has none.
        num_classes: K.

    Raises:
        ValueError: for a value outside these.
    """

    block: type[nn.Module]
    depths: tuple[int, ...]
    widths: tuple[int, ...] = (64, 128, 256, 512)
    stem: str = "imagenet"
    shortcut: str | None = "B"
    num_classes: int = 1000

    def __post_init__(self) -> None:
        require_stages(self.depths, self.widths)
        require_positive("num_classes", self.num_classes)
        require_one_of("stem", self.stem, ("imagenet", "cifar"))
        plain = issubclass(self.block, PlainBlock)
        require_one_of("shortcut", self.shortcut, (None,) if plain else ("A", "B"))


CIFAR = {"widths": (16, 32, 64), "stem": "cifar", "num_classes": 10}

# He et al. 2015, Table 1: layers = 1 + 2 or 3 a block + 1.
VARIANTS = {
    "resnet18": Config(BasicBlock, (2, 2, 2, 2)),
    "resnet34": Config(BasicBlock, (3, 4, 6, 3)),
    "resnet50": Config(Bottleneck, (3, 4, 6, 3)),
    "resnet101": Config(Bottleneck, (3, 4, 23, 3)),
    "resnet152": Config(Bottleneck, (3, 8, 36, 3)),
    # torchvision's and NVIDIA's bottleneck; the two basic rows are resnet18 and resnet34 again
    "resnet18_v1_5": Config(BasicBlock, (2, 2, 2, 2)),
    "resnet34_v1_5": Config(BasicBlock, (3, 4, 6, 3)),
    "resnet50_v1_5": Config(BottleneckV15, (3, 4, 6, 3)),
    "resnet101_v1_5": Config(BottleneckV15, (3, 4, 23, 3)),
    "resnet152_v1_5": Config(BottleneckV15, (3, 8, 36, 3)),
    # Table 2: option A against the plain controls
    "resnet18_a": Config(BasicBlock, (2, 2, 2, 2), shortcut="A"),
    "resnet34_a": Config(BasicBlock, (3, 4, 6, 3), shortcut="A"),
    "plain18": Config(PlainBlock, (2, 2, 2, 2), shortcut=None),
    "plain34": Config(PlainBlock, (3, 4, 6, 3), shortcut=None),
    # Section 4.2, Table 6: 6n + 2 layers
    "resnet20_cifar": Config(BasicBlock, (3, 3, 3), shortcut="A", **CIFAR),
    "resnet32_cifar": Config(BasicBlock, (5, 5, 5), shortcut="A", **CIFAR),
    "resnet44_cifar": Config(BasicBlock, (7, 7, 7), shortcut="A", **CIFAR),
    "resnet56_cifar": Config(BasicBlock, (9, 9, 9), shortcut="A", **CIFAR),
    "resnet110_cifar": Config(BasicBlock, (18, 18, 18), shortcut="A", **CIFAR),
    "plain20_cifar": Config(PlainBlock, (3, 3, 3), shortcut=None, **CIFAR),
    "plain32_cifar": Config(PlainBlock, (5, 5, 5), shortcut=None, **CIFAR),
    "plain44_cifar": Config(PlainBlock, (7, 7, 7), shortcut=None, **CIFAR),
    "plain56_cifar": Config(PlainBlock, (9, 9, 9), shortcut=None, **CIFAR),
    # what many repositories train instead: option B on CIFAR
    "resnet20_cifar_b": Config(BasicBlock, (3, 3, 3), **CIFAR),
    "resnet32_cifar_b": Config(BasicBlock, (5, 5, 5), **CIFAR),
    "resnet44_cifar_b": Config(BasicBlock, (7, 7, 7), **CIFAR),
    "resnet56_cifar_b": Config(BasicBlock, (9, 9, 9), **CIFAR),
    "resnet110_cifar_b": Config(BasicBlock, (18, 18, 18), **CIFAR),
}


class ResNet(ResidualFrame):
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
        if not isinstance(config, Config):
            raise ValueError(
                f"expected config to be a Config such as VARIANTS['resnet50'], got {config!r}; for a "
                "name call resnet(name)"
            )
        super().__init__(in_channels)
        self.config = config
        self.add_stem(*stem_layers(config.stem, in_channels, config.widths[0]), config.widths[0])
        shortcut = {"shortcut": config.shortcut} if config.shortcut else {}
        for depth, width in zip(config.depths, config.widths, strict=True):
            make_block = partial(config.block, width=width, **shortcut)
            self.add_stage(make_block, depth, config.block.expansion * width)
        self.add_last_layer(config.num_classes if num_classes is None else num_classes)
        initialise(self)


def zero_init_last_gamma(model: nn.Module) -> nn.Module:
    """Set gamma of the last BN of each residual block to 0, in place, so that F = 0 and each block starts as
    relu(shortcut).

    Goyal et al. 2017, section 5.1.

    Returns:
        The model.

    Raises:
        ValueError: if it has no residual block.
    """
    blocks = [module for module in model.modules() if isinstance(module, (BasicBlock, Bottleneck))]
    if not blocks:
        raise ValueError(
            f"expected a model with a BasicBlock or Bottleneck, got {type(model).__name__} without; "
            "zero-init is for residual networks, a plain one would output 0"
        )
    for block in blocks:
        nn.init.zeros_((block.bn3 if isinstance(block, Bottleneck) else block.bn2).weight)
    return model


def resnet(name: str, num_classes: int | None = None, in_channels: int = 3) -> ResNet:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        num_classes: K, None for the paper's (1,000 for ImageNet rows, 10 for CIFAR rows).
        in_channels: C of the images.

    Raises:
        ValueError: for an unknown name or an argument out of range.
    """
    return ResNet(find_row(name, VARIANTS), num_classes, in_channels)
