"""ECA-ResNet: Wang et al., "ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks"
(arXiv:1910.03151).

The paper in ten lines: SE-ResNet whose gates have k weights instead of two layers::

    x = relu(bn(conv7x7/2(image)));  x = maxpool3x3/2(x)
    for stage in stages:                                # each but the first halves H, W and doubles the width
        for block in stage:
            U = the two (18, 34 layers) or three convolutions of ResNet's block, with the last BN
            z = mean over H, W of U                              # [B, C]
            s = sigmoid(convolution of z along the channels)     # k weights, no bias: equations (7), (9)
            x = relu(s * U + (x, or bn(conv1x1(x)) where the shape changes))
    k = odd(log2(C) / 2 + 1 / 2) for C channels of U         # equation (12): 3 for 64, 5 for 256, 7 for 2,048
    logits = linear(mean over H, W of x)

Departures from the paper

1. The stride of a bottleneck is on its 3x3 convolution, as in the authors' code, which is built on
   torchvision's ResNet.
2. k follows equation (12). The authors' code takes a list of kernels and has 3 everywhere unless told
   otherwise: that is the row ``ecaresnet50_k3``.
3. By equation (12) the gates of the 50-layer net have 86 weights. The paper's abstract has 80, which is 5 for
   each of the 16 gates; its 24.37 million of ResNet-50 are in units of 2^20.
4. Weights start as normal deviates of variance 2 / fan_out; the gates and the linear layer keep torch's
   default.

timm's ``ecaresnet50d`` and ``ecaresnet50t`` are other nets: they have the stem and the shortcuts of ResNet-D.
Its ``resnet50`` with ``block_args={"attn_layer": "eca"}`` is this one.

Parameters with 1,000 classes: 18 11,689,548; 34 21,797,746; 50 25,557,118; 101 44,549,331; 152 60,193,064.

>>> sum(p.numel() for p in ecanet("ecaresnet50").parameters()) - 25_557_032  # over ResNet-50
86
"""

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row
from dlbook.nn.efficient_channel_attention import EfficientChannelAttention
from dlbook.nn.residual_frame import (
    ResidualFrame,
    conv,
    initialise,
    projection,
    require_stages,
    stem_layers,
)


class ECABasicBlock(nn.Module):
    """ResNet's basic block with a gate on its branch: [B, C, H, W] -> [B, width, H/stride, W/stride]."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, kernel_size: int | None) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.eca = EfficientChannelAttention(width, kernel_size)
        self.downsample = projection(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.eca(self.bn2(self.conv2(out)))  # after the last BN, before the sum
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


class ECABottleneck(nn.Module):
    """ResNet's bottleneck with a gate on its branch: [B, C, H, W] -> [B, 4 width, H/stride, W/stride]."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int, kernel_size: int | None) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.eca = EfficientChannelAttention(4 * width, kernel_size)  # C is the output's width
        self.downsample = projection(in_channels, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.conv3(out)  # rebind: see dlbook.nn
        out = self.bn3(out)
        out = self.eca(out)  # after the last BN, before the sum
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


@dataclass(frozen=True)
class Config:
    """Describe one net.

    Args:
        block: ECABasicBlock or ECABottleneck.
        depths: blocks in each stage.
        widths: of the 3x3 convolutions.
        kernel_size: k of every gate; None for equation (12).

    Raises:
        ValueError: for a value outside these.
    """

    block: type[nn.Module]
    depths: tuple[int, ...]
    kernel_size: int | None = None
    widths: tuple[int, ...] = (64, 128, 256, 512)

    def __post_init__(self) -> None:
        require_stages(self.depths, self.widths)


# Wang et al. 2019, the ResNets of the paper and of the authors' code
VARIANTS = {
    "ecaresnet18": Config(ECABasicBlock, (2, 2, 2, 2)),
    "ecaresnet34": Config(ECABasicBlock, (3, 4, 6, 3)),
    "ecaresnet50": Config(ECABottleneck, (3, 4, 6, 3)),
    "ecaresnet101": Config(ECABottleneck, (3, 4, 23, 3)),
    "ecaresnet152": Config(ECABottleneck, (3, 8, 36, 3)),
    "ecaresnet50_k3": Config(ECABottleneck, (3, 4, 6, 3), kernel_size=3),  # the default of the authors' code
}


class ECAResNet(ResidualFrame):
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
        self.add_stem(*stem_layers("imagenet", in_channels, config.widths[0]), config.widths[0])
        for depth, width in zip(config.depths, config.widths, strict=True):
            make_block = partial(config.block, width=width, kernel_size=config.kernel_size)
            self.add_stage(make_block, depth, config.block.expansion * width)
        self.add_last_layer(num_classes)
        initialise(self)


def ecanet(name: str, num_classes: int = 1000, in_channels: int = 3) -> ECAResNet:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        name: a key of `VARIANTS`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: for an unknown name or an argument out of range.
    """
    return ECAResNet(find_row(name, VARIANTS), num_classes, in_channels)
