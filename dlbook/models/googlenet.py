"""GoogLeNet: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich, "Going Deeper with
Convolutions" (arXiv 1409.4842).

The paper in eleven lines::

    x = lrn(maxpool3x3/2(relu(conv7x7/2(image))))
    x = maxpool3x3/2(lrn(relu(conv3x3(relu(conv1x1(x))))))
    for block in 3a, 3b, 4a ... 4e, 5a, 5b:                        # Table 1; a maxpool3x3/2 before 4a and before 5a
        x = concatenate over the channels (figure 2b):
            relu(conv1x1(x))                                       # detail of one pixel
            relu(conv3x3(relu(conv1x1(x))))                        # each wider filter sees fewer maps:
            relu(conv5x5(relu(conv1x1(x))))                        #   the 1x1 before it reduces them
            relu(conv1x1(maxpool3x3/1(x)))
    logits = linear(dropout(mean over H, W of x))
    head after 4a, after 4d, in training only = linear(dropout(relu(linear(relu(conv1x1(avgpool5x5/3(x)))))))
    loss = cross_entropy(logits) + 0.3 cross_entropy(head 4a) + 0.3 cross_entropy(head 4d)

Departures from the paper

1. Poolings of stride 2 round their size up, which gives Table 1's maps of 56, 28, 14 and 7 pixels.
2. The paper gives no constants of LRN. They are AlexNet's here, and the sum is not divided by n; Caffe's
   replica has k = 1.
3. The paper does not say how weights start. Rows without BN use He et al.'s normal (arXiv 1502.01852), so
   that 22 layers of ReLU keep their variance; rows with BN use N(0, 0.01) within two units, as torchvision
   does.
4. A head pools to 4x4 adaptively after its average pooling, and skips that pooling on a map smaller than its
   window. At 224x224 both change nothing; other resolutions work too.
5. The rows ``_torchvision`` are torchvision's: BN (epsilon 0.001) after each convolution instead of biases,
   no LRN, a 3x3 filter where the paper has 5x5 (their issue 906), a 2x2 pooling before 5a, heads that pool
   14x14 to 4x4 adaptively, and dropout of 0.2 instead of 0.4. Left out is its `transform_input`, which
   rescales images for its pretrained weights: normalise the images by mean and deviation 0.5 instead, or
   logits from those weights are wrong.

Parameters with 1,000 classes: 13,378,280, without the heads 6,998,552; torchvision's form 13,004,888 and
    6,624,904.

>>> sum(p.numel() for p in googlenet("googlenet_no_heads", device="meta").parameters())
6998552
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_positive, require_probability
from dlbook.nn.norm import LocalResponseNorm

HEAD_WEIGHT = 0.3  # of each auxiliary head in the loss (section 5)


class Widths(NamedTuple):
    """Channels inside one Inception block, in the columns of Table 1; `out` is what the concatenation has."""

    one: int
    reduce3: int
    three: int
    reduce5: int
    five: int
    project: int

    @property
    def out(self) -> int:
        return self.one + self.three + self.five + self.project


# Szegedy et al. 2014, Table 1:  1x1  3x3 reduce  3x3  5x5 reduce  5x5  pool proj
TABLE = {
    "3a": Widths(64, 96, 128, 16, 32, 32),
    "3b": Widths(128, 128, 192, 32, 96, 64),
    "4a": Widths(192, 96, 208, 16, 48, 64),
    "4b": Widths(160, 112, 224, 24, 64, 64),
    "4c": Widths(128, 128, 256, 24, 64, 64),
    "4d": Widths(112, 144, 288, 32, 64, 64),
    "4e": Widths(256, 160, 320, 32, 128, 128),
    "5a": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(384, 192, 384, 48, 128, 128),
}
STEM_CHANNELS = 192
HEADS = ("4a", "4d")  # the blocks whose output a head sees


@dataclass(frozen=True)
class Config:
    """heads: with the auxiliary heads.  torchvision: departure 5.  drop_prob: before the last linear layer,
    in [0, 1).
    """

    heads: bool = True
    torchvision: bool = False
    drop_prob: float = 0.4

    def __post_init__(self) -> None:
        require_probability("drop_prob", self.drop_prob)


VARIANTS = {
    "googlenet": Config(),
    "googlenet_no_heads": Config(heads=False),
    "googlenet_torchvision": Config(torchvision=True, drop_prob=0.2),
    "googlenet_torchvision_no_heads": Config(heads=False, torchvision=True, drop_prob=0.2),
}


class ConvReLU(nn.Module):
    """Convolution and ReLU, between them BN or nothing: [B, C_in, H, W] -> [B, C_out, ceil(H/stride),
    ceil(W/stride)].
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, batch_norm: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=not batch_norm
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001) if batch_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


class NaiveInception(nn.Module):
    """Figure 2a: 1x1, 3x3, 5x5 and max pooling side by side: [B, C, H, W] -> [B, one + three + five + C, H,
    W].

    Nothing is reduced, so the pooled branch alone hands on all C channels, and the 5x5 filters see them all.
    Raises ValueError unless every width is at least 1.
    """

    def __init__(self, in_channels: int, one: int, three: int, five: int) -> None:
        super().__init__()
        for name, value in (("in_channels", in_channels), ("one", one), ("three", three), ("five", five)):
            require_positive(name, value)
        self.branch1 = ConvReLU(in_channels, one, 1)
        self.branch2 = ConvReLU(in_channels, three, 3)
        self.branch3 = ConvReLU(in_channels, five, 5)
        self.branch4 = nn.MaxPool2d(3, stride=1, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class Inception(nn.Module):
    """Figure 2b, with reductions: four branches, concatenated: [B, C, H, W] -> [B, widths.out, H, W].

    widths: a row of `TABLE` or your own six numbers.  batch_norm, kernel_size: departure 5; `kernel_size` is
    the third branch's filter, 5 in the paper.  Raises ValueError unless every width is at least 1.
    """

    def __init__(
        self, in_channels: int, widths: Widths, batch_norm: bool = False, kernel_size: int = 5
    ) -> None:
        super().__init__()
        require_positive("in_channels", in_channels)
        widths = Widths(*widths)
        for name, value in widths._asdict().items():
            require_positive(name, value)

        def conv(channels: int, width: int, kernel: int) -> ConvReLU:
            return ConvReLU(channels, width, kernel, batch_norm=batch_norm)

        self.branch1 = conv(in_channels, widths.one, 1)
        self.branch2 = nn.Sequential(
            conv(in_channels, widths.reduce3, 1), conv(widths.reduce3, widths.three, 3)
        )
        self.branch3 = nn.Sequential(
            conv(in_channels, widths.reduce5, 1), conv(widths.reduce5, widths.five, kernel_size)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), conv(in_channels, widths.project, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class Head(nn.Module):
    """An auxiliary classifier (section 5): [B, C, H, W] -> logits [B, K]. It sees 14x14 maps and pools them
    to 4x4.
    """

    def __init__(self, in_channels: int, num_classes: int, torchvision: bool) -> None:
        super().__init__()
        self.window, self.stride = (1, 1) if torchvision else (5, 3)
        self.conv = ConvReLU(in_channels, 128, 1, batch_norm=torchvision)
        self.fc1, self.dropout, self.fc2 = (
            nn.Linear(128 * 4 * 4, 1024),
            nn.Dropout(0.7),
            nn.Linear(1024, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        if min(x.shape[2:]) >= self.window > 1:
            x = F.avg_pool2d(x, self.window, self.stride)
        x = self.conv(F.adaptive_avg_pool2d(x, 4))  # [B, 128, 4, 4]
        return self.fc2(self.dropout(F.relu(self.fc1(x.flatten(1)), inplace=True)))


class Logits(NamedTuple):
    """What a net with heads returns in training, [B, K] each; the later head comes first, as in torchvision."""

    logits: Tensor
    head_4d: Tensor
    head_4a: Tensor


class GoogLeNet(nn.Module):
    """Stem, nine Inception blocks, one linear layer: images [B, C, H, W] -> logits [B, K]; in training with
    heads, `Logits`.

    `represent` and the last layer are those of the main road; the auxiliary heads look at earlier maps and do
    not belong to them.

    config: a row of `VARIANTS`.  num_classes: K.  in_channels: C of the images.  H and W at least 32.
    Raises ValueError for arguments out of range.
    """

    last_layer = "fc"

    def __init__(self, config: Config, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        require_positive("num_classes", num_classes)
        require_positive("in_channels", in_channels)
        self.config, self.in_channels = config, in_channels
        norm, kernel_size = config.torchvision, 3 if config.torchvision else 5

        def pool(size: int) -> nn.MaxPool2d:
            return nn.MaxPool2d(size, 2, ceil_mode=True)

        def lrn() -> nn.Module:
            return (
                nn.Identity() if config.torchvision else LocalResponseNorm(n=5, alpha=1e-4, beta=0.75, k=2.0)
            )

        self.stem = nn.Sequential(
            ConvReLU(in_channels, 64, 7, 2, norm),
            pool(3),
            lrn(),
            ConvReLU(64, 64, 1, batch_norm=norm),
            ConvReLU(64, STEM_CHANNELS, 3, batch_norm=norm),
            lrn(),
            pool(3),
        )
        self.pools = nn.ModuleDict({"4a": pool(3), "5a": pool(2 if config.torchvision else 3)})
        self.blocks, self.heads, channels = nn.ModuleDict(), nn.ModuleDict(), STEM_CHANNELS
        for name, widths in TABLE.items():
            self.blocks[name], channels = Inception(channels, widths, norm, kernel_size), widths.out
            if config.heads and name in HEADS:
                self.heads[name] = Head(channels, num_classes, config.torchvision)
        self.num_features = channels
        self.dropout = nn.Dropout(config.drop_prob)
        self.fc = nn.Linear(channels, num_classes)
        initialise(self)

    def run_stem(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] -> [B, 192, H/8, W/8]; ValueError for images that do not fit."""
        require_images(images, self.in_channels)
        if min(images.shape[2:]) < 32:
            raise ValueError(
                "images must be at least 32 pixels high and wide for five halvings, got "
                f"{list(images.shape)}; resize them"
            )
        return self.stem(images)

    def run_block(self, name: str, x: Tensor) -> Tensor:
        """One block of Table 1, with the pooling before it."""
        return self.blocks[name](self.pools[name](x) if name in self.pools else x)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The nine blocks of Table 1."""
        return tuple(self.blocks.values())

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        """The output of the stem and of every block, by its name in Table 1: [B, C_i, H_i, W_i] each."""
        maps = {"stem": self.run_stem(images)}
        x = maps["stem"]
        for name in TABLE:
            x = maps[name] = self.run_block(name, x)
        return maps

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of block 5b's maps over their pixels: images [B, C, H, W] -> [B, 1024]."""
        return self._run(images, heads={})[0]

    def forward(self, images: Tensor) -> Tensor | Logits:
        features, aside = self._run(images, self.heads if self.training else {})
        logits = self.fc(self.dropout(features))
        return Logits(logits, *aside) if aside else logits

    def _run(self, images: Tensor, heads: Mapping[str, nn.Module]) -> tuple[Tensor, list[Tensor]]:
        """Return the representation [B, D] and the logits of `heads`, the later one first."""
        x, aside = self.run_stem(images), []
        for name in TABLE:
            x = self.run_block(name, x)
            if name in heads:
                aside.insert(0, heads[name](x))
        return x.mean(dim=(2, 3)), aside


def training_loss(outputs: Tensor | Logits, labels: Tensor) -> Tensor:
    """Cross-entropy of the logits plus 0.3 times that of each head (section 5); labels int64 [B], a scalar."""
    if isinstance(outputs, Tensor):
        return F.cross_entropy(outputs, labels)
    return F.cross_entropy(outputs[0], labels) + HEAD_WEIGHT * sum(
        F.cross_entropy(head, labels) for head in outputs[1:]
    )


def initialise(model: GoogLeNet) -> None:
    """With BN: N(0, 0.01) within 2; without: normal of variance 2 / fan_in, 1 / fan_in before a softmax
    (departure 3).
    """
    for module in model.modules():
        if not isinstance(module, (nn.Conv2d, nn.Linear)):
            continue
        if model.config.torchvision:
            nn.init.trunc_normal_(module.weight, std=0.01)
        else:
            last = module is model.fc or any(module is head.fc2 for head in model.heads.values())
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear" if last else "relu")
            nn.init.zeros_(module.bias)


def googlenet(
    name: str = "googlenet", num_classes: int = 1000, in_channels: int = 3, device: str | None = None
) -> GoogLeNet:
    """Build a row of `VARIANTS` with fresh weights; device "meta" builds it without memory. ValueError for
    bad arguments.
    """
    with torch.device(device or torch.get_default_device()):
        return GoogLeNet(find_row(name, VARIANTS), num_classes, in_channels)
