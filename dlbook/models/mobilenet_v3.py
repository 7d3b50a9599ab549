"""MobileNetV3: Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam, "Searching for
MobileNetV3" (arXiv:1905.02244).

The paper in ten lines::

    h_sigmoid(v) = relu6(v + 3) / 6;  h_swish(v) = v h_sigmoid(v)           # section 5.2
    x = h_swish(bn(conv3x3/2(image)))                                       # 16 channels
    for block in Table 1 or 2:                                              # found by a search
        F = act(bn(conv1x1(x)))                                             # expand where the table widens
        F = act(bn(depthwise(F)))                                           # 3x3 or 5x5, strided
        F = squeeze_excite(F) where the table says so                       # to a quarter; h_sigmoid
        x = x + bn(conv1x1(F)) where the shape is kept, else bn(conv1x1(F)) # linear
    x = mean over H, W of h_swish(bn(conv1x1(x)))                           # pooled at once (figure 5)
    logits = linear(dropout(h_swish(linear(x))))

Departures from the paper

1. What the paper leaves open is as in the authors' TensorFlow code and torchvision: BN with epsilon 0.001 and
   momentum 0.01 (torch's; TensorFlow's 0.99), the squeezed width rounded to a multiple of 8
   (`dlbook.nn.divisible`), biases in squeeze-excite, dropout of 0.2.
2. The rows of width 0.75 are as in the authors' code, too: a block expands by the table's *ratio*, from
   channels that are rounded already, and 1,280 or 1,024 features stay before the last layer. That gives the
   4.0 M and 2.0 M parameters of Tables 3 and 4. torchvision's `width_mult` scales and rounds the table's
   numbers themselves, and narrows the last features.
3. The last two layers act on one pixel and are linear layers here; the tables call them 1x1 convolutions
   without BN.
4. The paper does not say how weights start. Convolutions are He et al.'s normal with fan_out (k^2 for a
   depthwise one, which torchvision counts as k^2 C), linear layers N(0, 0.01).
5. torchvision's options for segmentation, a dilated and a halved last stage, are left out.

timm's ``mobilenetv3_*`` have the same weights, but BN's epsilon is 1e-5 there.

Parameters with 1,000 classes: large 5,483,032, at width 0.75 3,993,528; small 2,542,856, at width 0.75
    2,041,872.

>>> sum(p.numel() for p in mobilenet_v3("mobilenet_v3_small").parameters())
2542856
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from dlbook.checks import find_row, require_above, require_images, require_positive, require_probability
from dlbook.nn.channel_attention import SqueezeExcitation
from dlbook.nn.divisible import make_divisible


class Row(NamedTuple):
    """Describe one bottleneck of Table 1 or 2; `expanded` and `out` are channels, RE is ReLU, HS h-swish."""

    kernel_size: int
    expanded: int
    out: int
    squeeze_excite: bool
    activation: type[nn.Module]
    stride: int


RE, HS = nn.ReLU, nn.Hardswish
STEM_CHANNELS = 16

# Howard et al. 2019, Table 1: operator, exp size, #out, SE, NL, s
LARGE = (
    Row(3, 16, 16, False, RE, 1),
    Row(3, 64, 24, False, RE, 2),
    Row(3, 72, 24, False, RE, 1),
    Row(5, 72, 40, True, RE, 2),
    Row(5, 120, 40, True, RE, 1),
    Row(5, 120, 40, True, RE, 1),
    Row(3, 240, 80, False, HS, 2),
    Row(3, 200, 80, False, HS, 1),
    Row(3, 184, 80, False, HS, 1),
    Row(3, 184, 80, False, HS, 1),
    Row(3, 480, 112, True, HS, 1),
    Row(3, 672, 112, True, HS, 1),
    Row(5, 672, 160, True, HS, 2),
    Row(5, 960, 160, True, HS, 1),
    Row(5, 960, 160, True, HS, 1),
)
# Table 2
SMALL = (
    Row(3, 16, 16, True, RE, 2),
    Row(3, 72, 24, False, RE, 2),
    Row(3, 88, 24, False, RE, 1),
    Row(5, 96, 40, True, HS, 2),
    Row(5, 240, 40, True, HS, 1),
    Row(5, 240, 40, True, HS, 1),
    Row(5, 120, 48, True, HS, 1),
    Row(5, 144, 48, True, HS, 1),
    Row(5, 288, 96, True, HS, 2),
    Row(5, 576, 96, True, HS, 1),
    Row(5, 576, 96, True, HS, 1),
)


@dataclass(frozen=True)
class Config:
    """Describe one row of Tables 3 and 4.

    Args:
        blocks: Table 1 or 2.
        features: width before the last layer, at least 1.
        width: above 0; multiplies all other channels.

    Raises:
        ValueError: a value is out of range.
    """

    blocks: tuple[Row, ...]
    features: int
    width: float = 1.0

    def __post_init__(self) -> None:
        require_positive("features", self.features)
        require_above("width", self.width, 0, "the paper has 0.75 and 1 in its tables")


VARIANTS = {
    "mobilenet_v3_large": Config(LARGE, 1280),
    "mobilenet_v3_small": Config(SMALL, 1024),
    "mobilenet_v3_large_075": Config(LARGE, 1280, 0.75),  # Table 3
    "mobilenet_v3_small_075": Config(SMALL, 1024, 0.75),
}


class ConvNorm(nn.Module):
    """Convolution, BN, activation or none: [B, C_in, H, W] -> [B, C_out, ceil(H/stride), ceil(W/stride)]."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        groups: int = 1,
        activation: type[nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(out_channels, eps=0.001, momentum=0.01)
        self.activation = nn.Identity() if activation is None else activation(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.conv(x)))


class InvertedResidual(nn.Module):
    """Expand, filter, weigh, project (figure 4): [B, C, H, W] -> [B, out, ceil(H/stride), ceil(W/stride)]."""

    def __init__(self, in_channels: int, hidden: int, out_channels: int, row: Row) -> None:
        super().__init__()
        act = row.activation
        self.expand = (
            ConvNorm(in_channels, hidden, 1, activation=act) if hidden != in_channels else nn.Identity()
        )
        self.depthwise = ConvNorm(hidden, hidden, row.kernel_size, row.stride, groups=hidden, activation=act)
        squeezed = make_divisible(hidden // 4)
        self.squeeze_excite = (
            SqueezeExcitation(hidden, squeezed, gate=nn.Hardsigmoid) if row.squeeze_excite else nn.Identity()
        )
        self.project = ConvNorm(hidden, out_channels, 1)
        self.has_shortcut = row.stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        branch = self.depthwise(self.expand(x))
        branch = self.project(self.squeeze_excite(branch))
        return branch.add_(x) if self.has_shortcut else branch  # in place: nobody else reads the branch


class MobileNetV3(nn.Module):
    """Stem, bottlenecks, head, mean, two linear layers: images [B, C, H, W] -> logits [B, K].

    Any H and W will do.

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.
        drop_prob: probability of dropping a feature before the last layer, in [0, 1).

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "classifier.3"

    def __init__(
        self, config: Config, num_classes: int = 1000, in_channels: int = 3, drop_prob: float = 0.2
    ) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        require_probability("drop_prob", drop_prob)
        self.config, self.in_channels = config, in_channels
        channels = make_divisible(config.width * STEM_CHANNELS)
        self.stem = ConvNorm(in_channels, channels, 3, 2, activation=HS)
        self.blocks = nn.Sequential()
        unscaled = STEM_CHANNELS
        for row in config.blocks:
            hidden = make_divisible(channels * row.expanded / unscaled)
            width = make_divisible(config.width * row.out)
            self.blocks.append(InvertedResidual(channels, hidden, width, row))
            channels, unscaled = width, row.out
        self.num_features = config.features
        self.head = ConvNorm(channels, 6 * channels, 1, activation=HS)
        self.classifier = nn.Sequential(
            nn.Linear(6 * channels, config.features),
            nn.Hardswish(inplace=True),
            nn.Dropout(drop_prob),
            nn.Linear(config.features, num_classes),
        )
        initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return every bottleneck, then the head."""
        return (*self.blocks, self.head)

    def represent(self, images: Tensor) -> Tensor:
        """Return the classifier's first linear layer after its h-swish: images [B, C, H, W] -> [B, D]."""
        require_images(images, self.in_channels)
        x = images
        for layer in (self.stem, *self.stages):  # no nested calls: they would keep the stem's map to the end
            x = layer(x)
        return self.classifier[:2](x.mean(dim=(2, 3)))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier[2:](self.represent(images))  # dropout and the last layer


def initialise(model: nn.Module) -> None:
    """Draw convolutions from a normal of variance 2 / fan_out, fan_out k^2 C_out / groups; linear layers from
    N(0, 0.01); set biases to 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
            nn.init.zeros_(module.bias)


def mobilenet_v3(
    name: str = "mobilenet_v3_large", num_classes: int = 1000, in_channels: int = 3, drop_prob: float = 0.2
) -> MobileNetV3:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `MobileNetV3`."""
    return MobileNetV3(find_row(name, VARIANTS), num_classes, in_channels, drop_prob)
