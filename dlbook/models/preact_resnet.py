"""Pre-activation residual networks: He, Zhang, Ren, Sun, "Identity Mappings in Deep Residual Networks" (arXiv
1603.05027).

The paper in ten lines::

    x = relu(bn(conv(image)))                            # activated once, before the first unit splits (appendix)
    for stage in stages:                                 # each but the first halves H, W and doubles the width
        for unit in stage:
            a = relu(bn(x))                              # the "full pre-activation" of figure 4(e); the first unit has it already
            basic:       F = conv3x3(relu(bn(conv3x3(a))))
            bottleneck:  F = conv1x1(relu(bn(conv3x3(relu(bn(conv1x1(a)))))))
            shortcut:    h = x, or conv1x1(a) where the shape changes: a projection starts from the activated input
            x = h + F                                    # equation (3) with f = identity: nothing follows the sum
    logits = linear(mean over H, W of relu(bn(x)))       # one more activation after the last unit

Because nothing stands on the path of the identity shortcuts, x_L = x_l + the sum of all F between them:
equation (4).

Departures from the paper

1. The paper does not say where the first activation of the ImageNet nets stands; rows ``preact_resnet50`` ...
   ``200`` have it before the max pooling, as ResNet has. The rows ``resnetv2_18`` ... ``152`` are timm's:
   pool first, then let the first unit normalise; a bottleneck's stride on its 3x3 convolution, not the first
   1x1; and basic units whose first identity shortcut starts from the raw input. The paper has neither 18, 34
   nor 50 layers.
2. Basic rows (20, 56, 110 layers) change shape by projection, as the authors' bottlenecks and pytorchcv's
   nets do. The paper's ResNet-110 follows He et al. 2015, whose CIFAR nets pad with zeros; the projections
   add 2,560 parameters.
3. Weights start as normal deviates of variance 2 / fan_out, the linear bias as 0, as in the authors' Torch
   code.

Parameters: 164 layers (CIFAR, 10 classes) 1,703,258; 1001 layers 10,327,706; 110 basic 1,730,522; ImageNet 50
25,549,352; 101 44,541,480; 152 60,185,128; 200 64,666,152.

>>> sum(p.numel() for p in preact_resnet("preact_resnet1001_cifar", device="meta").parameters())
10327706
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_one_of, require_positive
from dlbook.nn.state import load_state


def conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution [B, C_in, H, W] -> [B, C_out, ceil(H/stride), ceil(W/stride)] without bias: BN follows,
    sooner or later.
    """
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)


def activate(norm: nn.Module, x: Tensor) -> Tensor:
    """relu(bn(x)) in a new tensor: x itself stays as it is, for the shortcut needs it."""
    return F.relu(norm(x), inplace=True)


def make_projection(in_channels: int, out_channels: int, stride: int) -> nn.Conv2d | None:
    """None where x can be added as it is, else a 1x1 convolution; it has no BN, for its input is normalised
    already.
    """
    return None if stride == 1 and in_channels == out_channels else conv(in_channels, out_channels, 1, stride)


class BasicUnit(nn.Module):
    """Two 3x3 convolutions, each after BN and ReLU: [B, C, H, W] -> [B, width, H/stride, W/stride].

    activated: the input has been through BN and ReLU already, so that this unit does not begin with them.
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, stride_on: str, activated: bool) -> None:
        super().__init__()
        self.downsample = make_projection(in_channels, width, stride)
        self.norm1 = None if activated else nn.BatchNorm2d(in_channels)
        self.conv1 = conv(in_channels, width, 3, stride)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        activated = x if self.norm1 is None else activate(self.norm1, x)
        shortcut = x if self.downsample is None else self.downsample(activated)
        out = self.conv1(activated)
        out = self.conv2(activate(self.norm2, out))
        out += shortcut  # no ReLU follows
        return out


class BottleneckUnit(nn.Module):
    """1x1, 3x3, 1x1, each after BN and ReLU: [B, C, H, W] -> [B, 4 width, H/stride, W/stride].

    stride_on: "1x1" or "3x3", the convolution that takes the stride.  activated: as in `BasicUnit`.
    """

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int, stride_on: str, activated: bool) -> None:
        super().__init__()
        stride1, stride2 = (stride, 1) if stride_on == "1x1" else (1, stride)
        self.downsample = make_projection(in_channels, 4 * width, stride)
        self.norm1 = None if activated else nn.BatchNorm2d(in_channels)
        self.conv1 = conv(in_channels, width, 1, stride1)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3, stride2)
        self.norm3 = nn.BatchNorm2d(width)
        self.conv3 = conv(width, 4 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        activated = x if self.norm1 is None else activate(self.norm1, x)
        shortcut = x if self.downsample is None else self.downsample(activated)
        out = self.conv1(activated)
        out = self.conv2(activate(self.norm2, out))
        out = self.conv3(activate(self.norm3, out))
        out += shortcut  # no ReLU follows
        return out


@dataclass(frozen=True)
class Config:
    """One net. unit: BasicUnit or BottleneckUnit.  depths: units in each stage.  widths: channels of the 3x3
    convolutions.

    stem: "cifar" (3x3, activated), "imagenet" (7x7/2, activated, pooled) or "timm" (7x7/2, pooled; the first
        unit activates).
    stem_width: its channels.  stride_on: a bottleneck's convolution with the stride, "1x1" or "3x3".
    num_classes: K. Raises ValueError for a value outside these.
    """

    unit: type[nn.Module]
    depths: tuple[int, ...]
    widths: tuple[int, ...] = (64, 128, 256, 512)
    stem: str = "imagenet"
    stem_width: int = 64
    stride_on: str = "1x1"
    num_classes: int = 1000

    def __post_init__(self) -> None:
        if not self.depths or len(self.depths) != len(self.widths):
            raise ValueError(
                f"depths and widths need one entry a stage, got {self.depths} and {self.widths}; "
                "make them equally long"
            )
        for value in (*self.depths, *self.widths, self.stem_width, self.num_classes):
            require_positive("each depth and width, stem_width and num_classes", value)
        require_one_of("stem", self.stem, ("cifar", "imagenet", "timm"))
        require_one_of("stride_on", self.stride_on, ("1x1", "3x3"))


CIFAR = {"widths": (16, 32, 64), "stem": "cifar", "stem_width": 16, "num_classes": 10}
TIMM = {"stem": "timm", "stride_on": "3x3"}

VARIANTS = {
    # He et al. 2016, Tables 2 to 4, CIFAR: 6n + 2 layers of basic units, 9n + 2 of bottlenecks
    **{f"preact_resnet{6 * n + 2}_cifar": Config(BasicUnit, (n,) * 3, **CIFAR) for n in (3, 9, 18)},
    **{f"preact_resnet{9 * n + 2}_cifar": Config(BottleneckUnit, (n,) * 3, **CIFAR) for n in (18, 111)},
    # Table 5, ImageNet: 152 and 200; 50 and 101 as in He et al. 2015
    "preact_resnet50": Config(BottleneckUnit, (3, 4, 6, 3)),
    "preact_resnet101": Config(BottleneckUnit, (3, 4, 23, 3)),
    "preact_resnet152": Config(BottleneckUnit, (3, 8, 36, 3)),
    "preact_resnet200": Config(BottleneckUnit, (3, 24, 36, 3)),
    # timm's, departure 1
    "resnetv2_18": Config(BasicUnit, (2, 2, 2, 2), **TIMM),
    "resnetv2_34": Config(BasicUnit, (3, 4, 6, 3), **TIMM),
    "resnetv2_50": Config(BottleneckUnit, (3, 4, 6, 3), **TIMM),
    "resnetv2_101": Config(BottleneckUnit, (3, 4, 23, 3), **TIMM),
    "resnetv2_152": Config(BottleneckUnit, (3, 8, 36, 3), **TIMM),
}


class PreActResNet(nn.Module):
    """Stem, stages of units, a last BN and ReLU, global average pooling, one linear layer: [B, C, H, W] ->
    logits [B, K].

    config: a row of `VARIANTS` or your own `Config`.  num_classes: K, None for the row's own.  in_channels: C
    of the images. Raises ValueError for arguments out of range, and in `forward` for input that is not float
    [B, in_channels, H, W].
    """

    def __init__(self, config: Config, num_classes: int | None = None, in_channels: int = 3) -> None:
        super().__init__()
        num_classes = config.num_classes if num_classes is None else num_classes
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        channels, large = config.stem_width, config.stem != "cifar"
        self.stem = conv(in_channels, channels, 7, 2) if large else conv(in_channels, channels, 3)
        self.stem_norm = None if config.stem == "timm" else nn.BatchNorm2d(channels)
        self.pool = nn.MaxPool2d(3, 2, padding=1) if large else nn.Identity()
        self.stages = nn.ModuleList()
        for index, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True)):
            units = []
            for position in range(depth):
                first = position == 0
                activated = first and index == 0 and self.stem_norm is not None
                units.append(
                    config.unit(channels, width, 2 if first and index else 1, config.stride_on, activated)
                )
                channels = width * config.unit.expansion
            self.stages.append(nn.Sequential(*units))
        self.norm = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, num_classes)
        initialise(self)

    def run_stem(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] -> what the first stage sees, [B, C_0, H_0, W_0]; ValueError for images that do
        not fit.
        """
        require_images(images, self.in_channels)
        x = self.stem(images)
        return self.pool(x if self.stem_norm is None else activate(self.stem_norm, x))

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """The output of the stem and of every stage, [B, C_i, H_i, W_i] each; the last after its BN and ReLU."""
        maps = [self.run_stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        maps[-1] = activate(self.norm, maps[-1])
        return maps

    def forward(self, images: Tensor) -> Tensor:
        x = self.run_stem(images)
        for stage in self.stages:  # without feature_maps, whose list would keep every map alive
            x = stage(x)
        x = activate(self.norm, x)
        return self.fc(x.mean(dim=(2, 3)))  # [B, C, H, W] -> [B, C] -> [B, K]


def initialise(model: nn.Module) -> None:
    """Convolutions: normal, variance 2 / fan_out. BN: gamma 1, beta 0. Linear bias: 0; its weight as torch
    has it.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


def from_timm(name: str) -> str:
    """The name of one of timm's tensors in this file."""
    for theirs, ours in (
        ("stem.conv.", "stem."),
        (".blocks.", "."),
        ("downsample.conv.", "downsample."),
        ("head.fc.", "fc."),
    ):
        name = name.replace(theirs, ours)
    return name


def load_timm_state(model: PreActResNet, state: Mapping[str, Tensor]) -> PreActResNet:
    """Copy a state dict of timm's resnetv2_18 ... resnetv2_152; all or nothing; ValueError names the first
    misfit.

    The paper's bottleneck rows are refused: their stride stands elsewhere. timm's classifier is a 1x1
    convolution.
    """
    if model.config.stem != "timm" or model.config.stride_on != "3x3":
        raise ValueError(
            "timm's resnetv2 pools before the first BN and strides on the 3x3 convolution; build a "
            "row resnetv2_18 ... resnetv2_152"
        )
    return load_state(
        model, {name: t.flatten(1) if name == "head.fc.weight" else t for name, t in state.items()}, from_timm
    )


def preact_resnet(
    name: str, num_classes: int | None = None, in_channels: int = 3, device: str | None = None
) -> PreActResNet:
    """Build a row of `VARIANTS` with fresh weights; device "meta" builds it without memory.

    num_classes: K, None for the row's own (1,000 for ImageNet, 10 for CIFAR).  in_channels: C of the images.
    Raises ValueError for an unknown name or an argument out of range.
    """
    with torch.device(device or torch.get_default_device()):
        return PreActResNet(find_row(name, VARIANTS), num_classes, in_channels)
