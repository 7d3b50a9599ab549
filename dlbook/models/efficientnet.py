"""EfficientNet: Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (arXiv
1905.11946).

The paper in ten lines::

    alpha, beta, gamma = 1.2, 1.1, 1.15                       # equation (3): alpha * beta^2 * gamma^2 is about 2
    for a net of phi doublings: depth * alpha^phi, width * beta^phi, resolution * gamma^phi
    x = swish(bn(conv3x3/2(image)))
    for stage in Table 1:                                     # MBConv blocks, found by a search for B0
        for block in stage:                                   # the first one has the stage's stride
            F = swish(bn(conv1x1(x)))                         # expand the channels sixfold; not in the first stage
            F = squeeze_excite(swish(bn(depthwise(F))))       # 3x3 or 5x5; hidden width: a quarter of x's channels
            F = bn(conv1x1(F))                                # project, no activation
            x = x + stochastic_depth(F) where the shape of x is kept, else F
    logits = linear(dropout(mean over H, W of swish(bn(conv1x1(x)))))

Departures from the paper

1. The rows B1-B7 have the rounded factors of the authors' release, not the powers of equation (3); see
   `compound_scaling`.
2. What the paper leaves open is as in the authors' TensorFlow code: channels rounded to multiples of 8,
   depths rounded up, padding "SAME" (at stride 2 on an even side one more row at the bottom than at the top),
   BN with epsilon 1e-3 and momentum
   0.01 (TensorFlow's 0.99), squeeze-excite with swish inside and biases, drop probability 0.2 i / n for block
      i of n, i from 0.
3. The rows named ``_torchvision`` pad k // 2 on every side and have torchvision's BN settings (for B0-B4
   epsilon 1e-5 and momentum 0.1). timm's ``efficientnet_b*`` are these rows too; its ``tf_efficientnet_b*``
   are the rows without a suffix.
4. ``efficientnet_lite0`` is not in the paper. It is the authors' form for phones: no squeeze-excite, and
   ReLU6 for swish.
5. Stochastic depth divides the branch by the survival probability in training instead of multiplying it at
   test time.

Parameters with 1,000 classes: B0 5,288,548; B1 7,794,184; B2 9,109,994; B3 12,233,232; B4 19,341,616; B5
30,389,784; B6 43,040,704; B7 66,347,960; Lite0 4,652,008.

>>> sum(p.numel() for p in efficientnet("efficientnet_lite0").parameters())
4652008
"""

import math
from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_one_of, require_positive, require_probability
from dlbook.nn.channel_attention import SqueezeExcitation
from dlbook.nn.divisible import make_divisible
from dlbook.nn.drop import StochasticDepth


@dataclass(frozen=True)
class Stage:
    """One row of Table 1: MBConv blocks of one width; `stride` is the first block's."""

    expand_ratio: int
    kernel_size: int
    stride: int
    channels: int
    depth: int


# Tan & Le 2019, Table 1: expand_ratio, kernel_size, stride, channels, depth.
B0_STAGES = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)
STEM_CHANNELS, HEAD_CHANNELS = 32, 1280


@dataclass(frozen=True)
class Config:
    """One row: width and depth multiply Table 1; resolution is the side in pixels that the net was scaled
    for.

    padding: "same" (TensorFlow's) or "symmetric" (k // 2).  dropout, drop_prob: before the last layer; of the
    last block's branch.  Raises ValueError for a value out of range.
    """

    width: float
    depth: float
    resolution: int
    dropout: float
    drop_prob: float = 0.2
    padding: str = "same"
    norm_eps: float = 1e-3
    norm_momentum: float = 0.01
    squeeze_excite: bool = True
    activation: type[nn.Module] = nn.SiLU  # swish with beta = 1; a class that takes inplace=True

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.depth > 0):
            raise ValueError(f"width and depth must be above 0, got {self.width} and {self.depth}")
        require_positive("resolution", self.resolution)
        require_probability("dropout", self.dropout)
        require_probability("drop_prob", self.drop_prob)
        require_one_of("padding", self.padding, ("same", "symmetric"))


#                                width depth resolution dropout; the authors' release
PAPER = {
    "efficientnet_b0": Config(1.0, 1.0, 224, 0.2),
    "efficientnet_b1": Config(1.0, 1.1, 240, 0.2),
    "efficientnet_b2": Config(1.1, 1.2, 260, 0.3),
    "efficientnet_b3": Config(1.2, 1.4, 300, 0.3),
    "efficientnet_b4": Config(1.4, 1.8, 380, 0.4),
    "efficientnet_b5": Config(1.6, 2.2, 456, 0.4),
    "efficientnet_b6": Config(1.8, 2.6, 528, 0.5),
    "efficientnet_b7": Config(2.0, 3.1, 600, 0.5),
}

VARIANTS = {
    **PAPER,
    "efficientnet_lite0": Config(1.0, 1.0, 224, 0.2, squeeze_excite=False, activation=nn.ReLU6),
    # torchvision's: B0-B4 with torch's own BN settings, B5-B7 with the authors'
    **{
        f"{name}_torchvision": replace(row, padding="symmetric", norm_eps=1e-5, norm_momentum=0.1)
        for name, row in PAPER.items()
        if row.resolution <= 380
    },
    **{
        f"{name}_torchvision": replace(row, padding="symmetric")
        for name, row in PAPER.items()
        if row.resolution > 380
    },
}


def compound_scaling(phi: float) -> tuple[float, float, float]:
    """Factors of depth, width and resolution for a budget of 2^phi times B0's operations (equation 3, section
    4).
    """
    return 1.2**phi, 1.1**phi, 1.15**phi


class SameConv2d(nn.Conv2d):
    """TensorFlow's padding "SAME": the output has ceil(side / stride) pixels, an odd pixel of padding goes
    right and below.
    """

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        for size, kernel, stride in zip(
            x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1]
        ):  # W, then H
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


class ConvNorm(nn.Module):
    """Convolution without bias, BN, activation or none: [B, C, H, W] -> [B, C', ceil(H/stride),
    ceil(W/stride)].
    """

    def __init__(
        self,
        config: Config,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: type[nn.Module] = nn.Identity,
    ) -> None:
        super().__init__()
        asymmetric = config.padding == "same" and stride > 1  # at stride 1 the two paddings are the same
        layer, padding = (SameConv2d, 0) if asymmetric else (nn.Conv2d, kernel_size // 2)
        self.conv = layer(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out_channels, eps=config.norm_eps, momentum=config.norm_momentum)
        self.activation = activation(inplace=True)  # nobody else reads the normalised map

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.conv(x)))


class MBConv(nn.Module):
    """Mobile inverted bottleneck with squeeze-excite: [B, C, H, W] -> [B, channels, ceil(H/stride),
    ceil(W/stride)].

    Sandler et al. 2018 (arXiv 1801.04381) for the bottleneck, Tan et al. 2019 (arXiv 1807.11626) for the
    squeeze-excite in it.
    """

    def __init__(
        self, config: Config, in_channels: int, channels: int, stage: Stage, stride: int, drop_prob: float
    ) -> None:
        super().__init__()
        hidden, act = in_channels * stage.expand_ratio, config.activation
        squeezed = max(1, in_channels // 4)  # a quarter of the block's input, not of the hidden channels
        self.expand = (
            ConvNorm(config, in_channels, hidden, activation=act) if stage.expand_ratio > 1 else nn.Identity()
        )
        self.depthwise = ConvNorm(
            config, hidden, hidden, stage.kernel_size, stride, groups=hidden, activation=act
        )
        self.squeeze_excite = (
            SqueezeExcitation(hidden, squeezed, act) if config.squeeze_excite else nn.Identity()
        )
        self.project = ConvNorm(config, hidden, channels)
        self.drop = StochasticDepth(drop_prob)
        self.has_shortcut = stride == 1 and in_channels == channels

    def forward(self, x: Tensor) -> Tensor:
        branch = self.depthwise(self.expand(x))
        branch = self.project(self.squeeze_excite(branch))
        return (
            self.drop(branch).add_(x) if self.has_shortcut else branch
        )  # in place: nobody else reads the branch


class EfficientNet(nn.Module):
    """Stem, seven stages of MBConv, head, global average pooling, one linear layer: images [B, C, H, W] ->
    logits [B, K].

    config: a row of `VARIANTS` or your own `Config`.  num_classes: K.  in_channels: C of the images.  The
    side need not be the row's resolution.  Raises ValueError for arguments out of range, and in `forward` for
    input that is not float [B, C, H, W].
    """

    last_layer = "classifier"

    def __init__(self, config: Config, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        depths = [math.ceil(config.depth * stage.depth) for stage in B0_STAGES]
        channels = make_divisible(config.width * STEM_CHANNELS)
        self.stem = ConvNorm(config, in_channels, channels, 3, stride=2, activation=config.activation)
        self.stages, position = nn.Sequential(), 0
        for stage, depth in zip(B0_STAGES, depths):
            blocks, width = nn.Sequential(), make_divisible(config.width * stage.channels)
            for index in range(depth):
                drop_prob = config.drop_prob * position / sum(depths)
                blocks.append(
                    MBConv(config, channels, width, stage, stage.stride if index == 0 else 1, drop_prob)
                )
                channels, position = width, position + 1
            self.stages.append(blocks)
        self.num_features = make_divisible(config.width * HEAD_CHANNELS)
        self.head = ConvNorm(config, channels, self.num_features, activation=config.activation)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.num_features, num_classes)
        initialise(self)

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """The output of the stem, of every stage and of the head: [B, C_i, H_i, W_i] each."""
        require_images(images, self.in_channels)
        maps = [self.stem(images)]
        for layer in (*self.stages, self.head):
            maps.append(layer(maps[-1]))
        return maps

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of the head's maps over their pixels: images [B, C, H, W] -> [B, D]."""
        require_images(images, self.in_channels)
        x = images
        for layer in (
            self.stem,
            *self.stages,
            self.head,
        ):  # without feature_maps, whose list would keep every map alive
            x = layer(x)
        return x.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.dropout(self.represent(images)))


def initialise(model: nn.Module) -> None:
    """The authors' start: convolutions normal with variance 2 / fan_out, where fan_out is k^2 for a depthwise
    one and k^2 times the output channels otherwise; the linear layer uniform within 1 / sqrt(K); biases 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.out_features)
            nn.init.uniform_(module.weight, -bound, bound)
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
            nn.init.zeros_(module.bias)


def efficientnet(name: str, num_classes: int = 1000, in_channels: int = 3) -> EfficientNet:
    """Build a row of `VARIANTS` with fresh weights.

    num_classes: K.  in_channels: C of the images.  Raises ValueError for an unknown name or an argument out
        of range.
    """
    return EfficientNet(find_row(name, VARIANTS), num_classes, in_channels)
