"""MobileNet: Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam, "MobileNets: Efficient
Convolutional Neural Networks for Mobile Vision Applications" (arXiv:1704.04861).

The paper in seven lines::

    x = relu(bn(conv3x3/2(image)))
    for block in Table 1:                         # 13 depthwise separable convolutions (figure 3, right)
        x = relu(bn(depthwise3x3(x)))             # one filter a channel, with the block's stride: 9 C weights
        x = relu(bn(conv1x1(x)))                  # mixes the channels: C_in C_out weights
    logits = linear(mean over H, W of x)
    width multiplier alpha: every number of channels times alpha (Table 6)
    resolution multiplier rho: smaller images; the network is the same (Table 7)

A 3x3 convolution costs 9 C_in C_out a pixel, the pair 9 C_in + C_in C_out: 1 / C_out + 1 / 9 of it (section
3.1).

Departures from the paper

1. Table 1 prints stride 2 for the last depthwise convolution, but a 7x7 map before and after it; its stride
   is 1.
2. Row ``mobilenet_v1_relu6`` cuts activations at 6, as the authors' TensorFlow code and timm do. The paper
   says ReLU.
3. The paper does not say how weights start: convolutions are He et al.'s normal with fan_out (for a depthwise
   one 9, as it has one output channel a group), as in timm; the linear layer is uniform within 1 / sqrt(K).
   BN has torch's settings.
4. The authors' code drops 0.1 % of the last features in training. The paper does not mention it, and it is
   left out.

``mobilenet_v1_conv`` has full 3x3 convolutions instead of the pairs (Table 4); ``mobilenet_v1_shallow`` lacks
the five equal blocks of 512 channels (Table 5).

Parameters with 1,000 classes: width 1 4,231,976; 0.75 2,585,560; 0.5 1,331,592; 0.25 470,072; conv
    29,294,088; shallow 2,887,976.

>>> sum(p.numel() for p in mobilenet_v1("mobilenet_v1_050").parameters())
1331592
"""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from dlbook.checks import find_row, require_above, require_images, require_positive

# Howard et al. 2017, Table 1: channels and stride of the blocks after the stem of 32 channels
STEM_CHANNELS = 32
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))


@dataclass(frozen=True)
class Config:
    """Describe one row of Tables 4 to 6.

    Args:
        width: alpha, above 0; multiplies every number of channels.
        separable: pairs of depthwise and pointwise convolutions, or full ones.
        blocks: channels and stride of each block.
        activation: nn.ReLU or nn.ReLU6.

    Raises:
        ValueError: the width is not above 0.
    """

    width: float = 1.0
    separable: bool = True
    blocks: tuple[tuple[int, int], ...] = BLOCKS
    activation: type[nn.Module] = nn.ReLU

    def __post_init__(self) -> None:
        require_above("width", self.width, 0, "the paper has 1, 0.75, 0.5 and 0.25")


VARIANTS = {
    "mobilenet_v1": Config(),  # Table 6
    "mobilenet_v1_075": Config(0.75),
    "mobilenet_v1_050": Config(0.5),
    "mobilenet_v1_025": Config(0.25),
    "mobilenet_v1_conv": Config(separable=False),  # Table 4
    "mobilenet_v1_shallow": Config(blocks=BLOCKS[:6] + BLOCKS[11:]),  # Table 5
    "mobilenet_v1_relu6": Config(activation=nn.ReLU6),  # the authors' code, timm
}


class ConvNorm(nn.Module):
    """Convolution, BN, activation: [B, C_in, H, W] -> [B, C_out, ceil(H/stride), ceil(W/stride)]."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        activation: type[nn.Module],
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(out_channels)
        self.activation = activation(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.conv(x)))


class SeparableConv(nn.Module):
    """Depthwise 3x3, then pointwise 1x1 (figure 3, right): [B, C_in, H, W] -> [B, C_out, ceil(H/stride),
    ceil(W/stride)].
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.depthwise = ConvNorm(in_channels, in_channels, 3, activation, stride, groups=in_channels)
        self.pointwise = ConvNorm(in_channels, out_channels, 1, activation)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class MobileNetV1(nn.Module):
    """Stem, blocks, mean, linear layer: images [B, C, H, W] -> logits [B, K].

    Any H and W will do; the paper has 224, 192, 160 and 128.

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "classifier"

    def __init__(self, config: Config, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        act = config.activation
        channels = max(1, int(config.width * STEM_CHANNELS))
        self.stem = ConvNorm(in_channels, channels, 3, act, stride=2)
        self.blocks = nn.Sequential()
        for width, stride in config.blocks:
            width = max(1, int(config.width * width))
            self.blocks.append(
                SeparableConv(channels, width, stride, act)
                if config.separable
                else ConvNorm(channels, width, 3, act, stride)
            )
            channels = width
        self.num_features = channels
        self.classifier = nn.Linear(channels, num_classes)
        initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the blocks of Table 1."""
        return tuple(self.blocks)

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of the last block's maps over their pixels: images [B, C, H, W] -> [B, D]."""
        require_images(images, self.in_channels)
        return self.blocks(self.stem(images)).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.represent(images))


def initialise(model: nn.Module) -> None:
    """Draw convolutions from a normal of variance 2 / fan_out, fan_out k^2 C_out / groups; the linear layer
    uniform within 1 / sqrt(K), its bias 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.out_features)
            nn.init.uniform_(module.weight, -bound, bound)
            nn.init.zeros_(module.bias)


def mobilenet_v1(name: str = "mobilenet_v1", num_classes: int = 1000, in_channels: int = 3) -> MobileNetV1:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `MobileNetV1`."""
    return MobileNetV1(find_row(name, VARIANTS), num_classes, in_channels)
