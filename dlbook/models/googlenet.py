"""GoogLeNet: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich, "Going Deeper with
Convolutions" (arXiv:1409.4842).

The paper in eleven lines::

    x = lrn(maxpool3x3/2(relu(conv7x7/2(image))))
    x = maxpool3x3/2(lrn(relu(conv3x3(relu(conv1x1(x))))))
    for block in 3a, 3b, 4a ... 4e, 5a, 5b:                  # Table 1; a maxpool3x3/2 before 4a and before 5a
        x = concatenate over the channels (figure 2b):
            relu(conv1x1(x))                                 # detail of one pixel
            relu(conv3x3(relu(conv1x1(x))))                  # each wider filter sees fewer maps:
            relu(conv5x5(relu(conv1x1(x))))                  #   the 1x1 before it reduces them
            relu(conv1x1(maxpool3x3/1(x)))
    logits = linear(dropout(mean over H, W of x))
    head after 4a, after 4d, in training only = linear(dropout(relu(linear(relu(conv1x1(avgpool5x5/3(x)))))))
    loss = cross_entropy(logits) + 0.3 cross_entropy(head 4a) + 0.3 cross_entropy(head 4d)

Departures from the paper

1. Poolings of stride 2 round their size up, which gives Table 1's maps of 56, 28, 14 and 7 pixels.
2. The paper gives no constants of LRN. They are AlexNet's here, and the sum is not divided by n; Caffe's
   replica has k = 1.
3. The paper does not say how weights start. Rows without BN use He et al.'s normal (arXiv:1502.01852), so
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

>>> from dlbook.models import create
>>> sum(p.numel() for p in create("googlenet_no_heads", device="meta").parameters())
6998552
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_positive, require_probability, require_sides
from dlbook.nn.inception import ConvReLU, Inception, Widths
from dlbook.nn.norm import LocalResponseNorm

HEAD_WEIGHT = 0.3  # of each auxiliary head in the loss (section 5)


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
    """Describe one row.

    Args:
        heads: whether it has the auxiliary heads.
        torchvision: whether it is torchvision's form (departure 5).
        drop_prob: probability of dropping a feature before the last linear layer, in [0, 1).

    Raises:
        ValueError: drop_prob is out of range.
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


class Head(nn.Module):
    """An auxiliary classifier (section 5): [B, C, H, W] -> logits [B, K]. It sees 14x14 maps and pools them
    to 4x4.
    """

    def __init__(self, in_channels: int, num_classes: int, torchvision: bool) -> None:
        super().__init__()
        self.window, self.stride = (1, 1) if torchvision else (5, 3)
        self.conv = ConvReLU(in_channels, 128, 1, batch_norm=torchvision)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        if min(x.shape[2:]) >= self.window > 1:
            x = F.avg_pool2d(x, self.window, self.stride)
        x = self.conv(F.adaptive_avg_pool2d(x, 4))  # [B, 128, 4, 4]
        return self.fc2(self.dropout(F.relu(self.fc1(x.flatten(1)), inplace=True)))


class Logits(NamedTuple):
    """Hold what a net with heads returns in training, [B, K] each; later head first, as in torchvision."""

    logits: Tensor
    head_4d: Tensor
    head_4a: Tensor


def pool(size: int) -> nn.MaxPool2d:
    """Return a max pooling of stride 2 that rounds sizes up (departure 1)."""
    return nn.MaxPool2d(size, 2, ceil_mode=True)


def make_stem(in_channels: int, torchvision: bool) -> nn.Sequential:
    """Build all before block 3a: images [B, C, H, W] -> [B, 192, H/8, W/8]."""

    def lrn() -> nn.Module:
        return nn.Identity() if torchvision else LocalResponseNorm(n=5, alpha=1e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        ConvReLU(in_channels, 64, 7, 2, batch_norm=torchvision),
        pool(3),
        lrn(),
        ConvReLU(64, 64, 1, batch_norm=torchvision),
        ConvReLU(64, STEM_CHANNELS, 3, batch_norm=torchvision),
        lrn(),
        pool(3),
    )


class GoogLeNet(nn.Module):
    """Stem, nine Inception blocks, one linear layer: images [B, C, H, W] -> logits [B, K]; in training with
    heads, `Logits`.

    `represent` and the last layer are those of the main road; the auxiliary heads look at earlier maps and do
    not belong to them. H and W are at least 32.

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
        norm, kernel_size = config.torchvision, 3 if config.torchvision else 5
        self.stem = make_stem(in_channels, config.torchvision)
        self.pools = nn.ModuleDict({"4a": pool(3), "5a": pool(2 if config.torchvision else 3)})
        self.blocks, self.heads = nn.ModuleDict(), nn.ModuleDict()
        channels = STEM_CHANNELS
        for name, widths in TABLE.items():
            self.blocks[name] = Inception(channels, widths, norm, kernel_size)
            channels = widths.out
            if config.heads and name in HEADS:
                self.heads[name] = Head(channels, num_classes, config.torchvision)
        self.num_features = channels
        self.dropout = nn.Dropout(config.drop_prob)
        self.fc = nn.Linear(channels, num_classes)
        initialise(self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the nine blocks of Table 1."""
        return tuple(self.blocks.values())

    def represent(self, images: Tensor) -> Tensor:
        """Return the mean of block 5b's maps over their pixels: images [B, C, H, W] -> [B, 1024]."""
        return self._run(images, heads={})[0]

    def forward(self, images: Tensor) -> Tensor | Logits:
        features, aside = self._run(images, self.heads if self.training else {})
        logits = self.fc(self.dropout(features))
        return Logits(logits, *aside) if aside else logits

    def _run(self, images: Tensor, heads: Mapping[str, nn.Module]) -> tuple[Tensor, list[Tensor]]:
        """Return the representation [B, D] and the logits of `heads`, the later one first."""
        require_images(images, self.in_channels)
        require_sides(images, 32)
        x, aside = self.stem(images), []
        for name, block in self.blocks.items():
            if name in self.pools:
                x = self.pools[name](x)
            x = block(x)
            if name in heads:
                aside.insert(0, heads[name](x))
        return x.mean(dim=(2, 3)), aside


def training_loss(outputs: Tensor | Logits, labels: Tensor) -> Tensor:
    """Sum the cross-entropy of the logits and 0.3 times that of each head (section 5); labels int64 [B]."""
    if isinstance(outputs, Tensor):
        return F.cross_entropy(outputs, labels)
    return F.cross_entropy(outputs[0], labels) + HEAD_WEIGHT * sum(
        F.cross_entropy(head, labels) for head in outputs[1:]
    )


def initialise(model: GoogLeNet) -> None:
    """Draw weights, with BN from N(0, 0.01) within 2, without from a normal of variance 2 / fan_in, 1 /
    fan_in before a softmax (departure 3).
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


def googlenet(name: str = "googlenet", num_classes: int = 1000, in_channels: int = 3) -> GoogLeNet:
    """Build a row of `VARIANTS` with fresh weights; arguments and errors are those of `GoogLeNet`."""
    return GoogLeNet(find_row(name, VARIANTS), num_classes, in_channels)
