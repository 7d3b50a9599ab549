"""Residual networks: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (arXiv 1512.03385).

The paper in ten lines::

    x = relu(bn(conv7x7/2(image)));  x = maxpool3x3/2(x)         # ImageNet stem;  CIFAR: relu(bn(conv3x3(image)))
    for stage in stages:                                         # each stage halves H, W and doubles the width
        for block in stage:
            basic:       F = bn(conv3x3(relu(bn(conv3x3(x)))))
            bottleneck:  F = bn(conv1x1(relu(bn(conv3x3(relu(bn(conv1x1(x))))))))
            shortcut:    s = x, or where the shape changes zero-padding (option A) or bn(conv1x1(x)) (option B)
            x = relu(F + s)                                      # equations (1) and (2)
    logits = linear(mean over H, W of x)

Departures from the paper

1. Weights start as normal deviates of variance 2 / fan_out, as in the authors' later Torch release and in
   torchvision. The paper cites He et al. (arXiv 1502.01852), which allows fan_in as well. The last linear
   layer keeps torch's default.
2. The rows named ``_v1_5`` put a bottleneck's stride on its 3x3 convolution (torchvision, NVIDIA). The paper,
   and the rows without a suffix, put it on the first 1x1. Basic blocks have no 1x1, so their two rows are the
   same network.
3. The paper's 18- and 34-layer ImageNet nets of Table 2 use option A: rows ``resnet18_a`` and ``resnet34_a``.
   The plain row names use option B, as the paper's Table 4 and every library do.
4. `zero_init_last_gamma` is Goyal et al.'s (arXiv 1706.02677, section 5.1), so it is a function and off by
   default.

Submodules are named as in torchvision (``layer1.0.downsample.0``), so that its state dicts fit; see
`load_torchvision_state`.

Parameters with 1,000 classes: ResNet-18 11,689,512; 34 21,797,672; 50 25,557,032; 101 44,549,160; 152
    60,192,808.
CIFAR, 10 classes, option A: 20 269,722; 32 464,154; 44 658,586; 56 853,018; 110 1,727,962; ResNet-20 with
    option B 272,474.

>>> sum(p.numel() for p in resnet("resnet20_cifar").parameters())
269722
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_one_of, require_positive
from dlbook.nn.state import load_state


def conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution [B, C_in, H, W] -> [B, C_out, ceil(H/stride), ceil(W/stride)]; no bias, because BN
    follows and has one.
    """
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)


class PadShortcut(nn.Module):
    """Option A: keep every `stride`-th pixel and append channels of zeros. No parameters (section 3.3 of the
    paper).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.extra_channels, self.stride = out_channels - in_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.extra_channels))  # W, H, then C: zeros after the last channel


def make_shortcut(in_channels: int, out_channels: int, stride: int, option: str) -> nn.Module | None:
    """None where x can be added as it is; else option "A" (padding) or "B" (1x1 convolution and BN, equation
    2).
    """
    if stride == 1 and in_channels == out_channels:
        return None
    if option == "A":
        return PadShortcut(in_channels, out_channels, stride)
    return nn.Sequential(conv(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions (figure 5, left): [B, C, H, W] -> [B, width, H/stride, W/stride]."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, shortcut: str, stride_on: str) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(in_channels, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)
        self.downsample = make_shortcut(in_channels, width, stride, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)  # equation (1)
        return F.relu(out, inplace=True)  # the ReLU comes after the sum


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 (figure 5, right): [B, C, H, W] -> [B, 4 width, H/stride, W/stride]."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int, shortcut: str, stride_on: str) -> None:
        super().__init__()
        stride1, stride2 = (stride, 1) if stride_on == "1x1" else (1, stride)  # v1 or v1.5
        self.conv1, self.bn1 = conv(in_channels, width, 1, stride1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride2), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.downsample = make_shortcut(in_channels, 4 * width, stride, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.conv3(out)  # a line of its own: the narrow map is freed before BN makes its output
        out = self.bn3(out)
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


class PlainBlock(nn.Module):
    """The paper's control: the basic block without its shortcut. [B, C, H, W] -> [B, width, H/stride,
    W/stride].
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, shortcut: str, stride_on: str) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(in_channels, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(out)), inplace=True)


@dataclass(frozen=True)
class Config:
    """One row of the paper's tables.

    block: BasicBlock, Bottleneck or PlainBlock.  depths: blocks in each stage.  widths: channels of the 3x3
    convolutions in each stage; the stem has widths[0].  stem: "imagenet" (7x7/2 and max pooling) or "cifar"
    (3x3).  shortcut: "A" or "B".
    stride_on: the bottleneck's convolution that takes the stride, "1x1" (v1) or "3x3" (v1.5).  num_classes:
        K.

    Raises ValueError for a value outside these.
    """

    block: type[nn.Module]
    depths: tuple[int, ...]
    widths: tuple[int, ...] = (64, 128, 256, 512)
    stem: str = "imagenet"
    shortcut: str = "B"
    stride_on: str = "1x1"
    num_classes: int = 1000

    def __post_init__(self) -> None:
        if not self.depths or len(self.depths) != len(self.widths):
            raise ValueError(
                f"depths and widths need one entry a stage, got {self.depths} and {self.widths}; "
                "make them equally long"
            )
        for name, values in (("depths", self.depths), ("widths", self.widths)):
            for value in values:
                require_positive(name, value)
        require_positive("num_classes", self.num_classes)
        for name, allowed in (
            ("stem", ("imagenet", "cifar")),
            ("shortcut", ("A", "B")),
            ("stride_on", ("1x1", "3x3")),
        ):
            require_one_of(name, getattr(self, name), allowed)


CIFAR = {"widths": (16, 32, 64), "stem": "cifar", "num_classes": 10}

# He et al. 2015, Table 1: layers = 1 + 2 or 3 a block + 1.
VARIANTS = {
    "resnet18": Config(BasicBlock, (2, 2, 2, 2)),
    "resnet34": Config(BasicBlock, (3, 4, 6, 3)),
    "resnet50": Config(Bottleneck, (3, 4, 6, 3)),
    "resnet101": Config(Bottleneck, (3, 4, 23, 3)),
    "resnet152": Config(Bottleneck, (3, 8, 36, 3)),
    # torchvision's and NVIDIA's bottleneck; for the two basic rows nothing changes
    "resnet18_v1_5": Config(BasicBlock, (2, 2, 2, 2), stride_on="3x3"),
    "resnet34_v1_5": Config(BasicBlock, (3, 4, 6, 3), stride_on="3x3"),
    "resnet50_v1_5": Config(Bottleneck, (3, 4, 6, 3), stride_on="3x3"),
    "resnet101_v1_5": Config(Bottleneck, (3, 4, 23, 3), stride_on="3x3"),
    "resnet152_v1_5": Config(Bottleneck, (3, 8, 36, 3), stride_on="3x3"),
    # Table 2: option A against the plain controls
    "resnet18_a": Config(BasicBlock, (2, 2, 2, 2), shortcut="A"),
    "resnet34_a": Config(BasicBlock, (3, 4, 6, 3), shortcut="A"),
    "plain18": Config(PlainBlock, (2, 2, 2, 2)),
    "plain34": Config(PlainBlock, (3, 4, 6, 3)),
    # Section 4.2, Table 6: 6n + 2 layers
    **{
        f"resnet{6 * n + 2}_cifar": Config(BasicBlock, (n,) * 3, shortcut="A", **CIFAR)
        for n in (3, 5, 7, 9, 18)
    },
    **{f"plain{6 * n + 2}_cifar": Config(PlainBlock, (n,) * 3, **CIFAR) for n in (3, 5, 7, 9)},
    # what many repositories train instead: option B on CIFAR
    **{f"resnet{6 * n + 2}_cifar_b": Config(BasicBlock, (n,) * 3, **CIFAR) for n in (3, 5, 7, 9, 18)},
}


class ResNet(nn.Module):
    """Stem, stages of blocks, global average pooling, one linear layer: images [B, C, H, W] -> logits [B, K].

    config: a row of `VARIANTS` or your own `Config`.  num_classes: K, None for the row's own.  in_channels: C
    of the images. Raises ValueError for arguments out of range, and in `forward` for input that is not float
    [B, in_channels, H, W].
    """

    def __init__(self, config: Config, num_classes: int | None = None, in_channels: int = 3) -> None:
        super().__init__()
        if not isinstance(config, Config):
            raise ValueError(
                f"config must be a Config such as VARIANTS['resnet50'], got {config!r}; for a name "
                "call resnet(name)"
            )
        num_classes = config.num_classes if num_classes is None else num_classes
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        imagenet = config.stem == "imagenet"
        channels = config.widths[0]
        self.conv1 = conv(in_channels, channels, 7, 2) if imagenet else conv(in_channels, channels, 3)
        self.bn1 = nn.BatchNorm2d(channels)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1) if imagenet else nn.Identity()
        for index, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True)):
            blocks = []
            for position in range(depth):
                stride = 2 if index > 0 and position == 0 else 1  # the pooling has halved the map for stage 1
                blocks.append(config.block(channels, width, stride, config.shortcut, config.stride_on))
                channels = width * config.block.expansion
            self.add_module(f"layer{index + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, num_classes)
        initialise(self)

    @property
    def stages(self) -> list[nn.Sequential]:
        """The stages in order; stage i is the submodule ``layer{i+1}`` and lists its blocks."""
        return [getattr(self, f"layer{index + 1}") for index in range(len(self.config.depths))]

    def run_stem(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] -> [B, C_0, H/4, W/4], with the CIFAR stem [B, C_0, H, W]; ValueError for
        images that do not fit.
        """
        require_images(images, self.in_channels)
        return self.maxpool(F.relu(self.bn1(self.conv1(images)), inplace=True))

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """The output of the stem and of every stage: [B, C_i, H_i, W_i] each."""
        maps = [self.run_stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps

    def forward(self, images: Tensor) -> Tensor:
        x = self.run_stem(images)
        for stage in self.stages:  # without feature_maps, whose list would keep every map alive
            x = stage(x)
        return self.fc(x.mean(dim=(2, 3)))  # [B, C, H, W] -> [B, C] -> [B, K]


def initialise(model: nn.Module) -> None:
    """Convolutions: normal, variance 2 / fan_out (He et al. 2015, arXiv 1502.01852, equation 14). BN: gamma
    1, beta 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def zero_init_last_gamma(model: nn.Module) -> nn.Module:
    """Set gamma of the last BN of each residual block to 0, in place, so that F = 0 and each block starts as
    relu(shortcut).

    Goyal et al. 2017, section 5.1. Returns the model. Raises ValueError if it has no residual block.
    """
    blocks = [module for module in model.modules() if isinstance(module, (BasicBlock, Bottleneck))]
    if not blocks:
        raise ValueError(
            "the model has no BasicBlock or Bottleneck; zero-init is for residual networks, a "
            "plain one would output 0"
        )
    for block in blocks:
        nn.init.zeros_((block.bn3 if isinstance(block, Bottleneck) else block.bn2).weight)
    return model


def load_torchvision_state(model: ResNet, state: Mapping[str, Tensor]) -> ResNet:
    """Copy a state dict of torchvision's resnet18 ... resnet152 into `model`; nothing is copied unless
    everything fits.

    Raises ValueError that names the first tensor that is missing, superfluous or of another shape. A v1
    bottleneck net is refused too: every tensor would fit, but the weights were trained with the stride on the
    3x3 convolution. Old files without ``num_batches_tracked`` are accepted; that counter does not enter the
    computation.
    """
    if model.config.block is Bottleneck and model.config.stride_on != "3x3":
        raise ValueError(
            "torchvision's bottlenecks have the stride on the 3x3 convolution, this model on the "
            "1x1; build a _v1_5 row"
        )
    return load_state(model, state)


def resnet(name: str, num_classes: int | None = None, in_channels: int = 3) -> ResNet:
    """Build a row of `VARIANTS` with fresh weights.

    num_classes: K, None for the paper's (1,000 for ImageNet rows, 10 for CIFAR rows).  in_channels: C of the
    images. Raises ValueError for an unknown name or an argument out of range.
    """
    return ResNet(find_row(name, VARIANTS), num_classes, in_channels)
