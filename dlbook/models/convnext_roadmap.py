"""From ResNet-50 to ConvNeXt-T in fifteen steps: Liu et al., "A ConvNet for the 2020s" (arXiv:2201.03545),
section 2, figure 2.

Each row of `VARIANTS` is the row before it with one thing changed; the first row is ResNet-50 and the last
one ConvNeXt-T. A block is three convolutions, each with its normalisation and activation, and the steps move,
widen or drop them (figures 3 and 4)::

    bottleneck   1x1 C -> m       k x k m -> m         1x1 m -> 4m   m: the stage's width; 4m come out
    inverted     1x1 C -> 4m      depthwise 4m -> 4m   1x1 4m -> m   thin outside, wide inside
    moved_up     depthwise C -> C 1x1 C -> 4m          1x1 4m -> m   the large kernel works on the thin map
    x = activation(last norm(...) + shortcut)                        until "fewer activations" removes it

Published for each step (Table 10): top-1 accuracy from 78.8 % to 82.0 %, and FLOPs, which are
multiply-accumulates::

    4.09  4.53  4.42  2.35  5.27  4.64  4.07  4.10  4.15  4.21  4.29  4.15  4.15  4.15  4.46 (*)  4.49 (*)  x
       10^9

(*) These two do not follow from the nets: layer norm has no convolution, so step 14 costs what step 13 does,
4.15, and ConvNeXt-T costs 4.46. Figure 2 prints 4.2 and 4.5, and Table 11, the same steps from ResNet-200,
has no change at step 14 either.

The paper prints no code for the steps between the two ends.

Departures from the paper

1. ResNet-50 has its stride on the 3x3 convolution ("v1.5", torchvision's, which the paper cites): 4.09, not
   3.86.
2. The stem's activation goes with "fewer activations" and its norm with "fewer norms"; so do the norms of the
   1x1 shortcuts. The text speaks of the residual blocks only, but counts the norm after the stem among those
   that the last step *adds*.
3. Kernel sizes 9 and 11 are steps of the figure that the paper does not keep: the row after 11 continues from
   7.
4. A convolution has a bias unless batch norm follows it. Layer scale, which the training recipe has, comes
   with the last step.
5. Weights start as in torchvision's ResNet (variance 2 / fan_out) up to batch norm, as in ConvNeXt (N(0,
   0.02^2)) afterwards.

Parameters with 1,000 classes: from 25,557,032 (first row) to 28,589,128 (last row).

>>> from dlbook.models import create
>>> sum(p.numel() for p in create("roadmap_convnext_t", device="meta").parameters())
28589128
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from dlbook.checks import find_row, require_images, require_one_of, require_positive, require_sides


@dataclass(frozen=True)
class Config:
    """Describe one step; where nothing else is said, it is ResNet-50.

    Args:
        depths: blocks of each stage, at least 1.
        width: m of the first stage; it doubles at each stage.
        stem: "conv" (7x7/2 and max pooling) or "patch" (4x4/4).
        block: "bottleneck", "inverted" or "moved_up".
        depthwise: whether the spatial convolution sees each channel by itself.
        kernel_size: of the spatial convolution, odd.
        activation: a class of activations.
        fewer_activations: one a block, between the two 1x1 convolutions.
        fewer_norms: one a block, before the two 1x1 convolutions.
        norm: "batch" or "layer".
        separate_downsampling: 2x2/2 convolutions between stages, norms around them, and layer scale.

    Raises:
        ValueError: a value is out of range.
    """

    depths: tuple[int, ...] = (3, 4, 6, 3)
    width: int = 64
    stem: str = "conv"
    block: str = "bottleneck"
    depthwise: bool = False
    kernel_size: int = 3
    activation: type[nn.Module] = nn.ReLU
    fewer_activations: bool = False
    fewer_norms: bool = False
    norm: str = "batch"
    separate_downsampling: bool = False

    def __post_init__(self) -> None:
        require_positive("width", self.width)
        require_positive("kernel_size", self.kernel_size)
        for depth in self.depths or (0,):
            require_positive("depths", depth)
        require_one_of("stem", self.stem, ("conv", "patch"))
        require_one_of("block", self.block, ("bottleneck", "inverted", "moved_up"))
        require_one_of("norm", self.norm, ("batch", "layer"))
        if self.kernel_size % 2 == 0:
            raise ValueError(
                f"expected an odd kernel_size, got {self.kernel_size}; take one more, so that maps keep "
                "their size"
            )


# name of the row, the row that it changes, and what the step changes
STEPS = (
    ("roadmap_stage_ratio", "roadmap_resnet50", {"depths": (3, 3, 9, 3)}),  # macro design
    ("roadmap_patchify", "roadmap_stage_ratio", {"stem": "patch"}),
    ("roadmap_depthwise", "roadmap_patchify", {"depthwise": True}),  # ResNeXt-ify
    ("roadmap_width_96", "roadmap_depthwise", {"width": 96}),
    ("roadmap_inverted", "roadmap_width_96", {"block": "inverted"}),  # inverted bottleneck
    ("roadmap_moved_up", "roadmap_inverted", {"block": "moved_up"}),  # large kernels
    ("roadmap_kernel_5", "roadmap_moved_up", {"kernel_size": 5}),
    ("roadmap_kernel_7", "roadmap_kernel_5", {"kernel_size": 7}),
    ("roadmap_kernel_9", "roadmap_kernel_7", {"kernel_size": 9}),
    ("roadmap_kernel_11", "roadmap_kernel_9", {"kernel_size": 11}),
    ("roadmap_gelu", "roadmap_kernel_7", {"activation": nn.GELU}),  # micro design
    ("roadmap_fewer_activations", "roadmap_gelu", {"fewer_activations": True}),
    ("roadmap_fewer_norms", "roadmap_fewer_activations", {"fewer_norms": True}),
    ("roadmap_layer_norm", "roadmap_fewer_norms", {"norm": "layer"}),
    ("roadmap_convnext_t", "roadmap_layer_norm", {"separate_downsampling": True}),
)

VARIANTS = {"roadmap_resnet50": Config()}
for _name, _base, _change in STEPS:
    VARIANTS[_name] = replace(VARIANTS[_base], **_change)


class LayerNorm(nn.LayerNorm):
    """Normalise the C numbers of each pixel: [B, C, H, W] -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def layer(
    config: Config,
    in_channels: int,
    out_channels: int,
    kernel_size: int = 1,
    stride: int = 1,
    *,
    depthwise: bool = False,
    norm: bool = True,
    activation: bool = False,
) -> nn.Sequential:
    """Build a convolution, then normalisation and activation where asked for: [B, C, H, W] -> [B, C',
    H/stride, W/stride], rounded up.
    """
    groups, bias = in_channels if depthwise else 1, not (norm and config.norm == "batch")
    padding = 0 if kernel_size == stride else kernel_size // 2  # patches do not overlap
    layers = nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=bias)
    )
    if norm:
        layers.append(nn.BatchNorm2d(out_channels) if config.norm == "batch" else LayerNorm(out_channels))
    if activation:
        layers.append(config.activation())
    return layers


class Block(nn.Module):
    """Three convolutions and a shortcut (figure 3): [B, C, H, W] -> [B, out, H/stride, W/stride]."""

    def __init__(self, config: Config, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        # the three convolutions: channels in and out, then kernel size, stride, depthwise or not
        wide, pointwise = 4 * width, (1, 1, False)
        spatial = (config.kernel_size, stride, config.depthwise)
        before, inside, after = {
            "bottleneck": ((in_channels, width), (width, width), (width, wide)),
            "inverted": ((in_channels, wide), (wide, wide), (wide, width)),
            "moved_up": ((in_channels, in_channels), (in_channels, wide), (wide, width)),
        }[config.block]
        if config.block == "moved_up":
            shapes = ((*before, *spatial), (*inside, *pointwise), (*after, *pointwise))
        else:
            shapes = ((*before, *pointwise), (*inside, *spatial), (*after, *pointwise))
        norms = (True, False, False) if config.fewer_norms else (True, True, True)
        activations = (False, True, False) if config.fewer_activations else (True, True, False)
        self.branch = nn.Sequential()
        for (c_in, c_out, kernel_size, step, depthwise), norm, activation in zip(
            shapes, norms, activations, strict=True
        ):
            options = {"depthwise": depthwise, "norm": norm, "activation": activation}
            self.branch.append(layer(config, c_in, c_out, kernel_size, step, **options))
        out_channels = shapes[-1][1]
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = layer(config, in_channels, out_channels, 1, stride, norm=not config.fewer_norms)
        self.activation = nn.Identity() if config.fewer_activations else config.activation()
        self.gamma = None
        if config.separate_downsampling:
            self.gamma = nn.Parameter(torch.full((out_channels, 1, 1), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        branch = self.branch(x)
        if self.gamma is not None:
            branch = self.gamma * branch
        return self.activation(branch + self.shortcut(x))


class Roadmap(nn.Module):
    """Stem, four stages, mean, linear layer: images [B, C, H, W] -> logits [B, K].

    H and W are at least 32.

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
        separate, channels = config.separate_downsampling, config.width
        size, stride = (7, 2) if config.stem == "conv" else (4, 4)
        norm = separate or not config.fewer_norms
        self.stem = layer(
            config, in_channels, channels, size, stride, norm=norm, activation=not config.fewer_activations
        )
        if config.stem == "conv":
            self.stem.append(nn.MaxPool2d(3, 2, padding=1))
        self.stages = nn.ModuleList()
        for index, depth in enumerate(config.depths):
            width, stage = config.width * 2**index, nn.Sequential()
            if separate and index > 0:
                stage.append(nn.Sequential(LayerNorm(channels), nn.Conv2d(channels, width, 2, 2)))
                channels = width
            for position in range(depth):
                stride = 2 if index > 0 and position == 0 and not separate else 1
                stage.append(Block(config, channels, width, stride))
                channels = 4 * width if config.block == "bottleneck" else width
            self.stages.append(stage)
        self.norm = nn.LayerNorm(channels, eps=1e-6) if separate else nn.Identity()
        self.num_features = channels
        self.fc = nn.Linear(channels, num_classes)
        initialise(self)

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of the last map over its pixels, after the last norm: images -> [B, D]."""
        require_images(images, self.in_channels)
        require_sides(images, 32)
        x = self.stem(images)
        for stage in self.stages:
            x = stage(x)
        return self.norm(x.mean(dim=(2, 3)))

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.represent(images))


def initialise(model: Roadmap) -> None:
    """Draw weights as departure 5 says: He et al.'s normal with batch norm; N(0, 0.02^2) with layer norm,
    also for the last linear layer.
    """
    layer_norm = model.config.norm == "layer"
    for module in model.modules():
        if isinstance(module, nn.Conv2d) or (layer_norm and isinstance(module, nn.Linear)):
            if layer_norm:
                nn.init.trunc_normal_(module.weight, std=0.02)
            else:
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def convnext_roadmap(name: str, num_classes: int = 1000, in_channels: int = 3) -> Roadmap:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `Roadmap`."""
    return Roadmap(find_row(name, VARIANTS), num_classes, in_channels)
