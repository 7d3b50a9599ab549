"""The zip-code network: LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel, "Backpropagation Applied to
Handwritten Zip Code Recognition" (Neural Computation 1, 1989).

The paper in five lines::

    # weights are shared within a map, biases are not: each of the 960 units of H1 and H2 has its own
    x = squash(H1(pad(image, -1)))  # 12 maps of 8 x 8 from 16 x 16 pixels, 5x5 kernels, stride 2
    x = squash(H2(pad(x, -1)))      # 12 maps of 4 x 4; each sees 8 of the 12 maps of H1
    x = squash(H3(flatten(x)))      # 30 units
    y = squash(output(x))           # 10 units; the target is +1 for the digit, -1 for the nine others

There is no layer of subsampling: the stride thins the maps out. A border of -1, the value of the background,
stands around the image, and around H1 too.

Departures from the paper

1. The paper does not print which 8 maps of H1 a map of H2 sees ("chosen according a scheme that will not be
   described here"). Ours: map j sees j, j+1, ..., j+7, counted round the twelve. So the 12 rows differ, and
   each map of H1 is seen by 8 maps of H2. Any table of 8 a row has the paper's counts.
2. The paper calls its function a scaled hyperbolic tangent and gives no numbers. Ours is that of LeCun et
   al. 1998, 1.7159 tanh(2a/3).
3. Biases start at 0, which the paper does not say. Weights are uniform in +-2.4 / fan_in, as it says.
4. The paper trains by a Newton method with a diagonal Hessian, one digit at a time. A file of a model has no
   optimizer.

Units 1,256 with the 256 pixels. Parameters 9,760: H1 1,068 (300 weights, 768 biases), H2 2,592 (2,400 and
    192), H3 5,790, output 310. Connections 64,660: 63,660 multiply-accumulates, and a bias for each of the
    1,000 units.

>>> model = lenet_1989()
>>> sum(p.numel() for p in model.parameters()), tuple(model(torch.zeros(2, 1, 16, 16)).shape)
(9760, (2, 10))
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import find_row, require, require_images, require_positive, require_size
from dlbook.nn.activations import squash

BACKGROUND = -1.0
MAPS, SEEN, HIDDEN = 12, 8, 30
# Row j: the maps of H1 that map j of H2 sees (departure 1)
H2_INPUTS = tuple(tuple((j + step) % MAPS for step in range(SEEN)) for j in range(MAPS))


@dataclass(frozen=True)
class Config:
    """Describe the network.

    Args:
        inputs: for each map of H2 the maps of H1 that it sees, as many in each row.
        resolution: side of the images in pixels.
    """

    inputs: tuple[tuple[int, ...], ...]
    resolution: int = 16


VARIANTS = {"lenet_1989": Config(H2_INPUTS)}


class Feature(nn.Module):
    """A layer of maps with a bias for each unit: [B, C, H, W] -> [B, M, H/2, W/2], before the squash.

    Args:
        inputs: for each of the M maps, the input maps that it sees.
        side: of the output maps.
    """

    def __init__(self, inputs: tuple[tuple[int, ...], ...], side: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(len(inputs), len(inputs[0]), 5, 5))
        self.bias = nn.Parameter(torch.empty(len(inputs), side, side))
        self.inputs = [channel for row in inputs for channel in row]

    def forward(self, x: Tensor) -> Tensor:
        seen = F.pad(x, (2, 2, 2, 2), value=BACKGROUND)[:, self.inputs]
        return F.conv2d(seen, self.weight, stride=2, groups=len(self.weight)) + self.bias


class Output(nn.Linear):
    """The ten output units with their squash: [B, 30] -> [B, K], each in (-1.7159, 1.7159)."""

    def forward(self, x: Tensor) -> Tensor:
        return squash(super().forward(x))


class LeNet1989(nn.Module):
    """The network of 1989: images [B, C, 16, 16] in [-1, 1] -> scores [B, K]; the largest one is the answer.

    Args:
        config: a row of `VARIANTS`, or your own table of connections.
        num_classes: K.
        in_channels: C of the images.

    Raises:
        ValueError: rows of different lengths or with a map that is not there, or a resolution that 4 does
            not divide; in `forward`, images do not fit.
    """

    last_layer = "output"
    num_features = HIDDEN

    def __init__(self, config: Config, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        rows, side = config.inputs, config.resolution
        lengths = sorted({len(row) for row in rows})
        require(
            len(lengths) == 1 and all(0 <= i < MAPS for row in rows for i in row) and lengths[0] > 0,
            f"rows of one length with maps 0 to {MAPS - 1}",
            f"lengths {lengths}, maps {sorted({i for row in rows for i in row})}",
            "give each map of H2 as many maps of H1",
        )
        require(side > 0 and side % 4 == 0, "a resolution that 4 divides", side, "give 16")
        self.in_channels, self.resolution = in_channels, config.resolution
        side = config.resolution // 4
        self.h1 = Feature((tuple(range(in_channels)),) * MAPS, 2 * side)
        self.h2 = Feature(config.inputs, side)
        self.h3 = nn.Linear(len(config.inputs) * side**2, HIDDEN)
        self.output = Output(HIDDEN, num_classes)
        for layer in (self.h1, self.h2, self.h3, self.output):
            bound = 2.4 / layer.weight[0].numel()
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """Return the layer H2, before its squash."""
        return (self.h2,)

    def represent(self, images: Tensor) -> Tensor:
        """Return the units of H3, squashed: images [B, C, 16, 16] -> [B, 30]."""
        require_images(images, self.in_channels)
        require_size(images, (self.resolution,) * 2, "average them down to 16 x 16 pixels")
        x = squash(self.h2(squash(self.h1(images))))
        return squash(self.h3(x.flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.represent(images))


def lenet_1989(name: str = "lenet_1989", num_classes: int = 10, in_channels: int = 1) -> LeNet1989:
    """Build a row of `VARIANTS` with fresh weights.

    Args:
        name: of the row.
        num_classes: K, at least 1.
        in_channels: C of the images, at least 1.

    Raises:
        ValueError: an unknown name, or an argument out of range.
    """
    config = find_row(name, VARIANTS)
    require_positive("num_classes", num_classes)
    require_positive("in_channels", in_channels)
    return LeNet1989(config, num_classes, in_channels)
