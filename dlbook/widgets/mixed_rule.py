"""Two pictures mixed by mixup or by CutMix, and what a network of two layers makes of the mixture;
mixed_rule.js says the same in the page.

The rules are those of `dlbook.regularize`, in numpy and for one pair, without an import from there.

>>> how = {"rule": "CutMix", "weight": 0.75, "row": 0, "column": 4}
>>> box(8, 0.75, 0, 4)
([-2, 2, 2, 6], [0, 2, 2, 6])
>>> kept(8, how)
0.875
"""

import math

import numpy as np

MIXUP, CUTMIX = "mixup", "CutMix"


def box(side, weight, row, column):
    """Return CutMix's box around a pixel, [top, bottom, left, right], before and after it is cut off.

    Args:
        side: of the picture, pixels.
        weight: the λ that was drawn, in [0, 1].
        row, column: the pixel in its middle.
    """
    half = math.trunc(0.5 * math.sqrt(1 - weight) * side)
    drawn = [row - half, row + half, column - half, column + half]
    return drawn, [max(0, min(side, v)) for v in drawn]


def kept(side, how):
    """Return the share of the first picture that is left.

    Args:
        side: of the picture, pixels.
        how: rule, weight (the λ that was drawn), row and column.
    """
    if how["rule"] == MIXUP:
        return how["weight"]
    top, bottom, left, right = box(side, how["weight"], how["row"], how["column"])[1]
    return 1 - (bottom - top) * (right - left) / side**2


def mix(first, second, how):
    """Return the mixture of two pictures [side, side]."""
    if how["rule"] == MIXUP:
        return how["weight"] * first + (1 - how["weight"]) * second
    top, bottom, left, right = box(len(first), how["weight"], how["row"], how["column"])[1]
    mixed = first.copy()
    mixed[top:bottom, left:right] = second[top:bottom, left:right]
    return mixed


def shrunk(picture, factor):
    """Return the means over squares of `factor` pixels, flat: what the network sees."""
    less = len(picture) // factor
    return picture.reshape(less, factor, less, factor).mean((1, 3)).ravel()


def run(network, x):
    """Return the probabilities of a network (w1, b1, w2, b2) for a flat picture."""
    w1, b1, w2, b2 = network
    z = w2 @ np.maximum(w1 @ x + b1, 0) + b2
    powers = np.exp(z - z.max())
    return powers / powers.sum()
