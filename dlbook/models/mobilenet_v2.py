"""MobileNetV2: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear
Bottlenecks" (arXiv:1801.04381).

The paper in ten lines::

    x = relu6(bn(conv3x3/2(image)))
    for block in Table 2:               # 17; t, c, n, s: expansion, channels, repeats, first stride
        F = relu6(bn(conv1x1(x)))       # expand the channels t times; not where t = 1
        F = relu6(bn(depthwise3x3(F)))  # filter there, with the block's stride
        F = bn(conv1x1(F))              # project to c channels: linear, as a ReLU would destroy information
        x = x + F where the stride is 1 and the channels are c already, else F
    x = relu6(bn(conv1x1(x)))           # 1,280 channels
    logits = linear(dropout(mean over H, W of x))
    width multiplier: every number of channels times it, rounded to a multiple of 8; the last 1,280 only if it
        is above 1

The residual is inverted: the shortcut joins the narrow ends, and the block is wide inside.

Departures from the paper

1. Rounding is that of the authors' code (`dlbook.nn.divisible`); the paper does not mention it.
2. The paper does not say how weights start. Convolutions are He et al.'s normal with fan_out (9 for a
   depthwise one, which torchvision counts as 9 C), the linear layer is N(0, 0.01). BN has torch's settings,
   not TensorFlow's epsilon of 0.001.
3. Dropout of 0.2 is from the authors' code, as in torchvision.
4. The paper's 96 x 96 to 224 x 224 pixels are the input's size and change nothing here.

Parameters with 1,000 classes: width 1 3,504,872; 0.75 2,636,424; 0.5 1,968,680; 0.35 1,677,128; 1.4
    6,108,776.

>>> sum(p.numel() for p in mobilenet_v2("mobilenet_v2_035").parameters())
1677128
"""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from dlbook.checks import find_row, require_above, require_images, require_positive, require_probability
from dlbook.nn.divisible import make_divisible

# Sandler et al. 2018, Table 2: t  c  n  s
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM_CHANNELS, HEAD_CHANNELS = 32, 1280


@dataclass(frozen=True)
class Config:
    """Describe one row of Figure 5.

    Args:
        width: above 0; multiplies every number of channels of Table 2.
        stages: the rows of Table 2.

    Raises:
        ValueError: the width is not above 0.
    """

    width: float = 1.0
    stages: tuple[tuple[int, int, int, int], ...] = STAGES

    def __post_init__(self) -> None:
        require_above("width", self.width, 0, "the paper has 0.35, 0.5, 0.75, 1 and 1.4")


VARIANTS = {  # Figure 5; 1.0 and 1.4 also Table 4
    "mobilenet_v2": Config(),
    "mobilenet_v2_035": Config(0.35),
    "mobilenet_v2_050": Config(0.5),
    "mobilenet_v2_075": Config(0.75),
    "mobilenet_v2_140": Config(1.4),
}


class ConvNorm(nn.Module):
    """Convolution, BN, then ReLU6 or nothing: [B, C, H, W] -> [B, C', H/stride, W/stride], rounded up."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(out_channels)
        self.activation = nn.Identity() if linear else nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.conv(x)))


class InvertedResidual(nn.Module):
    """Expand, filter, project (Table 1): [B, C, H, W] -> [B, C', H/stride, W/stride], rounded up."""

    def __init__(self, in_channels: int, out_channels: int, expand_ratio: int, stride: int) -> None:
        super().__init__()
        hidden = in_channels * expand_ratio
        self.expand = ConvNorm(in_channels, hidden, 1) if expand_ratio > 1 else nn.Identity()
        self.depthwise = ConvNorm(hidden, hidden, 3, stride, groups=hidden)
        self.project = ConvNorm(hidden, out_channels, 1, linear=True)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        branch = self.project(self.depthwise(self.expand(x)))
        return branch.add_(x) if self.has_shortcut else branch  # in place: nobody else reads the branch


class MobileNetV2(nn.Module):
    """Stem, 17 bottlenecks, head, mean, linear layer: images [B, C, H, W] -> logits [B, K].

    Any H and W will do.

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.
        drop_prob: probability of dropping a feature before the last layer, in [0, 1).

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "classifier"

    def __init__(
        self, config: Config, num_classes: int = 1000, in_channels: int = 3, drop_prob: float = 0.2
    ) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        require_probability("drop_prob", drop_prob)
        self.config, self.in_channels = config, in_channels
        channels = make_divisible(config.width * STEM_CHANNELS)
        self.stem = ConvNorm(in_channels, channels, 3, stride=2)
        self.blocks = nn.Sequential()
        for expand_ratio, width, depth, stride in config.stages:
            width = make_divisible(config.width * width)
            for index in range(depth):
                step = stride if index == 0 else 1
                self.blocks.append(InvertedResidual(channels, width, expand_ratio, step))
                channels = width
        self.num_features = make_divisible(max(1.0, config.width) * HEAD_CHANNELS)
        self.head = ConvNorm(channels, self.num_features, 1)
        self.dropout = nn.Dropout(drop_prob)
        self.classifier = nn.Linear(self.num_features, num_classes)
        initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return every bottleneck, then the head."""
        return (*self.blocks, self.head)

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of the head's maps over their pixels: images [B, C, H, W] -> [B, D]."""
        require_images(images, self.in_channels)
        x = images
        for layer in (self.stem, *self.stages):  # no nested calls: they would keep the stem's map to the end
            x = layer(x)
        return x.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.dropout(self.represent(images)))


def initialise(model: nn.Module) -> None:
    """Draw convolutions from a normal of variance 2 / fan_out, fan_out k^2 C_out / groups; the linear layer
    from N(0, 0.01), its bias 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


def mobilenet_v2(
    name: str = "mobilenet_v2", num_classes: int = 1000, in_channels: int = 3, drop_prob: float = 0.2
) -> MobileNetV2:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `MobileNetV2`."""
    return MobileNetV2(find_row(name, VARIANTS), num_classes, in_channels, drop_prob)
