"""ECA-ResNet: Wang et al., "ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks"
(arXiv 1910.03151).

The paper in ten lines: SE-ResNet whose gates have k weights instead of two layers::

    x = relu(bn(conv7x7/2(image)));  x = maxpool3x3/2(x)
    for stage in stages:                                         # each but the first halves H, W and doubles the width
        for block in stage:
            U = the two (18, 34 layers) or three convolutions of ResNet's block, with the last BN
            z = mean over H, W of U                              # [B, C]
            s = sigmoid(convolution of z along the channels)     # k weights, no bias, no reduction: equations (7), (9)
            x = relu(s * U + (x, or bn(conv1x1(x)) where the shape changes))
    k = odd(log2(C) / 2 + 1 / 2) for C channels of U             # equation (12): 3 for 64, 5 for 256, 7 for 2,048
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

>>> sum(p.numel() for p in ecanet("ecaresnet50", device="meta").parameters()) - 25_557_032  # over ResNet-50
86
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_positive
from dlbook.nn.efficient_channel_attention import EfficientChannelAttention
from dlbook.nn.state import load_state


def conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution [B, C_in, H, W] -> [B, C_out, ceil(H/stride), ceil(W/stride)]; no bias, because BN
    follows.
    """
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)


def make_shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    """None where x can be added as it is, else a 1x1 convolution and BN."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(conv(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels))


class ECABasicBlock(nn.Module):
    """ResNet's basic block with a gate on its branch: [B, C, H, W] -> [B, width, H/stride, W/stride]."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, kernel_size: int | None) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(in_channels, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)
        self.eca = EfficientChannelAttention(width, kernel_size)
        self.downsample = make_shortcut(in_channels, width, stride)

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
        self.conv1, self.bn1 = conv(in_channels, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.eca = EfficientChannelAttention(
            4 * width, kernel_size
        )  # C is the output's width, not the bottleneck's
        self.downsample = make_shortcut(in_channels, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.conv3(out)  # a line of its own: the narrow map is freed before BN makes its output
        out = self.bn3(out)
        out = self.eca(out)  # after the last BN, before the sum
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


@dataclass(frozen=True)
class Config:
    """One net. block: ECABasicBlock or ECABottleneck.  depths: blocks in each stage.  widths: of the 3x3
    convolutions.

    kernel_size: k of every gate; None for equation (12).  Raises ValueError for a value outside these.
    """

    block: type[nn.Module]
    depths: tuple[int, ...]
    kernel_size: int | None = None
    widths: tuple[int, ...] = (64, 128, 256, 512)

    def __post_init__(self) -> None:
        if not self.depths or len(self.depths) != len(self.widths):
            raise ValueError(
                f"depths and widths need one entry a stage, got {self.depths} and {self.widths}; "
                "make them equally long"
            )
        for value in (*self.depths, *self.widths):
            require_positive("each depth and width", value)


# Wang et al. 2019, the ResNets of the paper and of the authors' code
VARIANTS = {
    "ecaresnet18": Config(ECABasicBlock, (2, 2, 2, 2)),
    "ecaresnet34": Config(ECABasicBlock, (3, 4, 6, 3)),
    "ecaresnet50": Config(ECABottleneck, (3, 4, 6, 3)),
    "ecaresnet101": Config(ECABottleneck, (3, 4, 23, 3)),
    "ecaresnet152": Config(ECABottleneck, (3, 8, 36, 3)),
    "ecaresnet50_k3": Config(ECABottleneck, (3, 4, 6, 3), kernel_size=3),  # the default of the authors' code
}


class ECAResNet(nn.Module):
    """Stem, stages of blocks, global average pooling, one linear layer: images [B, C, H, W] -> logits [B, K].

    config: a row of `VARIANTS` or your own `Config`.  num_classes: K.  in_channels: C of the images.
    Raises ValueError for arguments out of range, and in `forward` for input that is not float [B,
    in_channels, H, W].
    """

    def __init__(self, config: Config, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        channels = config.widths[0]
        self.conv1, self.bn1 = conv(in_channels, channels, 7, 2), nn.BatchNorm2d(channels)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        for index, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True)):
            blocks = []
            for position in range(depth):
                blocks.append(
                    config.block(channels, width, 2 if index and not position else 1, config.kernel_size)
                )
                channels = width * config.block.expansion
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
    """Convolutions over H and W: normal, variance 2 / fan_out. BN: gamma 1, beta 0."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def from_timm(name: str) -> str:
    """The name of a tensor of timm's ResNet with ``attn_layer="eca"`` in this file."""
    return name.replace(".se.", ".eca.")


def load_timm_state(model: ECAResNet, state: Mapping[str, Tensor]) -> ECAResNet:
    """Copy a state dict of timm's resnet18 ... resnet152 made with ``block_args={"attn_layer": "eca"}``.

    All or nothing; ValueError names the first tensor that does not fit.
    """
    return load_state(model, state, from_timm)


def ecanet(name: str, num_classes: int = 1000, in_channels: int = 3, device: str | None = None) -> ECAResNet:
    """Build a row of `VARIANTS` with fresh weights; device "meta" builds it without memory.

    Raises ValueError for an unknown name or an argument out of range.
    """
    with torch.device(device or torch.get_default_device()):
        return ECAResNet(find_row(name, VARIANTS), num_classes, in_channels)
