"""ResNeSt: Zhang et al., "ResNeSt: Split-Attention Networks" (arXiv 2004.08955).

The paper in ten lines: ResNet-D's net whose 3x3 convolutions make R candidates and attend over them::

    x = relu(bn(conv3x3(relu(bn(conv3x3(relu(bn(conv3x3/2(image))))))))   # a deep stem;  x = maxpool3x3/2(x)
    for stage in stages:                                     # each but the first halves H, W and doubles the width
        for block in stage:
            V = split_attention(relu(bn(conv1x1(x))))        # dlbook/nn/split_attention.py: radix R, cardinality K
            V = avgpool3x3/2(V) where H and W are halved     # "fast" rows: before the split attention, not after
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

>>> sum(p.numel() for p in resnest("resnest50", device="meta").parameters())
27483240
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_positive
from dlbook.nn.split_attention import SplitAttention
from dlbook.nn.state import load_state


def conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution [B, C_in, H, W] -> [B, C_out, ceil(H/stride), ceil(W/stride)]; no bias, because BN
    follows.
    """
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)


@dataclass(frozen=True)
class Config:
    """One net. depths: blocks in each stage.  stem_width: channels of the first two convolutions; the third
    doubles them.

    radix: R.  cardinality: K.  group_width: channels a group in the first stage, of 64.  fast: pool before
        the attention.
    planes: output channels of each stage / 4.  Raises ValueError for a value below 1.
    """

    depths: tuple[int, ...]
    stem_width: int = 32
    radix: int = 2
    cardinality: int = 1
    group_width: int = 64
    fast: bool = False
    planes: tuple[int, ...] = (64, 128, 256, 512)

    def __post_init__(self) -> None:
        if not self.depths or len(self.depths) != len(self.planes):
            raise ValueError(
                f"depths and planes need one entry a stage, got {self.depths} and {self.planes}; "
                "make them equally long"
            )
        for value in (
            *self.depths,
            *self.planes,
            self.stem_width,
            self.radix,
            self.cardinality,
            self.group_width,
        ):
            require_positive("each number of a Config", value)


class ResNeStBlock(nn.Module):
    """1x1, split attention, 1x1: [B, C, H, W] -> [B, 4 planes, ceil(H/stride), ceil(W/stride)]."""

    def __init__(self, config: Config, in_channels: int, planes: int, stride: int) -> None:
        super().__init__()
        width, out_channels = planes * config.group_width // 64 * config.cardinality, 4 * planes
        pool = nn.Identity() if stride == 1 else nn.AvgPool2d(3, stride, padding=1)
        self.conv1, self.bn1 = conv(in_channels, width, 1), nn.BatchNorm2d(width)
        self.pool_before, self.pool_after = (pool, nn.Identity()) if config.fast else (nn.Identity(), pool)
        self.conv2 = SplitAttention(width, config.radix, config.cardinality)
        self.conv3, self.bn3 = conv(width, out_channels, 1), nn.BatchNorm2d(out_channels)
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
        out = self.conv3(out)  # a line of its own: the narrow map is freed before BN makes its output
        out = self.bn3(out)
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


R50 = (3, 4, 6, 3)
ABLATION = (
    (1, 1, 64),
    (2, 1, 64),
    (4, 1, 64),
    (1, 4, 24),
    (2, 2, 40),
    (4, 2, 40),
)  # radix, cardinality, width of a group

VARIANTS = {
    # Zhang et al. 2020, Table 1 and section 5: the deeper nets have the wider stem
    "resnest50": Config(R50),
    "resnest101": Config((3, 4, 23, 3), stem_width=64),
    "resnest200": Config((3, 24, 36, 3), stem_width=64),
    "resnest269": Config((3, 30, 48, 8), stem_width=64),
    # the ablation over radix and cardinality, "fast" nets; the authors' page of the ablation has 1s4x24d and
    # 4s2x40d too
    **{f"resnest50_fast_{r}s{k}x{d}d": Config(R50, 32, r, k, d, fast=True) for r, k, d in ABLATION},
}


class ResNeSt(nn.Module):
    """Deep stem, stages of blocks, global average pooling, one linear layer: images [B, C, H, W] -> logits
    [B, K].

    config: a row of `VARIANTS` or your own `Config`.  num_classes: K.  in_channels: C of the images.
    Raises ValueError for arguments out of range, and in `forward` for input that is not float [B,
    in_channels, H, W].
    """

    def __init__(self, config: Config, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        narrow, channels = config.stem_width, 2 * config.stem_width
        self.conv1 = nn.Sequential(
            conv(in_channels, narrow, 3, 2),
            nn.BatchNorm2d(narrow),
            nn.ReLU(inplace=True),
            conv(narrow, narrow, 3),
            nn.BatchNorm2d(narrow),
            nn.ReLU(inplace=True),
            conv(narrow, channels, 3),
        )
        self.bn1 = nn.BatchNorm2d(channels)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        for index, (depth, planes) in enumerate(zip(config.depths, config.planes, strict=True)):
            blocks = []
            for position in range(depth):
                blocks.append(ResNeStBlock(config, channels, planes, 2 if index and not position else 1))
                channels = 4 * planes
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
    """Convolutions, the attention's too: normal, variance 2 / fan_out; biases 0. BN: gamma 1, beta 0."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def load_timm_state(model: ResNeSt, state: Mapping[str, Tensor]) -> ResNeSt:
    """Copy a state dict of timm's resnest50d, 101e, 200e, 269e, 50d_1s4x24d or 50d_4s2x40d; ValueError names
    a misfit.
    """
    return load_state(model, state)


def resnest(name: str, num_classes: int = 1000, in_channels: int = 3, device: str | None = None) -> ResNeSt:
    """Build a row of `VARIANTS` with fresh weights; device "meta" builds it without memory.

    Raises ValueError for an unknown name or an argument out of range.
    """
    with torch.device(device or torch.get_default_device()):
        return ResNeSt(find_row(name, VARIANTS), num_classes, in_channels)
