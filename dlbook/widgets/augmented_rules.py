"""What each augmentation of :class:`Augmented` makes of a picture; augmented_rules.js says the same.

A picture is an array [side, side, 3] with values in [0, 1], a place is (row, column).

>>> import numpy as np
>>> ramp = np.zeros((4, 4, 3)) + np.linspace(0, 1, 4)[:, None]
>>> changed(ramp, "flip", 0.0, (0, 0), "bilinear", (0, 0, 0))[0, :, 0].round(2).tolist()
[1.0, 0.67, 0.33, 0.0]
>>> source("shift", 0.5, 4, (1, 3))
(1.0, 2.0)
"""

import math

import numpy as np

from dlbook.browser.random_numbers import Generator

MOVES = ("rotation", "shift", "scaling", "shear", "flip")
VALUES = ("brightness", "contrast", "saturation", "hue", "PCA colour")
NOISES = ("Gaussian noise", "salt and pepper")
HOLES = ("cutout", "random erasing")
KINDS = (*MOVES, *VALUES, *NOISES, *HOLES)
BILINEAR, NEAREST = "bilinear", "nearest"
GREY = (0.2989, 0.587, 0.114)  # ITU-R 601's, with torchvision's digits
SEED = 5


def inverse(kind, strength, side):
    """Return a, b, c, d, e, f: the result at (x, y) is taken from (a x + b y + c, d x + e y + f).

    Both are in pixels from the centre, y downwards. At strength 1: half a turn anticlockwise, half the side
    to the right, three times as large, a slant of 45 degrees; a flip has no strength.
    """
    if kind == "rotation":
        cos, sin = math.cos(math.pi * strength), math.sin(math.pi * strength)
        return cos, -sin, 0, sin, cos, 0
    if kind == "shift":
        return 1, 0, -strength * side / 2, 0, 1, 0
    if kind == "scaling":
        return 3.0**-strength, 0, 0, 0, 3.0**-strength, 0
    if kind == "shear":
        return 1, math.tan(math.pi / 4 * strength), 0, 0, 1, 0
    return (-1 if kind == "flip" else 1), 0, 0, 0, 1, 0


def source(kind, strength, side, place):
    """Return the place that a pixel of the result asks: (row, column) in the picture, no whole numbers."""
    a, b, c, d, e, f = inverse(kind, strength, side)
    y, x = (number - (side - 1) / 2 for number in place)
    return d * x + e * y + f + (side - 1) / 2, a * x + b * y + c + (side - 1) / 2


def neighbours(row, column, mode):
    """Return the pixels that answer, as (row, column, weight): four, or the nearest one."""
    if mode == NEAREST:
        return [(np.floor(row + 0.5), np.floor(column + 0.5), np.ones_like(row))]
    top, left = np.floor(row), np.floor(column)
    down, right = row - top, column - left
    return [
        (top, left, (1 - down) * (1 - right)),
        (top, left + 1, (1 - down) * right),
        (top + 1, left, down * (1 - right)),
        (top + 1, left + 1, down * right),
    ]


def sampled(picture, kind, strength, mode):
    """Return the picture, moved; outside of it stands black."""
    side = len(picture)
    row, column = source(kind, strength, side, np.indices((side, side), float))
    total = np.zeros_like(picture)
    for r, c, weight in neighbours(row, column, mode):
        inside = (r >= 0) & (r < side) & (c >= 0) & (c < side)
        at = r.clip(0, side - 1).astype(int), c.clip(0, side - 1).astype(int)
        total += (weight * inside)[..., None] * picture[at]
    return total


def recoloured(picture, kind, strength, axis):
    """Return the picture with other colours: a factor of 1 + strength, strength / 2 turns of the hue, or
    strength times `axis`.
    """
    factor, grey = 1 + strength, picture @ np.array(GREY)
    if kind == "brightness":
        return (factor * picture).clip(0, 1)
    if kind == "contrast":
        return (grey.mean() + factor * (picture - grey.mean())).clip(0, 1)
    if kind == "saturation":
        return (grey[..., None] + factor * (picture - grey[..., None])).clip(0, 1)
    return (
        turned(picture, strength / 2) if kind == "hue" else (picture + strength * np.array(axis)).clip(0, 1)
    )


def turned(picture, turns):
    """Return the picture with its hue turned by a part of the colour circle."""
    red, green, blue = np.moveaxis(picture, -1, 0)
    high, low = picture.max(-1), picture.min(-1)
    span = high - low
    sector = np.where(high == red, green - blue, np.where(high == green, blue - red, red - green))
    start = np.where(high == red, 0, np.where(high == green, 2, 4))
    angle = sector / np.where(span > 0, span, 1) + start + 6 * turns
    away = (np.array([5, 3, 1]) + angle[..., None]) % 6
    return high[..., None] - span[..., None] * np.minimum(away, 4 - away).clip(0, 1)


def noisy(picture, kind, strength):
    """Return the picture with Gaussian noise, half a strength of it, or with a share of its pixels white or
    black; the draws are always the same.
    """
    draw = Generator(SEED)
    if kind == "Gaussian noise":
        noise = np.array([draw.normal() for _ in range(picture.size)]).reshape(picture.shape)
        return (picture + strength / 2 * noise).clip(0, 1)
    draws = np.array([draw.uniform() for _ in range(len(picture) ** 2)]).reshape(picture.shape[:2])
    amount = abs(strength)
    white = (draws < amount / 2).astype(float)
    return np.where((draws < amount)[..., None], white[..., None], picture)


def hole(kind, strength, side, place):
    """Return top, bottom, left, right of what is erased; `bottom` and `right` are outside.

    Cutout: a square around the place, cut off at the edge. Random erasing: a box twice as wide as high, as
    near to it as it fits, at strength 1 two fifths of the picture.
    """
    if kind == "cutout":
        half = math.floor(abs(strength) * side / 2)
        edges = [number + by for number in place for by in (-half, half)]
        return tuple(max(0, min(side, edge)) for edge in edges)
    area = 0.4 * abs(strength) * side**2
    high, wide = math.floor(math.sqrt(area / 2) + 0.5), math.floor(math.sqrt(area * 2) + 0.5)
    top = max(0, min(side - high, place[0] - high // 2))
    left = max(0, min(side - wide, place[1] - wide // 2))
    return top, top + high, left, left + wide


def erased(picture, kind, strength, place):
    """Return the picture with a hole: black, or filled with random colours."""
    top, bottom, left, right = hole(kind, strength, len(picture), place)
    result, draw = picture.copy(), Generator(SEED)
    if kind == "cutout":
        result[top:bottom, left:right] = 0
    else:
        shape = (bottom - top, right - left, 3)
        count = math.prod(shape)
        result[top:bottom, left:right] = np.array([draw.uniform() for _ in range(count)]).reshape(shape)
    return result


def changed(picture, kind, strength, place, mode, axis):
    """Return what the augmentation `kind` makes of the picture."""
    if kind in MOVES:
        return sampled(picture, kind, strength, mode)
    if kind in VALUES:
        return recoloured(picture, kind, strength, axis)
    return noisy(picture, kind, strength) if kind in NOISES else erased(picture, kind, strength, place)
