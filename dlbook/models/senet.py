"""SE-ResNet: Hu, Shen, Albanie, Sun, Wu, "Squeeze-and-Excitation Networks" (arXiv:1709.01507).

The paper in ten lines: a ResNet whose residual branches are weighed, channel by channel, by what the whole
map holds::

    x = relu(bn(conv7x7/2(image)));  x = maxpool3x3/2(x)
    for stage in stages:                                # each but the first halves H, W and doubles the width
        for block in stage:
            U = bn(conv1x1(relu(bn(conv3x3(relu(bn(conv1x1(x))))))))
            z = mean over H, W of U                              # squeeze, equation (2)
            s = sigmoid(W2 relu(W1 z))                # excite, equation (3); W1 leaves C / r channels, r = 16
            x = relu(s * U + (x, or bn(conv1x1(x)) where the shape changes))   # scale, equation (4); figure 3
    logits = linear(mean over H, W of x)

Departures from the paper

1. Equation (3) is printed without biases; the authors' released nets, timm's, and these have them.
2. The stride of a bottleneck is on its first 1x1 convolution, as in ResNet and in the authors' Caffe nets.
   The rows ``_v1_5`` have it on the 3x3, as timm's seresnet rows. The rows ``_caffe`` are the authors'
   release to the letter: Caffe's max pooling has no padding and rounds up, which gives the same 56 pixels for
   224 but looks at other windows. timm calls them legacy_seresnet, and drops 20 per cent of the last layer's
   input in training unless told otherwise; these do not.
3. Weights start as normal deviates of variance 2 / fan_out, the gates' too, and the gates' biases as 0; the
   last linear layer keeps torch's default.

Parameters with 1,000 classes: SE-ResNet-50 28,088,024; 101 49,326,872; 152 66,821,848. The gates have 10 per
    cent of them.

>>> sum(p.numel() for p in senet("seresnet50").parameters())
28088024
"""

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_one_of, require_positive
from dlbook.nn.channel_attention import SqueezeExcitation
from dlbook.nn.residual_frame import ResidualFrame, conv, initialise, projection, require_stages


class SEBottleneck(nn.Module):
    """ResNet's bottleneck with a gate on its branch: [B, C, H, W] -> [B, 4 width, H/stride, W/stride].

    Args:
        stride_on: "1x1" or "3x3", the convolution that takes the stride.
        reduction: r, so that the gate has 4 width / r units.
    """

    def __init__(self, in_channels: int, width: int, stride: int, stride_on: str, reduction: int) -> None:
        super().__init__()
        stride1, stride2 = (stride, 1) if stride_on == "1x1" else (1, stride)
        self.conv1 = conv(in_channels, width, 1, stride1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3, stride2)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.se = SqueezeExcitation(4 * width, 4 * width // reduction)
        self.downsample = projection(in_channels, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.conv3(out)  # rebind: see dlbook.nn
        out = self.bn3(out)
        out = self.se(out)  # after the last BN, before the sum
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


@dataclass(frozen=True)
class Config:
    """Describe one net.

    Args:
        depths: blocks in each stage.
        widths: channels of the 3x3 convolutions.
        stride_on: "1x1" or "3x3".
        pool: "padded" or "ceil" (Caffe's, departure 2).
        reduction: r; every 4 width must be at least r.

    Raises:
        ValueError: for a value outside these.
    """

    depths: tuple[int, ...]
    stride_on: str = "1x1"
    pool: str = "padded"
    widths: tuple[int, ...] = (64, 128, 256, 512)
    reduction: int = 16

    def __post_init__(self) -> None:
        require_stages(self.depths, self.widths)
        require_positive("reduction", self.reduction)
        require_one_of("stride_on", self.stride_on, ("1x1", "3x3"))
        require_one_of("pool", self.pool, ("padded", "ceil"))


# Hu et al. 2017, Table 1 (right) and Table 2
VARIANTS = {
    "seresnet50": Config((3, 4, 6, 3)),
    "seresnet101": Config((3, 4, 23, 3)),
    "seresnet152": Config((3, 8, 36, 3)),
    "seresnet50_v1_5": Config((3, 4, 6, 3), "3x3"),
    "seresnet101_v1_5": Config((3, 4, 23, 3), "3x3"),
    "seresnet152_v1_5": Config((3, 8, 36, 3), "3x3"),
    "seresnet50_caffe": Config((3, 4, 6, 3), "1x1", "ceil"),
    "seresnet101_caffe": Config((3, 4, 23, 3), "1x1", "ceil"),
    "seresnet152_caffe": Config((3, 8, 36, 3), "1x1", "ceil"),
}


class SEResNet(ResidualFrame):
    """Stem, stages of blocks, global average pooling, one linear layer: images [B, C, H, W] -> logits [B, K].

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K.
        in_channels: C of the images.

    Raises:
        ValueError: for arguments out of range, and in `forward` for input that is not float [B, in_channels,
            H, W].
    """

    def __init__(self, config: Config, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__(in_channels)
        self.config = config
        padded = config.pool == "padded"
        pool = nn.MaxPool2d(3, 2, padding=1) if padded else nn.MaxPool2d(3, 2, ceil_mode=True)
        self.add_stem(conv(in_channels, config.widths[0], 7, 2), pool, config.widths[0])
        for depth, width in zip(config.depths, config.widths, strict=True):
            make_block = partial(
                SEBottleneck, width=width, stride_on=config.stride_on, reduction=config.reduction
            )
            self.add_stage(make_block, depth, 4 * width)
        self.add_last_layer(num_classes)
        initialise(self)


def senet(name: str, num_classes: int = 1000, in_channels: int = 3) -> SEResNet:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        name: a key of `VARIANTS`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: for an unknown name or an argument out of range.
    """
    return SEResNet(find_row(name, VARIANTS), num_classes, in_channels)
