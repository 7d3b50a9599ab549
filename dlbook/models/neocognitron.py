"""The Neocognitron: Fukushima, "Neocognitron: A Self-organizing Neural Network Model for a Mechanism of
Pattern Recognition Unaffected by Shift in Position" (Biological Cybernetics 36, 1980).

Stages of two layers, S-cells that find a feature and C-cells that do not mind where. Cells of one plane have
the same weights. Nothing is differentiated: the winner of a neighbourhood learns what it sees::

    v   = sqrt(sum c u^2)                                    # how much there is to see: it inhibits
    S   = r max(0, (1 + sum a u) / (1 + 2 r / (1 + r) b v) - 1)
    C   = psi((1 + sum d S) / (1 + mean over planes of sum d S) - 1),   psi(x) = x+ / (alpha + x+)

    for each picture, stage after stage:
        best  = the strongest S-cell of each column          # all planes, a small window of places
        seeds = of those in one plane, the strongest
        a[plane] += q c u(seed's field);  b[plane] += q / 2 v(seed)      # and so for the whole plane

A cell that has learned one pattern well fires as max(0, (1 + r) cos - r), where cos is that of the angle
between what it sees and what it learned, weighted by c: nothing below r / (1 + r), and 1 for the pattern.

Departures from the paper

1. The paper's planes have 16, 10, 8, 6, 2 and 1 cells a side; it thins out by steps that are no whole
   numbers. Here each C-layer keeps every second cell (16, 8, 8, 4, 4), and the last one has one cell a plane.
2. The stages learn one after another, so that each sees inputs that have settled.
3. Weights start at small random numbers, where the paper gives the planes of the first stage weak directions.
4. The constants are this book's: c and d fall off by 0.9 and 0.8 a pixel of distance, alpha is 0.5, and q is
   so large that twenty views of a picture bring a cell near the limit above.

>>> net = Neocognitron()
>>> net(torch.rand(2, 1, 16, 16)).shape
torch.Size([2, 24])
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import (
    require,
    require_above,
    require_at_least,
    require_images,
    require_positive,
    require_size,
)


@dataclass(frozen=True)
class Stage:
    """Describe one stage.

    Args:
        planes: number of planes, of S-cells and of C-cells.
        selectivity: r, above 0; a cell keeps still where the cosine is below r / (1 + r).
        gain: q, above 0: how much one picture teaches.
    """

    planes: int = 24
    selectivity: float = 1.5
    gain: float = 200.0


STAGES = (Stage(24, 4.0, 10.0), Stage(24, 1.5, 200.0), Stage(24, 4.0, 1000.0))
AREA, COLUMN, ALPHA = 5, 5, 0.5


def falling(base: float, side: int) -> Tensor:
    """Make weights that fall off with the distance from the middle and sum to 1: [side, side]."""
    places = torch.arange(side) - (side - 1) / 2
    weights = base ** torch.hypot(places[:, None], places[None, :])
    return weights / weights.sum()


class SLayer(nn.Module):
    """S-cells: u [B, C, H, W] -> [B, K, H, W], each plane a feature that it has learned.

    Args:
        stage: K and the two constants.
        channels: C.
    """

    def __init__(self, stage: Stage, channels: int) -> None:
        super().__init__()
        require_positive("planes", stage.planes)
        require_above("selectivity", stage.selectivity)
        require_above("gain", stage.gain)
        self.r, self.q = stage.selectivity, stage.gain
        fixed = falling(0.9, AREA) / channels
        self.register_buffer("c", fixed.expand(1, channels, AREA, AREA).clone())
        self.register_buffer("a", 1e-3 * self.c * torch.rand(stage.planes, channels, AREA, AREA))
        self.register_buffer("b", torch.zeros(stage.planes))

    def inhibition(self, u: Tensor) -> Tensor:
        """Return v, the weighted root mean square of what each place sees: [B, 1, H, W]."""
        return F.conv2d(u.square(), self.c, padding=AREA // 2).clamp(min=0).sqrt()

    def forward(self, u: Tensor) -> Tensor:
        excited = F.conv2d(u, self.a, padding=AREA // 2)
        inhibited = 2 * self.r / (1 + self.r) * self.b[:, None, None] * self.inhibition(u)
        return self.r * ((1 + excited) / (1 + inhibited) - 1).clamp(min=0)

    def learn(self, u: Tensor) -> list[tuple[int, int, int]]:
        """Learn from one input [1, C, H, W], in place; return the seeds as (plane, row, column).

        Raises:
            ValueError: a batch that is not of one.
        """
        require(len(u) == 1, "one input", f"{len(u)} of them", "split the batch, u.split(1)")
        found = seeds(self(u)[0])
        fields, v = F.pad(u[0], (AREA // 2,) * 4), self.inhibition(u)[0, 0]
        for plane, row, column in found:
            self.a[plane] += self.q * self.c[0] * fields[:, row : row + AREA, column : column + AREA]
            self.b[plane] += self.q / 2 * v[row, column]
        return found


def seeds(cells: Tensor) -> list[tuple[int, int, int]]:
    """Choose who learns: the strongest cell of each column, and of those in one plane the strongest.

    Args:
        cells: S-cells [K, H, W], none negative.

    Returns:
        (plane, row, column) of each, at most one a plane; cells that keep still are not chosen.
    """
    planes, height, width = cells.shape
    columns = F.unfold(cells[None], COLUMN, padding=COLUMN // 2)[0]  # [K x 25, places]
    best, which = columns.max(0)
    plane, inside = which // COLUMN**2, which % COLUMN**2
    middle = torch.arange(height * width)
    row = middle // width + inside // COLUMN - COLUMN // 2
    column = middle % width + inside % COLUMN - COLUMN // 2
    chosen: dict[int, tuple[float, int, int]] = {}
    for value, *at in zip(best.tolist(), plane.tolist(), row.tolist(), column.tolist(), strict=True):
        if value > chosen.get(at[0], (0.0,))[0]:
            chosen[at[0]] = (value, at[1], at[2])
    return [(plane, row, column) for plane, (_, row, column) in sorted(chosen.items())]


class CLayer(nn.Module):
    """C-cells: S-cells [B, K, H, W] -> [B, K, H/2, W/2], or [B, K, 1, 1] where one cell sees its whole plane.

    Args:
        side: H and W, if this is the last layer; None: every second cell is kept.
    """

    def __init__(self, side: int | None = None) -> None:
        super().__init__()
        self.stride, self.padding = (1, 0) if side else (2, AREA // 2)
        self.register_buffer("d", falling(1.0 if side else 0.8, side or AREA))

    def forward(self, s: Tensor) -> Tensor:
        planes = s.shape[1]
        d = self.d.expand(planes, 1, *self.d.shape)
        blurred = F.conv2d(s, d, stride=self.stride, padding=self.padding, groups=planes)
        over = ((1 + blurred) / (1 + blurred.mean(1, keepdim=True)) - 1).clamp(min=0)
        return over / (ALPHA + over)


class Neocognitron(nn.Module):
    """Three stages of S- and C-cells: images [B, 1, side, side] -> the last C-cells [B, K], in [0, 1).

    Args:
        stages: of the network, at least one.
        side: of the images in pixels; divisible by 2 for each stage but the last.

    Raises:
        ValueError: an argument out of range, or in `forward` images do not fit.
    """

    def __init__(self, stages: tuple[Stage, ...] = STAGES, side: int = 16) -> None:
        super().__init__()
        require_positive("side", side)
        halved = 2 ** (len(stages) - 1) if stages else 0
        if not halved or side % halved:
            raise ValueError(
                f"expected a side that each of {len(stages)} stages but the last can halve, got {side}; "
                "give 16, and one stage at least"
            )
        self.side = side
        channels = [1, *(stage.planes for stage in stages)]
        self.s = nn.ModuleList(SLayer(*each) for each in zip(stages, channels, strict=False))
        last = side // halved
        self.c = nn.ModuleList(CLayer(last if stage is self.s[-1] else None) for stage in self.s)

    def layers(self, images: Tensor) -> list[Tensor]:
        """Return what all layers give, S and C in turn: each [B, K, H, W]."""
        require_images(images, 1)
        require_size(images, (self.side,) * 2)
        found = [images]
        for s, c in zip(self.s, self.c, strict=True):
            found.append(s(found[-1]))
            found.append(c(found[-1]))
        return found[1:]

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)[-1].flatten(1)

    @torch.no_grad()
    def learn(self, images: Tensor, epochs: int = 1) -> None:
        """Show pictures [B, 1, side, side] in their order, `epochs` times a stage, and learn in place.

        Raises:
            ValueError: `epochs` below 0.
        """
        require_at_least("epochs", epochs, 0)
        for stage, s in enumerate(self.s):
            u = images if stage == 0 else self.layers(images)[2 * stage - 1]
            for _ in range(epochs):
                for one in u.split(1):
                    s.learn(one)
