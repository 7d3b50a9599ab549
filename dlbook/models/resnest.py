"""ResNeSt: Zhang et al., "ResNeSt: Split-Attention Networks" (arXiv:2004.08955).

The paper in ten lines: ResNet-D's net whose 3x3 convolutions make R candidates and attend over them::

    x = relu(bn(conv3x3(relu(bn(conv3x3(relu(bn(conv3x3/2(image))))))))   # a deep stem;  x = maxpool3x3/2(x)
    for stage in stages:                                # each but the first halves H, W and doubles the width
        for block in stage:
            V = split_attention(relu(bn(conv1x1(x))))   # dlbook/nn/split_attention.py: radix R, cardinality K
            V = avgpool3x3/2(V) where H and W are halved  # "fast" rows: before the split attention, not after
            F = bn(conv1x1(V))
            h = x, or bn(conv1x1(avgpool2x2/2(x))) where the shape changes
            x = relu(F + h)
    logits = linear(mean over H, W of x)

"RsKxDd" in a name means radix R, cardinality K and D channels a group in the first stage; the plain rows are
2s1x64d.

Departures from the paper

1. The dropout before the last layer (ResNeSt-200 and 269), DropBlock and the zero-gamma start of each block
   belong to the training recipe and are not in the net.
2. Weights start as normal deviates of variance 2 / fan_out, the biases of the attention as 0; the last linear
   layer keeps torch's default.

Submodules are named as in timm. Parameters with 1,000 classes: 50 27,483,240; 101 48,275,016; 200 70,201,544;
269 110,929,480.

>>> sum(p.numel() for p in resnest("resnest50").parameters())
27483240
"""

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_positive
from dlbook.nn.residual_frame import ResidualFrame, conv, initialise, require_stages
from dlbook.nn.split_attention import SplitAttention


@dataclass(frozen=True)
class Config:
    """Describe one net.

    Args:
        depths: blocks in each stage.
        stem_width: channels of the first two convolutions; the third doubles them.
        radix: R.
        cardinality: K.
        group_width: channels a group in the first stage, of 64.
        fast: pool before the attention.
        planes: output channels of each stage / 4.

    Raises:
        ValueError: for a value below 1.
    """

    depths: tuple[int, ...]
    stem_width: int = 32
    radix: int = 2
    cardinality: int = 1
    group_width: int = 64
    fast: bool = False
    planes: tuple[int, ...] = (64, 128, 256, 512)

    def __post_init__(self) -> None:
        require_stages(self.depths, self.planes)
        require_positive("stem_width", self.stem_width)
        require_positive("radix", self.radix)
        require_positive("cardinality", self.cardinality)
        require_positive("group_width", self.group_width)


class ResNeStBlock(nn.Module):
    """1x1, split attention, 1x1: [B, C, H, W] -> [B, 4 planes, ceil(H/stride), ceil(W/stride)]."""

    def __init__(self, in_channels: int, planes: int, stride: int, config: Config) -> None:
        super().__init__()
        width = planes * config.group_width // 64 * config.cardinality
        out_channels = 4 * planes
        pool = nn.Identity() if stride == 1 else nn.AvgPool2d(3, stride, padding=1)
        self.conv1 = conv(in_channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.pool_before = pool if config.fast else nn.Identity()
        self.conv2 = SplitAttention(width, config.radix, config.cardinality)
        self.pool_after = nn.Identity() if config.fast else pool
        self.conv3 = conv(width, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = None
        if stride != 1 or in_channels != out_channels:
            # without a share for pixels beyond the edge, where H or W is odd
            mean = (
                nn.Identity()
                if stride == 1
                else nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False)
            )
            self.downsample = nn.Sequential(
                mean, conv(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.pool_after(self.conv2(self.pool_before(out)))
        out = self.conv3(out)  # rebind: see dlbook.nn
        out = self.bn3(out)
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


VARIANTS = {
    # Zhang et al. 2020, Table 1 and section 5: the deeper nets have the wider stem
    "resnest50": Config((3, 4, 6, 3)),
    "resnest101": Config((3, 4, 23, 3), stem_width=64),
    "resnest200": Config((3, 24, 36, 3), stem_width=64),
    "resnest269": Config((3, 30, 48, 8), stem_width=64),
    # the ablation over radix and cardinality, "fast" nets; the authors' page of the ablation has 1s4x24d and
    # 4s2x40d too
    "resnest50_fast_1s1x64d": Config((3, 4, 6, 3), 32, 1, 1, 64, fast=True),
    "resnest50_fast_2s1x64d": Config((3, 4, 6, 3), 32, 2, 1, 64, fast=True),
    "resnest50_fast_4s1x64d": Config((3, 4, 6, 3), 32, 4, 1, 64, fast=True),
    "resnest50_fast_1s4x24d": Config((3, 4, 6, 3), 32, 1, 4, 24, fast=True),
    "resnest50_fast_2s2x40d": Config((3, 4, 6, 3), 32, 2, 2, 40, fast=True),
    "resnest50_fast_4s2x40d": Config((3, 4, 6, 3), 32, 4, 2, 40, fast=True),
}


class ResNeSt(ResidualFrame):
    """Deep stem, stages of blocks, global average pooling, one linear layer: images [B, C, H, W] -> logits
    [B, K].

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
        narrow, channels = config.stem_width, 2 * config.stem_width
        deep_stem = nn.Sequential(
            conv(in_channels, narrow, 3, 2),
            nn.BatchNorm2d(narrow),
            nn.ReLU(inplace=True),
            conv(narrow, narrow, 3),
            nn.BatchNorm2d(narrow),
            nn.ReLU(inplace=True),
            conv(narrow, channels, 3),
        )
        self.add_stem(deep_stem, nn.MaxPool2d(3, 2, padding=1), channels)
        for depth, planes in zip(config.depths, config.planes, strict=True):
            self.add_stage(partial(ResNeStBlock, planes=planes, config=config), depth, 4 * planes)
        self.add_last_layer(num_classes)
        initialise(self)


def resnest(name: str, num_classes: int = 1000, in_channels: int = 3) -> ResNeSt:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        name: a key of `VARIANTS`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: for an unknown name or an argument out of range.
    """
    return ResNeSt(find_row(name, VARIANTS), num_classes, in_channels)
