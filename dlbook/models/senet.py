"""SE-ResNet: Hu, Shen, Albanie, Sun, Wu, "Squeeze-and-Excitation Networks" (arXiv 1709.01507).

The paper in ten lines: a ResNet whose residual branches are weighed, channel by channel, by what the whole
    map holds::

    x = relu(bn(conv7x7/2(image)));  x = maxpool3x3/2(x)
    for stage in stages:                                         # each but the first halves H, W and doubles the width
        for block in stage:
            U = bn(conv1x1(relu(bn(conv3x3(relu(bn(conv1x1(x))))))))
            z = mean over H, W of U                              # squeeze, equation (2)
            s = sigmoid(W2 relu(W1 z))                           # excite, equation (3); W1 leaves C / r channels, r = 16
            x = relu(s * U + (x, or bn(conv1x1(x)) where the shape changes))    # scale, equation (4); figure 3
    logits = linear(mean over H, W of x)

Departures from the paper

1. Equation (3) is printed without biases; the authors' released nets, timm's, and these have them.
2. The stride of a bottleneck is on its first 1x1 convolution, as in ResNet and in the authors' Caffe nets.
   The rows ``_v1_5`` have it on the 3x3, as timm's seresnet rows. The rows ``_caffe`` are the authors'
   release to the letter: Caffe's max pooling has no padding and rounds up, which gives the same 56 pixels for
   224 but looks at other windows. timm calls them legacy_seresnet, and drops 20 per cent of the last layer's
   input in training unless told otherwise; these do not.
3. Weights start as normal deviates of variance 2 / fan_out, the gates' too, and the gates' biases as 0; the
   last linear layer keeps torch's default.

Parameters with 1,000 classes: SE-ResNet-50 28,088,024; 101 49,326,872; 152 66,821,848. The gates have 10 per
    cent of them.

>>> sum(p.numel() for p in senet("seresnet50", device="meta").parameters())
28088024
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_one_of, require_positive
from dlbook.nn.channel_attention import SqueezeExcitation
from dlbook.nn.state import load_state


def conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution [B, C_in, H, W] -> [B, C_out, ceil(H/stride), ceil(W/stride)]; no bias, because BN
    follows.
    """
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)


class SEBottleneck(nn.Module):
    """ResNet's bottleneck with a gate on its branch: [B, C, H, W] -> [B, 4 width, H/stride, W/stride].

    stride_on: "1x1" or "3x3", the convolution that takes the stride.  reduction: r, so that the gate has 4
        width / r units.
    """

    def __init__(self, in_channels: int, width: int, stride: int, stride_on: str, reduction: int) -> None:
        super().__init__()
        stride1, stride2 = (stride, 1) if stride_on == "1x1" else (1, stride)
        self.conv1, self.bn1 = conv(in_channels, width, 1, stride1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride2), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.se = SqueezeExcitation(4 * width, 4 * width // reduction)
        self.downsample = None
        if stride != 1 or in_channels != 4 * width:
            self.downsample = nn.Sequential(
                conv(in_channels, 4 * width, 1, stride), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.conv3(out)  # a line of its own: the narrow map is freed before BN makes its output
        out = self.bn3(out)
        out = self.se(out)  # after the last BN, before the sum
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


@dataclass(frozen=True)
class Config:
    """One net. depths: blocks in each stage.  widths: channels of the 3x3 convolutions.  stride_on: "1x1" or
    "3x3".

    pool: "padded" or "ceil" (Caffe's, departure 2).  reduction: r; every 4 width must be at least r.
    Raises ValueError for a value outside these.
    """

    depths: tuple[int, ...]
    stride_on: str = "1x1"
    pool: str = "padded"
    widths: tuple[int, ...] = (64, 128, 256, 512)
    reduction: int = 16

    def __post_init__(self) -> None:
        if not self.depths or len(self.depths) != len(self.widths):
            raise ValueError(
                f"depths and widths need one entry a stage, got {self.depths} and {self.widths}; "
                "make them equally long"
            )
        for value in (*self.depths, *self.widths, self.reduction):
            require_positive("each depth and width, and reduction", value)
        require_one_of("stride_on", self.stride_on, ("1x1", "3x3"))
        require_one_of("pool", self.pool, ("padded", "ceil"))


# Hu et al. 2017, Table 1 (right) and Table 2
DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
VARIANTS = {
    **{f"seresnet{layers}": Config(depths) for layers, depths in DEPTHS.items()},
    **{f"seresnet{layers}_v1_5": Config(depths, "3x3") for layers, depths in DEPTHS.items()},
    **{f"seresnet{layers}_caffe": Config(depths, "1x1", "ceil") for layers, depths in DEPTHS.items()},
}


class SEResNet(nn.Module):
    """Stem, stages of blocks, global average pooling, one linear layer: images [B, C, H, W] -> logits [B, K].

    config: a row of `VARIANTS` or your own `Config`.  num_classes: K.  in_channels: C of the images.
    Raises ValueError for arguments out of range, and in `forward` for input that is not float [B,
    in_channels, H, W].
    """

    def __init__(self, config: Config, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        channels = config.widths[0]
        self.conv1, self.bn1 = conv(in_channels, channels, 7, 2), nn.BatchNorm2d(channels)
        self.maxpool = (
            nn.MaxPool2d(3, 2, padding=1) if config.pool == "padded" else nn.MaxPool2d(3, 2, ceil_mode=True)
        )
        for index, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True)):
            blocks = []
            for position in range(depth):
                stride = 2 if index and not position else 1
                blocks.append(SEBottleneck(channels, width, stride, config.stride_on, config.reduction))
                channels = 4 * width
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
    """Convolutions, the gates' too: normal, variance 2 / fan_out; biases 0. BN: gamma 1, beta 0."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def from_timm(name: str) -> str:
    """The name of a tensor of timm's seresnet or legacy_seresnet in this file."""
    name = name.removeprefix("layer0.").replace("last_linear.", "fc.").replace(".se_module.", ".se.")
    return name.replace(".se.fc1.", ".se.reduce.").replace(".se.fc2.", ".se.expand.")


def load_timm_state(model: SEResNet, state: Mapping[str, Tensor]) -> SEResNet:
    """Copy a state dict of timm's seresnet50, 101, 152 (rows ``_v1_5``) or legacy_seresnet50, 101, 152 (rows
    ``_caffe``).

    All or nothing. Raises ValueError that names the first misfit, and for a row whose strides or pooling the
    weights were not trained with, although every tensor would fit: only timm's legacy state has names that
    begin with ``layer0``.
    """
    legacy = any(name.startswith("layer0.") for name in state)
    peer, row, needed = (
        ("legacy_seresnet", "_caffe", ("1x1", "ceil")) if legacy else ("seresnet", "_v1_5", ("3x3", "padded"))
    )
    if (model.config.stride_on, model.config.pool) != needed:
        raise ValueError(
            f"timm's {peer} has its strides on the {needed[0]} convolution and {needed[1]} pooling; "
            f"build a row {row}"
        )
    return load_state(model, state, from_timm)


def senet(name: str, num_classes: int = 1000, in_channels: int = 3, device: str | None = None) -> SEResNet:
    """Build a row of `VARIANTS` with fresh weights; device "meta" builds it without memory.

    Raises ValueError for an unknown name or an argument out of range.
    """
    with torch.device(device or torch.get_default_device()):
        return SEResNet(find_row(name, VARIANTS), num_classes, in_channels)
