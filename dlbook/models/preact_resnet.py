"""Pre-activation residual networks: He, Zhang, Ren, Sun, "Identity Mappings in Deep Residual Networks"
(arXiv:1603.05027).

The paper in ten lines::

    x = relu(bn(conv(image)))                        # activated once, before the first unit splits (appendix)
    for stage in stages:                             # each but the first halves H, W and doubles the width
        for unit in stage:
            a = relu(bn(x))          # the "full pre-activation" of figure 4(e); the first unit has it already
            basic:       F = conv3x3(relu(bn(conv3x3(a))))
            bottleneck:  F = conv1x1(relu(bn(conv3x3(relu(bn(conv1x1(a)))))))
            shortcut:    h = x, or conv1x1(a) where the shape changes: from the activated input
            x = h + F                                # equation (3) with f = identity: nothing follows the sum
    logits = linear(mean over H, W of relu(bn(x)))       # one more activation after the last unit

Because nothing stands on the path of the identity shortcuts, x_L = x_l + the sum of all F between them:
equation (4).

Departures from the paper

1. The paper does not say where the first activation of the ImageNet nets stands; rows ``preact_resnet50`` ...
   ``200`` have it before the max pooling, as ResNet has. The rows ``resnetv2_18`` ... ``152`` are timm's:
   pool first, then let the first unit normalise; a bottleneck's stride on its 3x3 convolution, not the first
   1x1; and basic units whose first identity shortcut starts from the raw input. The paper has neither 18, 34
   nor 50 layers.
2. Basic rows (20, 56, 110 layers) change shape by projection, as the authors' bottlenecks and pytorchcv's
   nets do. The paper's ResNet-110 follows He et al. 2015, whose CIFAR nets pad with zeros; the projections
   add 2,560 parameters.
3. Weights start as normal deviates of variance 2 / fan_out, the linear bias as 0, as in the authors' Torch
   code.

Parameters: 164 layers (CIFAR, 10 classes) 1,703,258; 1001 layers 10,327,706; 110 basic 1,730,522; ImageNet 50
25,549,352; 101 44,541,480; 152 60,185,128; 200 64,666,152.

>>> sum(p.numel() for p in preact_resnet("preact_resnet1001_cifar").parameters())
10327706
"""

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_one_of, require_positive
from dlbook.nn.residual_frame import ResidualFrame, conv, initialise, require_stages, stem_layers


def activate(norm: nn.Module, x: Tensor) -> Tensor:
    """Return relu(bn(x)) in a new tensor: x itself stays as it is, for the shortcut needs it."""
    return F.relu(norm(x), inplace=True)


def make_projection(in_channels: int, out_channels: int, stride: int) -> nn.Conv2d | None:
    """Return None where x can be added as it is, else a 1x1 convolution; it has no BN, for its input is
    normalised already.
    """
    return None if stride == 1 and in_channels == out_channels else conv(in_channels, out_channels, 1, stride)


class BasicUnit(nn.Module):
    """Two 3x3 convolutions, each after BN and ReLU: [B, C, H, W] -> [B, width, H/stride, W/stride].

    The network sets `norm1` to None where the input has been through BN and ReLU already.
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.downsample = make_projection(in_channels, width, stride)
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = conv(in_channels, width, 3, stride)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        activated = x if self.norm1 is None else activate(self.norm1, x)
        shortcut = x if self.downsample is None else self.downsample(activated)
        out = self.conv1(activated)
        out = self.conv2(activate(self.norm2, out))
        out += shortcut  # no ReLU follows
        return out


class BottleneckUnit(nn.Module):
    """1x1, 3x3, 1x1, each after BN and ReLU: [B, C, H, W] -> [B, 4 width, H/stride, W/stride].

    `norm1` as in `BasicUnit`.
    """

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.downsample = make_projection(in_channels, 4 * width, stride)
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = conv(in_channels, width, 1, stride)  # the paper's place for the stride
        self.norm2 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.norm3 = nn.BatchNorm2d(width)
        self.conv3 = conv(width, 4 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        activated = x if self.norm1 is None else activate(self.norm1, x)
        shortcut = x if self.downsample is None else self.downsample(activated)
        out = self.conv1(activated)
        out = self.conv2(activate(self.norm2, out))
        out = self.conv3(activate(self.norm3, out))
        out += shortcut  # no ReLU follows
        return out


class TimmBottleneckUnit(BottleneckUnit):
    """timm's bottleneck (departure 1): its stride is on the 3x3 convolution."""

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__(in_channels, width, stride)
        self.conv1.stride = (1, 1)
        self.conv2.stride = (stride, stride)


@dataclass(frozen=True)
class Config:
    """Describe one net.

    Args:
        unit: BasicUnit, BottleneckUnit or TimmBottleneckUnit.
        depths: units in each stage.
        widths: channels of the 3x3 convolutions.
        stem: "cifar" (3x3, activated), "imagenet" (7x7/2, activated, pooled) or "timm" (7x7/2, pooled; the
            first unit activates).
        stem_width: its channels.
        num_classes: K.

    Raises:
        ValueError: for a value outside these.
    """

    unit: type[nn.Module]
    depths: tuple[int, ...]
    widths: tuple[int, ...] = (64, 128, 256, 512)
    stem: str = "imagenet"
    stem_width: int = 64
    num_classes: int = 1000

    def __post_init__(self) -> None:
        require_stages(self.depths, self.widths)
        require_positive("stem_width", self.stem_width)
        require_positive("num_classes", self.num_classes)
        require_one_of("stem", self.stem, ("cifar", "imagenet", "timm"))


CIFAR = {"widths": (16, 32, 64), "stem": "cifar", "stem_width": 16, "num_classes": 10}

VARIANTS = {
    # He et al. 2016, Tables 2 to 4, CIFAR: 6n + 2 layers of basic units, 9n + 2 of bottlenecks
    "preact_resnet20_cifar": Config(BasicUnit, (3, 3, 3), **CIFAR),
    "preact_resnet56_cifar": Config(BasicUnit, (9, 9, 9), **CIFAR),
    "preact_resnet110_cifar": Config(BasicUnit, (18, 18, 18), **CIFAR),
    "preact_resnet164_cifar": Config(BottleneckUnit, (18, 18, 18), **CIFAR),
    "preact_resnet1001_cifar": Config(BottleneckUnit, (111, 111, 111), **CIFAR),
    # Table 5, ImageNet: 152 and 200; 50 and 101 as in He et al. 2015
    "preact_resnet50": Config(BottleneckUnit, (3, 4, 6, 3)),
    "preact_resnet101": Config(BottleneckUnit, (3, 4, 23, 3)),
    "preact_resnet152": Config(BottleneckUnit, (3, 8, 36, 3)),
    "preact_resnet200": Config(BottleneckUnit, (3, 24, 36, 3)),
    # timm's, departure 1
    "resnetv2_18": Config(BasicUnit, (2, 2, 2, 2), stem="timm"),
    "resnetv2_34": Config(BasicUnit, (3, 4, 6, 3), stem="timm"),
    "resnetv2_50": Config(TimmBottleneckUnit, (3, 4, 6, 3), stem="timm"),
    "resnetv2_101": Config(TimmBottleneckUnit, (3, 4, 23, 3), stem="timm"),
    "resnetv2_152": Config(TimmBottleneckUnit, (3, 8, 36, 3), stem="timm"),
}


class PreActResNet(ResidualFrame):
    """Stem, stages of units, a last BN and ReLU, global average pooling, one linear layer: [B, C, H, W] ->
    logits [B, K].

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
        size = "cifar" if config.stem == "cifar" else "imagenet"
        self.add_stem(*stem_layers(size, in_channels, config.stem_width), config.stem_width)
        for depth, width in zip(config.depths, config.widths, strict=True):
            self.add_stage(partial(config.unit, width=width), depth, config.unit.expansion * width)
        if config.stem == "timm":
            self.bn1 = None
        else:
            self.layer1[0].norm1 = None  # the stem has activated already
        self.norm = nn.BatchNorm2d(self.num_features)
        self.add_last_layer(config.num_classes if num_classes is None else num_classes)
        initialise(self)
        nn.init.zeros_(self.fc.bias)

    def run_stem(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] -> what the first stage reads, [B, C_0, H_0, W_0]; timm's is not activated."""
        if self.bn1 is not None:
            return super().run_stem(images)
        require_images(images, self.in_channels)
        return self.maxpool(self.conv1(images))

    def finish(self, x: Tensor) -> Tensor:
        """The last BN and ReLU, which no unit follows that would begin with them."""
        return activate(self.norm, x)


def preact_resnet(name: str, num_classes: int | None = None, in_channels: int = 3) -> PreActResNet:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        num_classes: K, None for the row's own (1,000 for ImageNet, 10 for CIFAR).
        in_channels: C of the images.

    Raises:
        ValueError: for an unknown name or an argument out of range.
    """
    return PreActResNet(find_row(name, VARIANTS), num_classes, in_channels)
