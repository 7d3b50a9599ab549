"""Cluttered shapes: 64 x 64 pictures, of which the class is a shape and the texture that fills it.

`color_shapes` are easy: a network that knows nothing about edges does well. Here the picture is full of what
does not count, so that architectures differ:

1. A ground of two colours, with a texture of its own.
2. Two small shapes beneath the large one, and one above it, each with a shape, a texture and two colours
   of its own. They are less than half as large as the one that counts.
3. The large shape, which gives the label: one of five shapes, filled with one of four textures. Colours,
   position, size, angle, the period of the texture and its angle are drawn independently of both.
4. A straight line above all.
5. Light that falls from one side, a contrast that differs from picture to picture, and noise in every pixel.

================  =====================================================================================
shape             circle, square, triangle, cross, ring
texture           plain, stripes, checks, dots
x, y              centre of the shape, from 25 to 39 pixels
size              half the extent, from 16 to 23 pixels
angle             from 0 to 2 pi, anticlockwise
period            of the texture, from 9 to 13 pixels
turn              angle of the texture, from 0 to 2 pi
ground            texture behind all: plain, stripes, checks, dots
contrast          from 0.7 to 1
noise             standard deviation in each pixel, from 0.02 to 0.05
================  =====================================================================================

>>> pictures = cluttered_shapes(100, seed=0)
>>> pictures
LabelledImages(100 images of 3 x 64 x 64; 20 classes)
>>> pictures.classes[:3]
('plain circle', 'stripes circle', 'checks circle')
"""

import math

import numpy as np
import torch
from torch import Tensor

from dlbook.checks import require_one_of, require_positive
from dlbook.data.drawn_shapes import NAMES as PLAIN_NAMES
from dlbook.data.drawn_shapes import shape_distances, turned_back
from dlbook.data.labelled import LabelledImages

SIDE = 64
SHAPES = PLAIN_NAMES["shape"]
TEXTURES = ("plain", "stripes", "checks", "dots")
CLASSES = {
    "both": tuple(f"{texture} {shape}" for shape in SHAPES for texture in TEXTURES),
    "shape": SHAPES,
    "texture": TEXTURES,
}
BENEATH, ABOVE, LINES = 2, 1, 1  # small shapes below and above the large one, and lines
CHUNK = 256  # pictures painted at once


class _Numbers:
    """The uniform numbers of some pictures, [n, F], taken column by column."""

    COLUMNS = 12 + 13 + (BENEATH + ABOVE) * 14 + LINES * 8

    def __init__(self, uniform: Tensor) -> None:
        self.columns = list(uniform.unbind(1))

    def between(self, low: float, high: float) -> Tensor:
        """Take numbers between two bounds, [n, 1, 1]."""
        return (low + (high - low) * self.columns.pop(0).float())[:, None, None]

    def choice(self, count: int) -> Tensor:
        """Take whole numbers from 0 to count - 1, [n, 1, 1]."""
        return (self.columns.pop(0) * count).long()[:, None, None]

    def color(self) -> Tensor:
        """Take any colour, [n, 3, 1, 1]."""
        return torch.stack([self.between(0, 1) for _ in range(3)], dim=1)

    def other_color(self, color: Tensor, least: float, most: float) -> Tensor:
        """Take a colour whose red, green and blue each differ from those of `color`, by no less than `least`
        and no more than `most` (at most 0.5, so that one of the two directions stays within 0 and 1).
        """
        step = torch.stack([self.between(-1, 1) for _ in range(3)], dim=1)
        step = step.sign() * (least + (most - least) * step.abs())
        return color + torch.where((color + step - 0.5).abs() <= 0.5, step, -step)

    def form(self, size: tuple[float, float], middle: tuple[float, float]) -> dict[str, Tensor]:
        """Take what makes a shape, but its colours."""
        return {
            "shape": self.choice(len(SHAPES)),
            "texture": self.choice(len(TEXTURES)),
            "x": self.between(*middle),
            "y": self.between(*middle),
            "size": self.between(*size),
            "angle": self.between(0, 2 * math.pi),
            "period": self.between(9, 13),
            "turn": self.between(0, 2 * math.pi),
        }


def cluttered_shapes(n: int, seed: int = 0, label: str = "both") -> LabelledImages:
    """Draw ``n`` pictures; the same ``n`` and ``seed`` give the same bits.

    NumPy's legacy generator is frozen, so that the set stays what it is.

    Args:
        n: how many, >= 1.
        seed: of all that is drawn, from 0 to 2^32 - 1. The first m pictures are those of
            ``cluttered_shapes(m, seed)``.
        label: "both" (20 classes: shape and texture), "shape" (5) or "texture" (4); the pictures do not
            depend on it.

    Returns:
        Images float32 [n, 3, 64, 64] in [0, 1]; ``factors`` holds those of the table above as tensors [n]
        (int64 for shape, texture and ground, float32 for the rest).

    Raises:
        ValueError: n is below 1, or there is no such label.
    """
    require_positive("n", n, "give the number of pictures")
    require_one_of("label", label, tuple(CLASSES))
    uniform = torch.from_numpy(np.random.RandomState(seed).random_sample((n, _Numbers.COLUMNS)))
    grain = np.random.RandomState([seed, 1])  # row after row, so that fewer pictures are the first of more
    images, factors = [], []
    for chunk in uniform.split(CHUNK):
        noise = torch.from_numpy(grain.standard_normal((len(chunk), 3, SIDE, SIDE))).float()
        painted, found = _paint(_Numbers(chunk), noise)
        images.append(painted)
        factors.append({name: values.flatten() for name, values in found.items()})
    known = {name: torch.cat([each[name] for each in factors]) for name in factors[0]}
    known["both"] = known["shape"] * len(TEXTURES) + known["texture"]
    labels = known[label]
    del known["both"]
    return LabelledImages(torch.cat(images), labels, CLASSES[label], known)


def _paint(numbers: _Numbers, noise: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Paint pictures [n, 3, H, W] from back to front; return them and their factors, [n, 1, 1] each."""
    main = numbers.form(size=(16, 23), middle=(25, 39))
    ground = numbers.color()
    second = numbers.other_color(ground, 0.03, 0.08)
    color = numbers.other_color(ground, 0.3, 0.5)
    fill = numbers.other_color(color, 0.4, 0.5)
    rest = {
        "ground": numbers.choice(len(TEXTURES)),
        "contrast": numbers.between(0.7, 1),
        "noise": numbers.between(0.02, 0.05),
    }
    light, towards = numbers.between(0, 0.15), numbers.between(0, 2 * math.pi)
    # The ground's texture has the period and angle of no shape: they come from what the shape's leave over.
    u, v = _turned(SIDE / 2, SIDE / 2, main["angle"] + 2 * main["turn"])
    canvas = _mixed(ground, second, _texture(u, v, 22 - main["period"], rest["ground"]))
    for _ in range(BENEATH):
        canvas = _small(canvas, numbers)
    canvas = _shape(canvas, main, color, fill)
    for _ in range(ABOVE):
        canvas = _small(canvas, numbers)
    for _ in range(LINES):
        canvas = _line(canvas, numbers)
    across, _ = _turned(SIDE / 2, SIDE / 2, towards)
    lit = 0.5 + rest["contrast"][:, None] * (canvas - 0.5) + (light * across / SIDE)[:, None]
    return (lit + rest["noise"][:, None] * noise).clamp(0, 1), main | rest


def _small(canvas: Tensor, numbers: _Numbers) -> Tensor:
    """Paint a small shape anywhere."""
    form = numbers.form(size=(4, 7), middle=(2, SIDE - 2))
    color = numbers.color()
    return _shape(canvas, form, color, numbers.other_color(color, 0.15, 0.4))


def _shape(canvas: Tensor, form: dict[str, Tensor], color: Tensor, second: Tensor) -> Tensor:
    """Paint a shape with a smooth edge, filled with its texture."""
    u, v = _turned(form["x"], form["y"], form["angle"])
    distance = shape_distances(u, v, form["size"]).gather(0, form["shape"].expand_as(u)[None])[0]
    filling = _texture(*_turned(form["x"], form["y"], form["turn"]), form["period"], form["texture"])
    return _mixed(canvas, _mixed(color, second, filling), (0.5 - distance).clamp(0, 1))


def _line(canvas: Tensor, numbers: _Numbers) -> Tensor:
    """Paint a straight line with a smooth edge."""
    x, y = numbers.between(0, SIDE), numbers.between(0, SIDE)
    u, v = _turned(x, y, numbers.between(0, 2 * math.pi))
    beyond = (u.abs() - numbers.between(8, 32)).clamp(min=0)  # pixels past the nearer end
    distance = (beyond**2 + v**2).sqrt() - numbers.between(0.3, 1)
    return _mixed(canvas, numbers.color(), (0.5 - distance).clamp(0, 1))


def _turned(x: Tensor | float, y: Tensor | float, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Place each pixel of these pictures from the centre (x, y), turned back by the angle: [n, H, W] each."""
    return turned_back(x, y, angle, SIDE)


def _texture(u: Tensor, v: Tensor, period: Tensor, kind: Tensor) -> Tensor:
    """Say how much of the second colour each pixel has, from 0 to 1: [n, H, W]."""
    wave, cross = torch.sin(2 * math.pi * u / period), torch.sin(2 * math.pi * v / period)
    steep = period / 4  # the edge between two colours is about a pixel wide
    stripes = (0.5 + steep * wave).clamp(0, 1)
    checks = (0.5 + steep * wave * cross).clamp(0, 1)
    at = torch.stack([u, v])
    nearest = at - period * torch.round(at / period)  # from the nearest dot's centre, [2, n, H, W]
    dots = (0.5 + 0.32 * period - (nearest**2).sum(0).sqrt()).clamp(0, 1)
    return torch.stack([torch.zeros_like(u), stripes, checks, dots]).gather(0, kind.expand_as(u)[None])[0]


def _mixed(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Mix two pictures or colours [n, 3, H, W]; `share` [n, H, W] is that of the second."""
    return first + share[:, None] * (second - first)
