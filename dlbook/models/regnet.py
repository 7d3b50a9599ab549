"""RegNet: Radosavovic, Kosaraju, Girshick, He, Dollár, "Designing Network Design Spaces" (arXiv:2003.13678).

The paper in ten lines::

    u_j = w_0 + w_a * j           for block j of `depth` blocks: widths grow linearly           # equation (2)
    s_j = log(u_j / w_0) / log(w_m)         the power of w_m that this is                       # equation (3)
    w_j = w_0 * w_m ** round(s_j)           whole powers only: runs of blocks share a width    # equation (4)
    stages = the runs of equal w_j, rounded to multiples of 8 and then of the group width
    x = relu(bn(conv3x3/2(image)))          # stem, 32 channels
    for stage in stages:                    # the first block of each stage halves H and W
        for block in stage:                 # X: all; Y: with squeeze-excite in front of the last convolution
            F = bn(conv1x1(relu(bn(grouped_conv3x3(relu(bn(conv1x1(x))))))))
            x = relu(F + s)                 # s = x, or bn(conv1x1(x)) where the shape changes
    logits = linear(mean over H, W of x)

`AnyNet` is the paper's template, in which each stage chooses freely; a RegNet is the AnyNet whose stages come
from the four numbers w_0, w_a, w_m, depth and one group width. Sampling such spaces is in
``dlbook.nas.spaces.regnet``.

Departures from the paper

1. Appendix D rounds widths to whole groups. Ties go to the even number, as in the authors' code: 392 / 16 =
   24.5 makes 24 groups. torchvision has MobileNet's rule instead: ties up, and never below 90 % of the width.
   That changes three nets, the rows named ``_torchvision``. timm has both; its ``_tv`` rows are
   torchvision's.
2. Y: the hidden width of squeeze-excite is a quarter of the *block's input* width, as in the authors' code
   and both libraries. Appendix D says "1/4" and not of what.
3. Weights start as in the authors' code: convolutions normal with variance 2 / (k^2 * output channels),
   groups or not; the last linear layer N(0, 0.01), its bias 0. The paper refers to the ResNet papers.

Parameters with 1,000 classes: X-200MF 2,684,792; X-4.0GF 22,118,248; Y-4.0GF 20,646,656; Y-32GF 145,046,770.

>>> [(stage.depth, stage.width) for stage in stages_of(VARIANTS["regnet_x_200mf"])]
[(1, 24), (1, 56), (4, 152), (7, 368)]
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_one_of, require_positive, require_probability
from dlbook.nn.channel_attention import SqueezeExcitation
from dlbook.nn.residual_frame import ResidualFrame, conv, projection

STEM_WIDTH = 32


@dataclass(frozen=True)
class Config:
    """Describe one row of figures 15 and 16.

    Args:
        w_0: width of the first block, a multiple of 8.
        w_a: slope, at least 0.
        w_m: step between stages, above 1.
        depth: blocks, at least 1.
        group_width: channels in a group, at least 1.
        se_ratio: hidden width of squeeze-excite over the block's input width, 0 for X.
        rounding: of the widths to whole groups, "nearest" or torchvision's "keep_90" (departure 1).

    Raises:
        ValueError: for a value outside these.
    """

    w_0: int
    w_a: float
    w_m: float
    depth: int
    group_width: int
    se_ratio: float = 0.0
    rounding: str = "nearest"

    def __post_init__(self) -> None:
        require_positive("w_0", self.w_0)
        require_positive("depth", self.depth)
        require_positive("group_width", self.group_width)
        require_probability("se_ratio", self.se_ratio)
        require_one_of("rounding", self.rounding, ("nearest", "keep_90"))
        if self.w_0 % 8 or not self.w_a >= 0 or not self.w_m > 1:
            raise ValueError(
                f"expected w_0 to be a multiple of 8, w_a at least 0 and w_m above 1, got {self.w_0}, "
                f"{self.w_a}, {self.w_m}; see the paper's rows in VARIANTS"
            )


# Radosavovic et al. 2020, figures 15 (X) and 16 (Y): named by their multiply-accumulates at 224 x 224
VARIANTS = {
    #                       w_0   w_a    w_m  depth group_width
    "regnet_x_200mf": Config(24, 36.44, 2.49, 13, 8),
    "regnet_x_400mf": Config(24, 24.48, 2.54, 22, 16),
    "regnet_x_600mf": Config(48, 36.97, 2.24, 16, 24),
    "regnet_x_800mf": Config(56, 35.73, 2.28, 16, 16),
    "regnet_x_1_6gf": Config(80, 34.01, 2.25, 18, 24),
    "regnet_x_3_2gf": Config(88, 26.31, 2.25, 25, 48),
    "regnet_x_4_0gf": Config(96, 38.65, 2.43, 23, 40),
    "regnet_x_6_4gf": Config(184, 60.83, 2.07, 17, 56),
    "regnet_x_8gf": Config(80, 49.56, 2.88, 23, 120),
    "regnet_x_12gf": Config(168, 73.36, 2.37, 19, 112),
    "regnet_x_16gf": Config(216, 55.59, 2.1, 22, 128),
    "regnet_x_32gf": Config(320, 69.86, 2.0, 23, 168),
    "regnet_y_200mf": Config(24, 36.44, 2.49, 13, 8, 0.25),
    "regnet_y_400mf": Config(48, 27.89, 2.09, 16, 8, 0.25),
    "regnet_y_600mf": Config(48, 32.54, 2.32, 15, 16, 0.25),
    "regnet_y_800mf": Config(56, 38.84, 2.4, 14, 16, 0.25),
    "regnet_y_1_6gf": Config(48, 20.71, 2.65, 27, 24, 0.25),
    "regnet_y_3_2gf": Config(80, 42.63, 2.66, 21, 24, 0.25),
    "regnet_y_4_0gf": Config(96, 31.41, 2.24, 22, 64, 0.25),
    "regnet_y_6_4gf": Config(112, 33.22, 2.27, 25, 72, 0.25),
    "regnet_y_8gf": Config(192, 76.82, 2.19, 17, 56, 0.25),
    "regnet_y_12gf": Config(168, 73.36, 2.37, 19, 112, 0.25),
    "regnet_y_16gf": Config(200, 106.23, 2.48, 18, 112, 0.25),
    "regnet_y_32gf": Config(232, 115.89, 2.53, 20, 232, 0.25),
    # the same numbers, other rounding; torchvision's other rows are the paper's
    "regnet_x_400mf_torchvision": Config(24, 24.48, 2.54, 22, 16, rounding="keep_90"),
    "regnet_y_800mf_torchvision": Config(56, 38.84, 2.4, 14, 16, 0.25, rounding="keep_90"),
    "regnet_y_8gf_torchvision": Config(192, 76.82, 2.19, 17, 56, 0.25, rounding="keep_90"),
}


@dataclass(frozen=True)
class Stage:
    """Blocks of one width. bottleneck_ratio b: the 3x3 has width / b channels, in groups of group_width each.

    Raises:
        ValueError: unless width is a multiple of b, and width / b of the group width; `fit_groups` makes it
            so.
    """

    depth: int
    width: int
    group_width: int
    bottleneck_ratio: int = 1

    def __post_init__(self) -> None:
        require_positive("depth", self.depth)
        require_positive("width", self.width)
        require_positive("group_width", self.group_width)
        require_positive("bottleneck_ratio", self.bottleneck_ratio)
        if self.width % (self.bottleneck_ratio * self.group_width):
            raise ValueError(
                f"expected width to be a multiple of bottleneck_ratio * group_width, got {self}; see "
                "fit_groups"
            )


def block_widths(config: Config) -> list[int]:
    """Equations (2)-(4): the width of each block, a multiple of 8, before it is fitted to the group width."""
    powers = [
        round(math.log((config.w_0 + config.w_a * j) / config.w_0) / math.log(config.w_m))
        for j in range(config.depth)
    ]
    return [8 * round(config.w_0 * config.w_m**power / 8) for power in powers]


def fit_groups(
    depth: int, width: int, group_width: int, bottleneck_ratio: int = 1, rounding: str = "nearest"
) -> Stage:
    """Appendix D: the stage whose width / b is the nearest multiple of the group width; a group wider than
    width / b shrinks to it.

    The width changes by a third at most.

    Raises:
        ValueError: where width / b is less than 1.
    """
    inner = width // bottleneck_ratio
    require_positive("width / bottleneck_ratio", inner)
    require_positive("group_width", group_width)
    group_width = min(group_width, inner)
    groups = round(inner / group_width)  # half a group goes to the even number
    if rounding == "keep_90":
        groups = math.floor(inner / group_width + 0.5)
        groups += groups * group_width < 0.9 * inner
    return Stage(depth, groups * group_width * bottleneck_ratio, group_width, bottleneck_ratio)


def stages_of(config: Config) -> tuple[Stage, ...]:
    """Return the stages of a RegNet: runs of blocks of equal width, each fitted to the group width."""
    runs = [(len(list(run)), width) for width, run in groupby(block_widths(config))]
    return tuple(
        fit_groups(depth, width, config.group_width, rounding=config.rounding) for depth, width in runs
    )


class Block(nn.Module):
    """1x1, grouped 3x3, squeeze-excite in Y, 1x1 (figure 4, appendix D): [B, C, H, W] -> [B, width,
    ceil(H/stride), ceil(W/stride)].
    """

    def __init__(self, in_channels: int, stage: Stage, stride: int, se_ratio: float) -> None:
        super().__init__()
        width = stage.width
        inner = width // stage.bottleneck_ratio
        self.conv1 = conv(in_channels, inner, 1)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = conv(inner, inner, 3, stride, groups=inner // stage.group_width)
        self.bn2 = nn.BatchNorm2d(inner)
        self.se = nn.Identity()
        if se_ratio:
            self.se = SqueezeExcitation(inner, max(1, round(se_ratio * in_channels)))
        self.conv3 = conv(inner, width, 1)
        self.bn3 = nn.BatchNorm2d(width)
        self.proj = projection(in_channels, width, stride)

    def shortcut(self, x: Tensor) -> Tensor:
        """The block's input, projected where the branch has another shape."""
        return x if self.proj is None else self.proj(x)

    def forward(self, x: Tensor) -> Tensor:
        early = self.shortcut(x) if self.training else None  # shortcut last: see dlbook.nn
        branch = F.relu(self.bn1(self.conv1(x)), inplace=True)
        branch = F.relu(self.bn2(self.conv2(branch)), inplace=True)
        branch = self.se(branch)  # rebind: see dlbook.nn
        branch = self.bn3(self.conv3(branch))
        branch += self.shortcut(x) if early is None else early
        return F.relu(branch, inplace=True)


class AnyNet(ResidualFrame):
    """Stem, stages of blocks, global average pooling, one linear layer (figure 3): images [B, C, H, W] ->
    logits [B, K].

    Args:
        stages: any number of `Stage`.
        se_ratio: hidden width of squeeze-excite over the block's input width, 0 for none.
        num_classes: K.
        in_channels: C.

    Raises:
        ValueError: for arguments out of range, and in `forward` for other images.
    """

    def __init__(
        self, stages: Sequence[Stage], se_ratio: float = 0.0, num_classes: int = 1000, in_channels: int = 3
    ) -> None:
        super().__init__(in_channels)
        if not stages or not all(isinstance(stage, Stage) for stage in stages):
            raise ValueError(
                f"expected stages to be one Stage or more, got {stages!r}; for a row of the table call "
                "regnet(name)"
            )
        require_probability("se_ratio", se_ratio)
        self.num_features = STEM_WIDTH
        self.stem = nn.Sequential(
            conv(in_channels, STEM_WIDTH, 3, 2), nn.BatchNorm2d(STEM_WIDTH), nn.ReLU(inplace=True)
        )
        for stage in stages:
            make_block = partial(Block, stage=stage, se_ratio=se_ratio)
            self.add_stage(make_block, stage.depth, stage.width, stride=2)
        self.add_last_layer(num_classes)
        initialise(self)

    def run_stem(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] -> [B, 32, ceil(H/2), ceil(W/2)]; there is no pooling."""
        require_images(images, self.in_channels)
        return self.stem(images)


def initialise(model: nn.Module) -> None:
    """The authors' start (departure 3). BN begins with gamma 1 and beta 0."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = math.prod(module.kernel_size) * module.out_channels
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


def regnet(name: str, num_classes: int = 1000, in_channels: int = 3) -> AnyNet:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        name: a key of `VARIANTS`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: for an unknown name or an argument out of range.
    """
    config = find_row(name, VARIANTS)
    return AnyNet(stages_of(config), config.se_ratio, num_classes, in_channels)
