"""MobileViT: Mehta, Rastegari, "MobileViT: Light-weight, General-purpose, and Mobile-friendly Vision
Transformer" (arXiv:2110.02178).

The block in eight lines (section 3.1)::

    x_l = conv1x1(silu(bn(conv3x3(x))))  # local; [C, H, W] -> [d, H, W]
    x_u = unfold(x_l)                    # P = 2 x 2 pixels of a patch, N = HW / 4 patches: [P, N, d]
    for each p in 1 .. P:                # the pixels in one corner of all patches attend to each other
        x_g[p] = transformer(x_u[p])     # equation (1); pre-norm blocks, without positions
    x_f = silu(bn(conv1x1(fold(x_g))))   # [C, H, W] again, each pixel where it was
    y   = silu(bn(conv3x3([x; x_f])))    # fusion

The 3x3 convolution has carried each pixel's surroundings into it, and attention carries every patch into
every other, so each output sees the whole image. Around the blocks stand MobileNetV2's inverted residuals
("MV2"), with SiLU for ReLU6.

Departures from the paper

1. A map whose sides patches do not divide is resized bilinearly to the next multiple before unfolding, and
   back after folding, as the authors' code and timm do. At 256 x 256, the paper's resolution, nothing is
   resized.
2. Dropout is 0 unless asked for, and is in front of the classifier only; the authors' training also drops 0.1
   within the blocks.
3. Weights start as in the authors' code: He's normal by fan_out for convolutions, normal with deviation 0.02
   for linear layers.

Parameters with 1,000 classes: XXS 1,272,024; XS 2,317,848; S 5,578,632.

>>> from dlbook.models import create
>>> sum(p.numel() for p in create("mobilevit_s", device="meta").parameters())
5578632
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_positive, require_probability
from dlbook.nn.attention import SelfAttention

PATCH = 2  # pixels along the side of a patch, in all stages
HEADS, MLP_RATIO = 4, 2
DEPTHS = (2, 4, 3)  # transformer blocks in the last three stages


@dataclass(frozen=True)
class Config:
    """Describe one column of Table 4.

    Args:
        channels: of the five stages.
        dims: widths d of the three transformers.
        expand: how many times an MV2 block widens its input.
    """

    channels: tuple[int, int, int, int, int]
    dims: tuple[int, int, int]
    expand: int


# Mehta & Rastegari 2021, Table 4
VARIANTS = {
    "mobilevit_xxs": Config((16, 24, 48, 64, 80), (64, 80, 96), 2),
    "mobilevit_xs": Config((32, 48, 64, 80, 96), (96, 120, 144), 4),
    "mobilevit_s": Config((32, 64, 96, 128, 160), (144, 192, 240), 4),
}


class ConvNorm(nn.Module):
    """Convolution without bias, batch normalisation and, if `act`, SiLU: [B, C_in, H, W] -> [B, C_out,
    H/stride, W/stride].
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return F.silu(x, inplace=True) if self.act else x


class MV2(nn.Module):
    """Inverted residual (Sandler et al., arXiv:1801.04381): widen, filter each channel by itself, narrow
    without activation.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expand: int) -> None:
        super().__init__()
        hidden = expand * in_channels
        self.expand = ConvNorm(in_channels, hidden, 1)
        self.depthwise = ConvNorm(hidden, hidden, 3, stride, groups=hidden)
        self.project = ConvNorm(hidden, out_channels, 1, act=False)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        out = self.project(self.depthwise(self.expand(x)))
        return x + out if self.residual else out


def unfold(x: Tensor) -> Tensor:
    """Cut a map [B, d, H, W] of even sides into sequences [B * P, N, d], one for each of the P = 4 places in
    a 2 x 2 patch.
    """
    B, d, H, W = x.shape
    x = x.reshape(B, d, H // PATCH, PATCH, W // PATCH, PATCH)
    x = x.permute(0, 3, 5, 2, 4, 1)  # [B, p, q, rows, columns, d]
    return x.reshape(B * PATCH**2, (H // PATCH) * (W // PATCH), d)


def fold(x: Tensor, height: int, width: int) -> Tensor:
    """Invert `unfold`: [B * P, N, d] -> [B, d, height, width]; channels lie last in memory, which suits the
    1x1 convolution after it.
    """
    d = x.shape[-1]
    x = x.reshape(-1, PATCH, PATCH, height // PATCH, width // PATCH, d)
    x = x.permute(0, 3, 1, 4, 2, 5)  # [B, rows, p, columns, q, d]
    return x.reshape(-1, height, width, d).permute(0, 3, 1, 2)


class MLP(nn.Module):
    """Linear, SiLU, linear; each token by itself: [..., d] -> [..., d]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, MLP_RATIO * dim)
        self.fc2 = nn.Linear(MLP_RATIO * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.silu(self.fc1(x)))


class TransformerBlock(nn.Module):
    """Attention and MLP, each normalised before: [B * P, N, d] -> [B * P, N, d]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = SelfAttention(dim, HEADS)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MLP(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class MobileViTBlock(nn.Module):
    """Figure 1b: [B, C, H, W] -> [B, C, H, W] by local convolution, global attention and fusion."""

    def __init__(self, channels: int, dim: int, depth: int) -> None:
        super().__init__()
        self.local = ConvNorm(channels, channels, 3)
        self.widen = nn.Conv2d(channels, dim, 1, bias=False)
        self.transformer = nn.Sequential(*[TransformerBlock(dim) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.narrow = ConvNorm(dim, channels, 1)
        self.fuse = ConvNorm(2 * channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        features = self.widen(self.local(x))  # [B, d, H, W]
        H, W = features.shape[2:]
        height, width = H + H % PATCH, W + W % PATCH
        if (height, width) != (H, W):
            features = F.interpolate(features, size=(height, width), mode="bilinear", align_corners=False)
        features = fold(self.norm(self.transformer(unfold(features))), height, width)
        if (height, width) != (H, W):
            features = F.interpolate(features, size=(H, W), mode="bilinear", align_corners=False)
        return self.fuse(torch.cat([x, self.narrow(features)], dim=1))


class MobileViT(nn.Module):
    """Stem, five stages, 1x1 convolution, mean, linear layer: images [B, C, H, W] -> logits [B, K].

    Any H and W will do; the paper's images are 256 x 256.

    Args:
        config: a row of `VARIANTS`.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.
        drop_prob: probability of dropping a feature before the last layer, in [0, 1).

    Raises:
        ValueError: an argument is out of range, or in `forward` images do not fit.
    """

    last_layer = "head"

    def __init__(
        self, config: Config, num_classes: int = 1000, in_channels: int = 3, drop_prob: float = 0.0
    ) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        require_probability("drop_prob", drop_prob)
        self.in_channels = in_channels
        self.stem = ConvNorm(in_channels, 16, 3, stride=2)
        c1, c2, *later = config.channels
        expand = config.expand
        first = nn.Sequential(MV2(16, c1, 1, expand))
        second = nn.Sequential(MV2(c1, c2, 2, expand), MV2(c2, c2, 1, expand), MV2(c2, c2, 1, expand))
        self.stages = nn.ModuleList([first, second])
        before = c2
        for channels, dim, depth in zip(later, config.dims, DEPTHS, strict=True):
            mv2 = MV2(before, channels, 2, expand)
            self.stages.append(nn.Sequential(mv2, MobileViTBlock(channels, dim, depth)))
            before = channels
        self.num_features = 4 * later[-1]
        self.last = ConvNorm(later[-1], self.num_features, 1)
        self.drop = nn.Dropout(drop_prob)
        self.head = nn.Linear(self.num_features, num_classes)
        initialise(self)

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of the last convolution's maps over their pixels: images [B, C, H, W] -> [B, D]."""
        require_images(images, self.in_channels)
        x = self.stem(images)
        for stage in self.stages:
            x = stage(x)
        return self.last(x).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.drop(self.represent(images)))


def initialise(model: MobileViT) -> None:
    """Draw convolutions from a normal of variance 2 / fan_out, linear layers from one of deviation 0.02, cut
    at 2; set biases to 0 (departure 3).
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)


def mobilevit(name: str, num_classes: int = 1000, in_channels: int = 3, drop_prob: float = 0.0) -> MobileViT:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `MobileViT`."""
    return MobileViT(find_row(name, VARIANTS), num_classes, in_channels, drop_prob)
