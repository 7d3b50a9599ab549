"""EfficientNet: Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
(arXiv:1905.11946).

The paper in ten lines::

    alpha, beta, gamma = 1.2, 1.1, 1.15                  # equation (3): alpha * beta^2 * gamma^2 is about 2
    for a net of phi doublings: depth * alpha^phi, width * beta^phi, resolution * gamma^phi
    x = swish(bn(conv3x3/2(image)))
    for stage in Table 1:                                # MBConv blocks, found by a search for B0
        for block in stage:                              # the first one has the stage's stride
            F = swish(bn(conv1x1(x)))                    # expand the channels sixfold; not in the first stage
            F = squeeze_excite(swish(bn(depthwise(F))))  # 3x3 or 5x5; hidden width: a quarter of x's channels
            F = bn(conv1x1(F))                           # project, no activation
            x = x + stochastic_depth(F) where the shape of x is kept, else F
    logits = linear(dropout(mean over H, W of swish(bn(conv1x1(x)))))

Departures from the paper

1. The rows B1-B7 have the rounded factors of the authors' release, not the powers of equation (3); see
   `compound_scaling`.
2. What the paper leaves open is as in the authors' TensorFlow code: channels rounded to multiples of 8,
   depths rounded up, padding "SAME" (at stride 2 on an even side one more row at the bottom than at the top),
   BN with epsilon 1e-3 and momentum 0.01 (TensorFlow's 0.99), squeeze-excite with swish inside and biases,
   drop probability 0.2 i / n for block i of n, i from 0.
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

from dlbook.checks import (
    find_row,
    require_above,
    require_images,
    require_one_of,
    require_positive,
    require_probability,
)
from dlbook.nn.channel_attention import SqueezeExcitation
from dlbook.nn.divisible import make_divisible
from dlbook.nn.drop import StochasticDepth


@dataclass(frozen=True)
class Stage:
    """Describe one row of Table 1: MBConv blocks of one width; `stride` is the first block's."""

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
    """Describe one row.

    Args:
        width, depth: above 0; multiply the channels and the depths of Table 1.
        resolution: side in pixels of the images that the net was scaled for.
        dropout: probability of dropping a feature before the last layer, in [0, 1).
        drop_prob: probability of dropping the last block's branch, in [0, 1).
        padding: "same" (TensorFlow's) or "symmetric" (k // 2).
        norm_eps, norm_momentum: of BN, in torch's sense.
        squeeze_excite: whether the blocks have squeeze-excite.
        activation: swish with beta = 1, or another class that takes inplace=True.

    Raises:
        ValueError: a value is out of range.
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
    activation: type[nn.Module] = nn.SiLU

    def __post_init__(self) -> None:
        require_above("width", self.width, 0, "B0 has 1.0")
        require_above("depth", self.depth, 0, "B0 has 1.0")
        require_positive("resolution", self.resolution)
        require_probability("dropout", self.dropout)
        require_probability("drop_prob", self.drop_prob)
        require_one_of("padding", self.padding, ("same", "symmetric"))


# The authors' release: width, depth, resolution, dropout
VARIANTS = {
    "efficientnet_b0": Config(1.0, 1.0, 224, 0.2),
    "efficientnet_b1": Config(1.0, 1.1, 240, 0.2),
    "efficientnet_b2": Config(1.1, 1.2, 260, 0.3),
    "efficientnet_b3": Config(1.2, 1.4, 300, 0.3),
    "efficientnet_b4": Config(1.4, 1.8, 380, 0.4),
    "efficientnet_b5": Config(1.6, 2.2, 456, 0.4),
    "efficientnet_b6": Config(1.8, 2.6, 528, 0.5),
    "efficientnet_b7": Config(2.0, 3.1, 600, 0.5),
    "efficientnet_lite0": Config(1.0, 1.0, 224, 0.2, squeeze_excite=False, activation=nn.ReLU6),
}


def torchvision_row(paper: str, **norm: float) -> Config:
    """Return a row of the paper with padding on all sides, and BN's settings if others are given."""
    return replace(VARIANTS[paper], padding="symmetric", **norm)


TORCH_NORM = {"norm_eps": 1e-5, "norm_momentum": 0.1}  # torch's own settings; B5 to B7 have the authors'
VARIANTS |= {
    "efficientnet_b0_torchvision": torchvision_row("efficientnet_b0", **TORCH_NORM),
    "efficientnet_b1_torchvision": torchvision_row("efficientnet_b1", **TORCH_NORM),
    "efficientnet_b2_torchvision": torchvision_row("efficientnet_b2", **TORCH_NORM),
    "efficientnet_b3_torchvision": torchvision_row("efficientnet_b3", **TORCH_NORM),
    "efficientnet_b4_torchvision": torchvision_row("efficientnet_b4", **TORCH_NORM),
    "efficientnet_b5_torchvision": torchvision_row("efficientnet_b5"),
    "efficientnet_b6_torchvision": torchvision_row("efficientnet_b6"),
    "efficientnet_b7_torchvision": torchvision_row("efficientnet_b7"),
}


def compound_scaling(phi: float) -> tuple[float, float, float]:
    """Return the factors of depth, width and resolution for 2^phi times B0's operations (equation 3)."""
    return 1.2**phi, 1.1**phi, 1.15**phi


class SameConv2d(nn.Conv2d):
    """TensorFlow's padding "SAME": the output has ceil(side / stride) pixels, an odd pixel of padding goes
    right and below.
    """

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        sides = zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True)  # of W, then of H
        for size, kernel, stride in sides:
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


class ConvNorm(nn.Module):
    """Convolution without bias, BN, activation or none; strides divide H and W and round up."""

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

    Sandler et al. 2018 (arXiv:1801.04381) for the bottleneck, Tan et al. 2019 (arXiv:1807.11626) for the
    squeeze-excite in it.
    """

    def __init__(
        self, config: Config, in_channels: int, channels: int, stage: Stage, stride: int, drop_prob: float
    ) -> None:
        super().__init__()
        act = config.activation
        hidden = in_channels * stage.expand_ratio
        squeezed = max(1, in_channels // 4)  # a quarter of the block's input, not of the hidden channels
        self.expand = nn.Identity()
        if stage.expand_ratio > 1:
            self.expand = ConvNorm(config, in_channels, hidden, activation=act)
        kernel_size = stage.kernel_size
        self.depthwise = ConvNorm(config, hidden, hidden, kernel_size, stride, hidden, activation=act)
        self.squeeze_excite = nn.Identity()
        if config.squeeze_excite:
            self.squeeze_excite = SqueezeExcitation(hidden, squeezed, act)
        self.project = ConvNorm(config, hidden, channels)
        self.drop = StochasticDepth(drop_prob)
        self.has_shortcut = stride == 1 and in_channels == channels

    def forward(self, x: Tensor) -> Tensor:
        branch = self.depthwise(self.expand(x))
        branch = self.project(self.squeeze_excite(branch))
        return self.drop(branch).add_(x) if self.has_shortcut else branch  # in place: nobody else reads it


class EfficientNet(nn.Module):
    """Stem, seven stages of MBConv, head, mean, linear layer: images [B, C, H, W] -> logits [B, K].

    The side need not be the row's resolution.

    Args:
        config: a row of `VARIANTS` or your own `Config`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
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
        self.stages = nn.Sequential()
        position = 0  # of the block in the whole net
        for stage, depth in zip(B0_STAGES, depths, strict=True):
            width = make_divisible(config.width * stage.channels)
            blocks = nn.Sequential()
            for index in range(depth):
                stride = stage.stride if index == 0 else 1
                drop_prob = config.drop_prob * position / sum(depths)
                blocks.append(MBConv(config, channels, width, stage, stride, drop_prob))
                channels, position = width, position + 1
            self.stages.append(blocks)
        self.num_features = make_divisible(config.width * HEAD_CHANNELS)
        self.head = ConvNorm(config, channels, self.num_features, activation=config.activation)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.num_features, num_classes)
        initialise(self)

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of the head's maps over their pixels: images [B, C, H, W] -> [B, D]."""
        require_images(images, self.in_channels)
        x = images
        for layer in (self.stem, *self.stages, self.head):
            x = layer(x)
        return x.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.dropout(self.represent(images)))


def initialise(model: nn.Module) -> None:
    """Draw the authors' start: convolutions normal with variance 2 / fan_out, fan_out k^2 C_out / groups; the
    linear layer uniform within 1 / sqrt(K); biases 0.
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
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `EfficientNet`."""
    return EfficientNet(find_row(name, VARIANTS), num_classes, in_channels)
