"""ConvNeXt: Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s" (arXiv:2201.03545).

The paper in nine lines::

    x = layer_norm(conv4x4/4(image))                # "patchify" stem; the norms run over C, at each pixel
    for stage in 4 stages:
        if stage > 0: x = conv2x2/2(layer_norm(x))  # separate downsampling layer
        for block in stage:                         # figure 4, right
            F = layer_norm(depthwise_conv7x7(x))    # mixes pixels; the only normalisation of the block
            F = linear(gelu(linear(F)))             # mixes channels, C -> 4C -> C; the one activation
            x = x + stochastic_depth(gamma * F)     # layer scale: gamma begins at 1e-6
    logits = linear(layer_norm(mean over H, W of x))

How one gets here from ResNet-50, step by step, is in ``convnext_roadmap.py``.

Departures from the paper

1. Weights start as N(0, 0.02^2), cut at +-2, as in the authors' code and both libraries. Table 5 prints
   "trunc. normal (0.2)".
2. The rates of stochastic depth are those of Table 5 for ImageNet-1K (T, S, B, L) and, for XL, which the
   paper trains on ImageNet-22K only, that column's 0.2. They grow linearly from 0 at the first block to the
   rate at the last, as in the authors' code; the paper does not say how. timm's builders have 0.
3. The 1 x 1 convolutions are linear layers on the last axis of [B, H, W, C], as in the authors' code
   (`dlbook.nn.pointwise`). Maps keep the shape [B, C, H, W] and lie in memory as [B, H, W, C], so that
   ``permute`` copies nothing.
4. gamma has one axis, so that the usual rule "no weight decay for tensors of one axis" spares it.
   torchvision's [C, 1, 1] is not spared.

Parameters with 1,000 classes: T 28,589,128; S 50,223,688; B 88,591,464; L 197,767,336; XL 350,196,968.

>>> from dlbook.models import create
>>> sum(p.numel() for p in create("convnext_t", device="meta").parameters())
28589128
"""

from dataclasses import dataclass, replace
from itertools import islice, pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_positive, require_probability, require_sides
from dlbook.nn.drop import StochasticDepth
from dlbook.nn.pointwise import Pointwise

LAYER_SCALE = 1e-6  # where gamma begins
EPS = 1e-6  # of the layer norms


@dataclass(frozen=True)
class Config:
    """Describe one row of section 3.

    Args:
        depths: blocks of each stage, at least 1.
        widths: channels of each stage, at least 1.
        drop_prob: probability of skipping the last block, in [0, 1).

    Raises:
        ValueError: a value is out of range, or there are not as many depths as widths.
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    drop_prob: float = 0.0

    def __post_init__(self) -> None:
        if not self.depths or len(self.depths) != len(self.widths):
            raise ValueError(
                f"expected depths and widths with one entry a stage, got {self.depths} and {self.widths}; "
                "make them equally long"
            )
        for depth, width in zip(self.depths, self.widths, strict=True):
            require_positive("depths", depth)
            require_positive("widths", width)
        require_probability("drop_prob", self.drop_prob)


# Liu et al. 2022, section 3 and Table 5.    depths          widths                  drop_prob
VARIANTS = {
    "convnext_t": Config((3, 3, 9, 3), (96, 192, 384, 768), 0.1),
    "convnext_s": Config((3, 3, 27, 3), (96, 192, 384, 768), 0.4),
    "convnext_b": Config((3, 3, 27, 3), (128, 256, 512, 1024), 0.5),
    "convnext_l": Config((3, 3, 27, 3), (192, 384, 768, 1536), 0.5),
    "convnext_xl": Config((3, 3, 27, 3), (256, 512, 1024, 2048), 0.2),
}


class LayerNorm(nn.LayerNorm):
    """Normalise the C numbers of each pixel: [B, C, H, W] -> the same shape, in memory [B, H, W, C]."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Depthwise 7x7, norm, two linear layers (figure 4, right): [B, C, H, W] -> the same shape."""

    def __init__(self, channels: int, drop_prob: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=EPS)
        self.expand = Pointwise(channels, 4 * channels)
        self.project = Pointwise(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), LAYER_SCALE))
        self.drop = StochasticDepth(drop_prob)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.depthwise(x).permute(0, 2, 3, 1)  # [B, H, W, C]
        branch = self.expand(self.norm(branch))  # rebind, a line each: see dlbook.nn
        branch = F.gelu(branch)
        branch = self.project(branch)
        branch = self.drop(branch).permute(0, 3, 1, 2)  # [B, C, H, W]
        return x + self.gamma[:, None, None] * branch


class ConvNeXt(nn.Module):
    """Stem, stages of blocks, mean, norm, linear layer: images [B, C, H, W] -> logits [B, K].

    H and W are at least 32; what is over a multiple of 32 may be cut off by the strides.

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "fc"

    def __init__(self, config: Config, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        widths = config.widths
        self.stem = nn.Sequential(nn.Conv2d(in_channels, widths[0], 4, 4), LayerNorm(widths[0]))
        self.downsample = nn.ModuleList([nn.Identity()])
        for before, after in pairwise(widths):
            self.downsample.append(nn.Sequential(LayerNorm(before), nn.Conv2d(before, after, 2, 2)))
        blocks = sum(config.depths)
        rates = (config.drop_prob * block / max(1, blocks - 1) for block in range(blocks))
        self.stages = nn.ModuleList()
        for depth, width in zip(config.depths, widths, strict=True):
            self.stages.append(nn.Sequential(*(Block(width, rate) for rate in islice(rates, depth))))
        self.num_features = widths[-1]
        self.norm = nn.LayerNorm(self.num_features, eps=EPS)
        self.fc = nn.Linear(self.num_features, num_classes)
        initialise(self)

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of the last map over its pixels, normalised: images [B, C, H, W] -> [B, D]."""
        require_images(images, self.in_channels)
        require_sides(images, 32)
        x = self.stem(images)
        for downsample, stage in zip(self.downsample, self.stages, strict=True):
            x = downsample(x)
            x = stage(x)
        return self.norm(x.mean(dim=(2, 3)))

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.represent(images))


def initialise(model: nn.Module) -> None:
    """Draw all weights from a normal of deviation 0.02, cut at +-2; set biases to 0 (departure 1)."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)


def convnext(
    name: str, num_classes: int = 1000, in_channels: int = 3, drop_prob: float | None = None
) -> ConvNeXt:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `ConvNeXt`.

    drop_prob takes the place of the row's own.
    """
    config = find_row(name, VARIANTS)
    if drop_prob is not None:
        config = replace(config, drop_prob=drop_prob)
    return ConvNeXt(config, num_classes, in_channels)
