"""What the tests of the mixing and erasing regularisers share: naive loops over examples and pixels."""

import numpy as np
import torch


def batch(count=6, channels=3, height=7, width=9, classes=4, seed=0, dtype=torch.float64):
    """Random images, not square, and smoothed-looking targets."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, channels, height, width, generator=generator, dtype=dtype)
    targets = torch.rand(count, classes, generator=generator, dtype=dtype)
    return images, targets / targets.sum(1, keepdim=True)


def mixed_by_loop(images, targets, partner, weights):
    """mixup's eq. 1, example by example."""
    images, targets = images.numpy(), targets.numpy()
    out, soft = np.zeros_like(images), np.zeros_like(targets)
    for i in range(len(images)):
        out[i] = weights[i] * images[i] + (1 - weights[i]) * images[partner[i]]
        soft[i] = weights[i] * targets[i] + (1 - weights[i]) * targets[partner[i]]
    return torch.from_numpy(out), torch.from_numpy(soft)


def box_by_loop(height, width, weight, centre):
    """Which pixels are inside, as a set, by the side around the centre and the border; no clipping
    of bounds.
    """
    half_height = int(np.floor(height * np.sqrt(1 - weight) / 2 + 1e-12))
    half_width = int(np.floor(width * np.sqrt(1 - weight) / 2 + 1e-12))
    row, column = centre
    return {
        (y, x)
        for y in range(row - half_height, row + half_height)
        for x in range(column - half_width, column + half_width)
        if 0 <= y < height and 0 <= x < width
    }


def pasted_by_loop(images, targets, partner, pixels):
    """CutMix pixel by pixel; the targets by counting."""
    out, soft = images.clone(), targets.clone()
    share = 1 - len(pixels) / (images.shape[2] * images.shape[3])
    for i in range(len(images)):
        for y, x in pixels:
            out[i, :, y, x] = images[partner[i], :, y, x]
        soft[i] = share * targets[i] + (1 - share) * targets[partner[i]]
    return out, soft


def pixels_of(where):
    top, bottom, left, right = where
    return {(y, x) for y in range(top, bottom) for x in range(left, right)}


def within(count, total, probability, sigmas=5.0):
    """Whether a count of successes is within so many standard deviations of its expectation."""
    return abs(count - total * probability) <= sigmas * (total * probability * (1 - probability)) ** 0.5
