"""Colour shapes: 32 x 32 pictures of one shape each, drawn from known factors.

Digits have no colour, no position to speak of and no background. Here each picture is a function of eight
factors that are drawn independently, so that a chapter can ask what a network has learnt, and what it has
learnt instead.

================  =====================================================================================
shape             circle, square, triangle, cross, ring
color             red, orange, yellow, green, cyan, blue, violet, pink
background        plain, gradient, stripes, checks
x, y              centre of the shape, from 10 to 22 pixels
size              half the extent, from 5 to 9 pixels
angle             from 0 to 2 pi, anticlockwise
shade             grey level of the background, from 0.1 to 0.6
================  =====================================================================================

>>> pictures = color_shapes(100, seed=0, label="color")
>>> pictures
LabelledImages(100 images of 3 x 32 x 32; 8 classes)
>>> sorted(pictures.factors)
['angle', 'background', 'color', 'shade', 'shape', 'size', 'x', 'y']
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from dlbook.checks import require_one_of, require_positive
from dlbook.data.labelled import LabelledImages

SIDE = 32
NAMES = {
    "shape": ("circle", "square", "triangle", "cross", "ring"),
    "color": ("red", "orange", "yellow", "green", "cyan", "blue", "violet", "pink"),
    "background": ("plain", "gradient", "stripes", "checks"),
}
RANGES = {
    "x": (10.0, 22.0),
    "y": (10.0, 22.0),
    "size": (5.0, 9.0),
    "angle": (0.0, 2 * math.pi),
    "shade": (0.1, 0.6),
}
FACTORS = (*NAMES, *RANGES)
PALETTE = torch.tensor(  # red, green, blue of each colour, apart from each other in hue
    [
        (0.90, 0.10, 0.10),
        (1.00, 0.55, 0.00),
        (0.95, 0.90, 0.10),
        (0.15, 0.70, 0.20),
        (0.10, 0.80, 0.85),
        (0.15, 0.30, 0.95),
        (0.55, 0.20, 0.85),
        (1.00, 0.50, 0.75),
    ]
)


def color_shapes(
    n: int, seed: int = 0, label: str = "shape", given: Mapping[str, object] | None = None
) -> LabelledImages:
    """Draw ``n`` pictures; the same ``n``, ``seed`` and ``given`` give the same bits.

    Args:
        n: how many, >= 1.
        seed: of the factors. The first m pictures are those of ``color_shapes(m, seed)``.
        label: the factor that becomes the label: "shape", "color" or "background"; the pictures do not depend
            on it.
        given: factors that are set instead of drawn: a name ("red"), a number, or n numbers, for example
            ``given={"color": shapes.factors["shape"]}`` for a set in which the colour gives the shape away.
            The other factors stay as the seed draws them.

    Returns:
        Images float32 [n, 3, 32, 32] in [0, 1]; ``factors`` holds all eight as tensors [n] (int64 for shape,
        color and background, float32 for the rest).

    Raises:
        ValueError: n is below 1, a factor or name is unknown, or a number is out of range.
    """
    require_positive("n", n, "give the number of pictures")
    require_one_of("label", label, tuple(NAMES))
    factors = _draw_factors(n, seed)
    for name, value in (given or {}).items():
        factors[name] = _checked(name, value, n)
    chunks = [{name: values[i : i + 1024] for name, values in factors.items()} for i in range(0, n, 1024)]
    images = torch.cat([_paint(chunk) for chunk in chunks])
    return LabelledImages(images, factors[label], NAMES[label], factors)


def _draw_factors(n: int, seed: int) -> dict[str, Tensor]:
    """Draw all factors, uniform and independent.

    NumPy's legacy generator is frozen, so that the set stays what it is.
    """
    uniform = torch.from_numpy(
        np.random.RandomState(seed).random_sample((n, len(FACTORS)))
    )  # row i: picture i
    factors = {}
    for column, name in zip(uniform.unbind(1), FACTORS, strict=True):
        if name in NAMES:
            factors[name] = (column * len(NAMES[name])).long()
        else:
            low, high = RANGES[name]
            factors[name] = (low + (high - low) * column).float()
    return factors


def _checked(name: str, value, n: int) -> Tensor:
    if name not in FACTORS:
        raise ValueError(
            f"given: expected factors among {', '.join(FACTORS)}, got {name!r}; name one of these"
        )
    if isinstance(value, str):
        if value not in NAMES.get(name, ()):
            choices = (
                ", ".join(NAMES[name]) if name in NAMES else "a number from {} to {}".format(*RANGES[name])
            )
            raise ValueError(
                f"given[{name!r}]: expected one of: {choices}, got {value!r}; choose one of these"
            )
        value = NAMES[name].index(value)
    values = torch.as_tensor(value)
    if values.ndim > 1 or (values.ndim == 1 and len(values) != n):
        raise ValueError(
            f"given[{name!r}]: expected one number or {n} numbers, got shape {list(values.shape)}; give "
            "one for each picture, or one for all"
        )
    low, high = (0, len(NAMES[name]) - 1) if name in NAMES else RANGES[name]
    if name in NAMES and values.is_floating_point():
        raise ValueError(
            f"given[{name!r}]: expected integers from 0 to {high}, or a name, got {values.dtype}; make "
            "them integers with .long()"
        )
    values = values.to(torch.int64 if name in NAMES else torch.float32)
    if not (low - 1e-5 <= values.min() and values.max() <= high + 1e-5):
        raise ValueError(
            f"given[{name!r}]: expected values from {low} to {high}, got {values.min()} to "
            f"{values.max()}; keep them within"
        )
    return values.expand(n).clone()


def _paint(factors: dict[str, Tensor]) -> Tensor:
    """Paint pictures [n, 3, H, W] of factors [n]: background, then the shape with a smooth edge."""
    f = {name: values[:, None, None] for name, values in factors.items()}  # [n, 1, 1]
    rows, columns = pixel_middles(SIDE)
    u, v = turned_back(f["x"], f["y"], f["angle"], SIDE)
    inside = (0.5 - shape_distances(u, v, f["size"]).gather(0, f["shape"].expand_as(u)[None])[0]).clamp(0, 1)
    ground = _backgrounds(rows, columns, f["shade"]).gather(0, f["background"].expand_as(u)[None])[0]
    color = PALETTE[factors["color"]][:, :, None, None]  # [n, 3, 1, 1]
    return ground[:, None] * (1 - inside[:, None]) + color * inside[:, None]


def pixel_middles(side: int) -> tuple[Tensor, Tensor]:
    """Return row and column of the middle of each pixel, from the upper left corner: [side, side] each."""
    return torch.meshgrid(torch.arange(side) + 0.5, torch.arange(side) + 0.5, indexing="ij")


def turned_back(x: Tensor | float, y: Tensor | float, angle: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Place each pixel as a shape sees it.

    Args:
        x, y: columns and rows of the shapes' centres in pixels, numbers or [n, 1, 1].
        angle: of the shapes, anticlockwise in radians, [n, 1, 1].
        side: height and width of the pictures in pixels.

    Returns:
        Pixels to the right of and above the centre, turned back by the angle, [n, side, side] each.
    """
    rows, columns = pixel_middles(side)
    right, up = columns - x, y - rows
    cos, sin = torch.cos(angle), torch.sin(angle)
    return cos * right + sin * up, cos * up - sin * right


def shape_distances(u: Tensor, v: Tensor, size: Tensor) -> Tensor:
    """Measure each pixel's signed distance to the edge of each shape, negative inside.

    Args:
        u, v: pixels to the right of and above the shape's centre, turned back by its angle, [n, H, W].
        size: half the extent of the shape in pixels, [n, 1, 1].

    Returns:
        Pixels, [5, n, H, W], in the order of ``NAMES["shape"]``.
    """
    radius = (u**2 + v**2).sqrt()
    box = torch.maximum(u.abs(), v.abs())
    beams = torch.minimum(torch.maximum(u.abs(), v.abs() * 3), torch.maximum(u.abs() * 3, v.abs()))
    slanted = math.sqrt(3) / 2 * u.abs() + v / 2
    triangle = torch.maximum(slanted, -v) - size / 2  # equilateral, its corners at distance `size`
    return torch.stack(
        [radius - size, box - 0.85 * size, triangle, beams - size, (radius - 0.75 * size).abs() - size / 4]
    )


def _backgrounds(rows: Tensor, columns: Tensor, shade: Tensor) -> Tensor:
    """Paint the grey levels of each background: [4, n, H, W], between 0 and 0.8."""
    flat = torch.zeros_like(rows)
    slope = (rows + columns) / SIDE - 1
    stripes = torch.where(rows % 8 < 4, 1.0, -1.0)
    checks = stripes * torch.where(columns % 8 < 4, 1.0, -1.0)
    contrast = torch.tensor([0.0, 0.2, 0.1, 0.1])[:, None, None, None]
    return (shade[None] + contrast * torch.stack([flat, slope, stripes, checks])[:, None]).clamp(0, 0.8)
