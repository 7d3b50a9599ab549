"""LeNet-5: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition" (Proc.
IEEE 1998).

The paper in seven lines (section II-B)::

    x = squash(C1(image))        # 6 maps of 28 x 28 from 32 x 32, 5x5 kernels;  squash(a) = 1.7159 tanh(2a/3)
    x = squash(S2(x))            # mean of 2x2, times one weight, plus one bias a map: trainable subsampling
    x = squash(C3(x))            # 16 maps; each sees only the maps of S2 that Table I lists
    x = squash(S4(x));  x = squash(C5(x))  # 120 maps of 1 x 1
    x = squash(F6(x))            # 84 units
    penalty_i = sum_j (x_j - bitmap_ij)^2  # radial basis functions: a drawing of each digit, 7 x 12, +-1

Departures from the paper

1. The original's outputs are penalties: the smallest wins. Here they come with a minus, so that the largest
   does.
2. The paper's bitmaps are drawings of ASCII characters that it prints as figure 3. Ours are drawn for this
   book in the same 7 x 12 format, in {-1, +1}, and fixed like the paper's.
3. S2 computes a *sum* of four in the paper, here their mean: a factor of 4 that the trainable weight absorbs.
   The weights' start is scaled accordingly.
4. Row ``lenet5_modern`` is what textbooks call LeNet-5 now: dense C3, plain pooling, ReLU, a linear output,
   28 x 28 pixels.

Trainable parameters: 60,000 in the original (C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164); 61,706 in
    the modern form.

>>> [sum(p.numel() for p in lenet(name).parameters()) for name in VARIANTS]
[60000, 61706]
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require_images, require_positive, require_size
from dlbook.nn.activations import squash

# Table I: the maps of S2 that each of the 16 maps of C3 sees
C3_INPUTS = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)

# Ten digits, 5 pixels wide and 7 high, framed to 7 x 12 by `digit_bitmaps`
DIGITS = (
    "01110 10001 10011 10101 11001 10001 01110",
    "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00110 01000 10000 11111",
    "11110 00001 00001 01110 00001 00001 11110",
    "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00010 01100",
)


@dataclass(frozen=True)
class Config:
    """Describe one of the two forms.

    Args:
        original: the network of 1998, or the textbooks' form.
        resolution: side of the images in pixels.
        padding: width of the border that the first layer adds, in pixels.
    """

    original: bool
    resolution: int
    padding: int


VARIANTS = {
    "lenet5": Config(True, 32, 0),
    "lenet5_modern": Config(False, 28, 2),
}


def digit_bitmaps() -> Tensor:
    """Return the targets of the output units: [10, 84] in {-1, +1}, each a drawing of its digit, 12 rows of 7
    pixels.
    """
    bitmaps = -torch.ones(10, 12, 7)
    for digit, rows in enumerate(DIGITS):
        pixels = torch.tensor([[int(pixel) for pixel in row] for row in rows.split()])  # [7, 5]
        bitmaps[digit, 2:9, 1:6] = 2.0 * pixels - 1
    return bitmaps.flatten(1)


class Subsampling(nn.Module):
    """Layers S2 and S4, mean of 2x2 pixels, one weight and bias a map: [B, C, H, W] -> [B, C, H/2, W/2]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * F.avg_pool2d(x, 2) + self.bias


class SparseConv(nn.Module):
    """C3: sixteen 5x5 convolutions, each over its own few input maps: [B, 6, H, W] -> [B, 16, H-4, W-4]
    (Table I).
    """

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.ModuleList(nn.Conv2d(len(inputs), 1, 5) for inputs in C3_INPUTS)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(
            [conv(x[:, list(inputs)]) for conv, inputs in zip(self.maps, C3_INPUTS, strict=True)], dim=1
        )


class RadialBasis(nn.Module):
    """Compare with a fixed drawing of each digit (equation 7): [B, 84] -> scores [B, 10], minus the squared
    distances.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bitmaps", digit_bitmaps())

    def forward(self, x: Tensor) -> Tensor:
        return -(x[:, None] - self.bitmaps).square().sum(-1)


class LeNet5(nn.Module):
    """The network of 1998: images [B, C, 32, 32] -> scores [B, 10], minus the squared distances to the
    digits' bitmaps.

    The paper scales images so that the background is -0.1 and the ink 1.175.

    Args:
        config: the row ``lenet5``.
        in_channels: C of the images.

    Raises:
        ValueError: in `forward`, images do not fit.
    """

    last_layer = "output"
    num_features = 84

    def __init__(self, config: Config, in_channels: int = 1) -> None:
        super().__init__()
        self.in_channels, self.resolution = in_channels, config.resolution
        self.c1 = nn.Conv2d(in_channels, 6, 5)
        self.s2 = Subsampling(6)
        self.c3 = SparseConv()
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.output = RadialBasis()
        for module in self.modules():  # section II-B: uniform in +-2.4 / fan_in
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                bound = 2.4 / module.weight[0].numel()
                nn.init.uniform_(module.weight, -bound, bound)
                nn.init.zeros_(module.bias)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the layers S2 to S4, before the squash."""
        return (self.s2, self.c3, self.s4)

    def represent(self, images: Tensor) -> Tensor:
        """Return the units of F6, squashed: images [B, C, 32, 32] -> [B, 84]."""
        require_images(images, self.in_channels)
        require_size(images, (self.resolution,) * 2, "pad or resize them")
        x = squash(self.s2(squash(self.c1(images))))
        x = squash(self.s4(squash(self.c3(x))))
        return squash(self.f6(squash(self.c5(x)).flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.represent(images))


class ModernLeNet5(nn.Module):
    """The textbooks' form: images [B, C, 28, 28] -> logits [B, K].

    Args:
        config: the row ``lenet5_modern``.
        num_classes: K.
        in_channels: C of the images.

    Raises:
        ValueError: in `forward`, images do not fit.
    """

    last_layer = "output"
    num_features = 84

    def __init__(self, config: Config, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        self.in_channels, self.resolution = in_channels, config.resolution
        self.c1 = nn.Conv2d(in_channels, 6, 5, padding=config.padding)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.c5 = nn.Linear(400, 120)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, num_classes)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the layer C3, before its ReLU."""
        return (self.c3,)

    def represent(self, images: Tensor) -> Tensor:
        """Return the units of F6 after their ReLU: images [B, C, 28, 28] -> [B, 84]."""
        require_images(images, self.in_channels)
        require_size(images, (self.resolution,) * 2, "pad or resize them")
        x = F.max_pool2d(F.relu(self.c1(images)), 2)  # [B, 6, 14, 14]
        x = F.max_pool2d(F.relu(self.c3(x)), 2)  # [B, 16, 5, 5]
        return F.relu(self.f6(F.relu(self.c5(x.flatten(1)))))

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.represent(images))


def lenet(name: str = "lenet5", num_classes: int = 10, in_channels: int = 1) -> LeNet5 | ModernLeNet5:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        name: of the row.
        num_classes: K, at least 1; the original knows ten digits only.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: an unknown name, or an argument out of range.
    """
    config = find_row(name, VARIANTS)
    require_positive("num_classes", num_classes)
    require_positive("in_channels", in_channels)
    if config.original and num_classes != 10:
        raise ValueError(
            f"expected num_classes 10, as lenet5 has drawings of 10 digits only, got {num_classes}; use "
            "lenet5_modern"
        )
    if config.original:
        return LeNet5(config, in_channels)
    return ModernLeNet5(config, num_classes, in_channels)
