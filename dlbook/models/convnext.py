"""ConvNeXt: Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s" (arXiv 2201.03545).

The paper in nine lines::

    x = layer_norm(conv4x4/4(image))                       # "patchify" stem; the norms run over C, at each pixel
    for stage in 4 stages:
        if stage > 0: x = conv2x2/2(layer_norm(x))         # separate downsampling layer
        for block in stage:                                # figure 4, right
            F = layer_norm(depthwise_conv7x7(x))           # mixes pixels; the only normalisation of the block
            F = linear(gelu(linear(F)))                    # mixes channels, C -> 4C -> C; the only activation of the block
            x = x + stochastic_depth(gamma * F)            # layer scale: gamma begins at 1e-6
    logits = linear(layer_norm(mean over H, W of x))

How one gets here from ResNet-50, step by step, is in ``convnext_roadmap.py``.

Departures from the paper

1. Weights start as N(0, 0.02^2), cut at +-2, as in the authors' code and both libraries. Table 5 prints
   "trunc. normal (0.2)".
2. The rates of stochastic depth are those of Table 5 for ImageNet-1K (T, S, B, L) and, for XL, which the
   paper trains on ImageNet-22K only, that column's 0.2. They grow linearly from 0 at the first block to the
   rate at the last, as in the authors' code; the paper does not say how. timm's builders have 0.
3. The 1 x 1 convolutions are linear layers on the last axis of [B, H, W, C], as in the authors' code: the
   arithmetic is the same.

Memory layout. Every map between layers is [B, C, H, W] in *shape*, and lies in memory as [B, H, W, C]
(channels_last): the stem's normalisation leaves it so, and the blocks keep it so. ``permute`` then costs
nothing, normalisation and linear layers read contiguous rows of C numbers, and no map is ever copied for its
layout. Layer scale and the sum are one operation, ``addcmul``. On the CPU, `Pointwise` computes departure 3's
linear layers as the 1 x 1 convolutions that they are.

gamma is one-dimensional, so that the usual rule "no weight decay for tensors of one axis" spares it.
torchvision's [C, 1, 1] is not spared.

Parameters with 1,000 classes: T 28,589,128; S 50,223,688; B 88,591,464; L 197,767,336; XL 350,196,968.

>>> sum(p.numel() for p in convnext("convnext_t", device="meta").parameters())
28589128
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_positive, require_probability
from dlbook.nn.drop import StochasticDepth

LAYER_SCALE = 1e-6  # where gamma begins
EPS = 1e-6  # of the layer norms


@dataclass(frozen=True)
class Config:
    """One row of section 3: blocks and channels of each stage; drop_prob is the last block's probability of
    being skipped.

    Raises ValueError unless there are as many depths as widths, all positive, and drop_prob is in [0, 1).
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    drop_prob: float = 0.0

    def __post_init__(self) -> None:
        if not self.depths or len(self.depths) != len(self.widths):
            raise ValueError(
                f"depths and widths need one entry a stage, got {self.depths} and {self.widths}; "
                "make them equally long"
            )
        for name in ("depths", "widths"):
            for value in getattr(self, name):
                require_positive(name, value)
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


class Pointwise(nn.Linear):
    """The 1 x 1 convolution of departure 3: [B, H, W, C] -> [B, H, W, C'], with the weights [C', C] of a
    linear layer.

    Where it runs decides how. On the CPU, torch hands convolutions to oneDNN and float32 matrix products to
    the BLAS that it was built with, MKL, which was seen to take up to twice as long on a processor that is
    not Intel's (`benchmarks/zoo.py` measures both). Elsewhere it stays the linear layer of the authors' code.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not x.is_cpu:
            return super().forward(x)
        return F.conv2d(x.permute(0, 3, 1, 2), self.weight[:, :, None, None], self.bias).permute(0, 2, 3, 1)


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
        branch = self.expand(
            self.norm(branch)
        )  # [B, H, W, 4C]; a line each, so that each wide map is freed early
        branch = F.gelu(branch)
        branch = self.project(branch)  # [B, H, W, C]
        branch = self.drop(branch).permute(0, 3, 1, 2)  # [B, C, H, W]
        return torch.addcmul(x, branch, self.gamma[:, None, None])  # x + gamma * branch


class ConvNeXt(nn.Module):
    """Stem, stages of blocks, global average pooling, norm, one linear layer: images [B, C, H, W] -> logits
    [B, K].

    config: a row of `VARIANTS` or your own `Config`.  num_classes: K.  in_channels: C.  H and W at least 32;
    what is over a multiple of 32 may be cut off by the strides.  Raises ValueError for arguments out of
    range, and in `forward` for other images.
    """

    last_layer = "fc"

    def __init__(self, config: Config, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        if not isinstance(config, Config):
            raise ValueError(
                f"config must be a Config such as VARIANTS['convnext_t'], got {config!r}; for a "
                "name call convnext(name)"
            )
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        channels, blocks_before, blocks = config.widths[0], 0, sum(config.depths)
        self.stem = nn.Sequential(nn.Conv2d(in_channels, channels, 4, 4), LayerNorm(channels))
        self.downsample, self.stages = nn.ModuleList(), nn.ModuleList()
        for depth, width in zip(config.depths, config.widths, strict=True):
            first = not self.stages
            self.downsample.append(
                nn.Identity()
                if first
                else nn.Sequential(LayerNorm(channels), nn.Conv2d(channels, width, 2, 2))
            )
            rates = [config.drop_prob * (blocks_before + i) / max(1, blocks - 1) for i in range(depth)]
            self.stages.append(nn.Sequential(*(Block(width, rate) for rate in rates)))
            channels, blocks_before = width, blocks_before + depth
        self.norm = nn.LayerNorm(channels, eps=EPS)
        self.num_features = channels
        self.fc = nn.Linear(channels, num_classes)
        initialise(self)

    def run_stem(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] -> [B, C_0, H/4, W/4]; ValueError for images that do not fit."""
        require_images(images, self.in_channels)
        if min(images.shape[2:]) < 32:
            raise ValueError(
                f"images must be at least 32 pixels high and wide, got {list(images.shape)}; resize them"
            )
        return self.stem(images)

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """The output of the stem and of every stage: [B, C_i, H_i, W_i] each, in memory [B, H_i, W_i, C_i]."""
        maps = [self.run_stem(images)]
        for downsample, stage in zip(self.downsample, self.stages, strict=True):
            maps.append(stage(downsample(maps[-1])))
        return maps

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of the last map over its pixels, normalised: images [B, C, H, W] -> [B, D]."""
        x = self.run_stem(images)
        for downsample, stage in zip(
            self.downsample, self.stages, strict=True
        ):  # without feature_maps, whose list would keep every map alive
            x = downsample(x)
            x = stage(x)
        return self.norm(x.mean(dim=(2, 3)))

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.represent(images))


def initialise(model: nn.Module) -> None:
    """Convolutions and linear layers: normal, standard deviation 0.02, cut at +-2; biases 0 (departure 1)."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)


def convnext(
    name: str,
    num_classes: int = 1000,
    in_channels: int = 3,
    drop_prob: float | None = None,
    device: str | None = None,
) -> ConvNeXt:
    """Build a row of `VARIANTS` with fresh weights.

    num_classes: K.  in_channels: C of the images.  drop_prob: the last block's rate of stochastic depth, None
        for the row's.
    device: "meta" builds without memory.  Raises ValueError for an unknown name or an argument out of range.
    """
    row = find_row(name, VARIANTS)
    config = Config(row.depths, row.widths, row.drop_prob if drop_prob is None else drop_prob)
    with torch.device(device or torch.get_default_device()):
        return ConvNeXt(config, num_classes, in_channels)
