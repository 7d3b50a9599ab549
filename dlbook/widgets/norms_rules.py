"""Which cells of a block [N, C, H, W] share a mean, and what each normalisation makes of them; norms_rules.js
says the same in the page.

>>> import numpy as np
>>> [int(keys(kind, 2, (4, 8, 7, 7)).max()) + 1 for kind in KINDS]
[8, 196, 8, 32, 196]
>>> normalised(np.array([1.0, 3.0]).reshape(2, 1, 1, 1), BATCH, 1, 2).ravel().round(3).tolist()
[-1.0, 1.0]
"""

import numpy as np

BATCH, LAYER, GROUP, INSTANCE, RMS = "batch", "layer", "group", "instance", "RMS"
KINDS = (BATCH, LAYER, GROUP, INSTANCE, RMS)
EPS = 1e-5


def keys(kind, groups, shape):
    """Return a number for each cell, the same for those that share their statistics: ints of `shape`."""
    n, c, h, w = np.indices(shape)
    if kind == BATCH:
        return c
    if kind == GROUP:
        return n * groups + c // (shape[1] // groups)
    if kind == INSTANCE:
        return n * shape[1] + c
    return (n * shape[2] + h) * shape[3] + w  # layer and RMS: the channels at one place of one image


def statistics(values, kind, groups, images):
    """Return count, mean and deviation of those that a cell shares them with, each of the shape of `values`.

    Args:
        values: [N, C, H, W].
        kind: one of `KINDS`; RMS has mean 0, and the root mean square in the place of the deviation.
        groups: of channels, for group normalisation.
        images: the first so many are the batch; the others have NaN.
    """
    inside = values[:images]
    key = keys(kind, groups, inside.shape)
    total = lambda what: np.bincount(key.ravel(), what.ravel())[key]
    count = total(np.ones_like(inside))
    mean = np.zeros_like(inside) if kind == RMS else total(inside) / count
    deviation = np.sqrt(total((inside - mean) ** 2) / count)
    found = np.full((3, *values.shape), np.nan)
    found[:, :images] = count, mean, deviation
    return found


def normalised(values, kind, groups, images):
    """Return (x - mean) / sqrt(deviation^2 + eps); NaN for images that are not in the batch."""
    _, mean, deviation = statistics(values, kind, groups, images)
    return (values - mean) / np.sqrt(deviation**2 + EPS)
