"""What each operation of a :class:`Unit` makes of its photographs; unit_values.js says the same in the page.

>>> side(48, 3, stride=2, padding=1, dilation=1)
24
"""

import numpy as np

CONVOLUTION, MAXIMUM, AVERAGE = "convolution", "max pooling", "average pooling"
NORM, ATTENTION = "batch norm", "attention"
OPERATIONS = (CONVOLUTION, MAXIMUM, AVERAGE, NORM, ATTENTION)
EPS = 1e-5  # of batch norm
SIGNED = (CONVOLUTION, NORM)  # the others give pixels again, from 0 to 1
_ALL = ("operation", "photograph")
CONTROLS = {  # what the reader can change in each operation
    CONVOLUTION: (*_ALL, "kernel", "stride", "padding", "dilation"),
    MAXIMUM: (*_ALL, "window", "stride", "padding", "dilation"),
    AVERAGE: (*_ALL, "window", "stride", "padding"),
    NORM: (*_ALL, "γ", "β"),
    ATTENTION: (*_ALL, "sharpness"),
}


def side(length, window, stride, padding, dilation):
    """Return the number of output cells along one axis."""
    return (length + 2 * padding - dilation * (window - 1) - 1) // stride + 1


def geometry(spec, values):
    """Return window, stride, padding, dilation and cells along an axis at the chosen values."""
    operation, sides = values["operation"], spec["side"]
    shape = {"window": 1, "stride": 1, "padding": 0, "dilation": 1}
    if operation == ATTENTION:
        shape |= {"window": spec["patch"], "stride": spec["patch"]}
    elif operation != NORM:
        shape |= {name: values[name] for name in ("stride", "padding", "dilation")}
        shape["window"] = len(spec["kernels"][values["kernel"]])
        if operation != CONVOLUTION:  # pooling pads by half a window at most, as torch does
            shape["window"] = values["window"]
            shape["padding"] = min(shape["padding"], shape["window"] // 2)
        if operation == AVERAGE:
            shape["dilation"] = 1
    return {**shape, "cells": side(sides, **shape)}


def output(spec, pictures, values):
    """Return what the page draws: [cells, cells]; of an attention all pixels, [side, side].

    Args:
        spec: of a :class:`Unit`.
        pictures: values in [0, 1], [B, side, side].
        values: what the reader chose.
    """
    chosen = pictures[spec["parameters"]["photograph"].index(values["photograph"])]
    operation, shape = values["operation"], geometry(spec, values)
    if operation == NORM:
        return batch_norm(pictures, chosen, values["γ"], values["β"])
    if operation == ATTENTION:
        return attend(chosen, spec["patch"], values["sharpness"])[1]
    if operation == MAXIMUM:
        return windows(chosen, shape, -np.inf).max(0)
    kernel = np.full((shape["window"],) * 2, 1 / shape["window"] ** 2)
    if operation == CONVOLUTION:
        kernel = np.array(spec["kernels"][values["kernel"]])
    return (windows(chosen, shape, 0.0) * kernel.reshape(-1, 1, 1)).sum(0)


def windows(picture, shape, pad):
    """Return the window of every output cell, [window * window, cells, cells], row by row."""
    padding, stride, cells = shape["padding"], shape["stride"], shape["cells"]
    padded = np.pad(picture, padding, constant_values=pad)
    places = [shape["dilation"] * k for k in range(shape["window"])]
    cut = lambda start: slice(start, start + stride * (cells - 1) + 1, stride)
    return np.stack([padded[cut(row), cut(column)] for row in places for column in places])


def batch_norm(pictures, chosen, gamma, beta):
    """Return a photograph, normalised by mean and variance of all of them, then scaled and shifted."""
    return gamma * (chosen - pictures.mean()) / np.sqrt(pictures.var() + EPS) + beta


def attend(picture, patch, sharpness):
    """Return the weights, [patches, patches], and the picture of the weighted sums, [side, side].

    Query and key of a patch are its pixels less the mean patch, its value is its pixels: no weight is learnt.
    """
    count = len(picture) // patch
    patches = picture.reshape(count, patch, count, patch).swapaxes(1, 2).reshape(count * count, -1)
    centred = patches - patches.mean(0)
    scores = sharpness * centred @ centred.T / patch
    weights = np.exp(scores - scores.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    sums = (weights @ patches).reshape(count, count, patch, patch).swapaxes(1, 2)
    return weights, sums.reshape(picture.shape)
