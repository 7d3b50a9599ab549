"""The dense SIFT against a slow loop over pixels, against scikit-image's, and with seeded faults."""

import math

import numpy as np
import pytest
import torch
from skimage.feature import SIFT

from dlbook.classical import sift as module
from tests.seeded import check_sees


def pictures(count, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 1, height, width, generator=generator, dtype=torch.float64)


def slow_descriptor(image, row, column, cell):
    """One window of a grey picture, a pixel at a time: each vote to all bins, by its distance to each."""
    height, width = image.shape
    sums = np.zeros((4, 4, 8))
    for r in range(height):
        for c in range(width):
            down = (image[r + 1][c] - image[r - 1][c]) / 2 if 0 < r < height - 1 else 0.0
            right = (image[r][c + 1] - image[r][c - 1]) / 2 if 0 < c < width - 1 else 0.0
            weight = math.exp(-((r - row) ** 2 + (c - column) ** 2) / (2 * (2 * cell) ** 2))
            for i, j, k in np.ndindex(4, 4, 8):
                by_row = 1 - abs((r - row) / cell - (i - 1.5))
                by_column = 1 - abs((c - column) / cell - (j - 1.5))
                turn = (math.atan2(down, right) - k * math.pi / 4 + math.pi) % (2 * math.pi) - math.pi
                by_turn = 1 - abs(turn) / (math.pi / 4)
                if min(by_row, by_column, by_turn) > 0:
                    sums[i, j, k] += math.hypot(down, right) * weight * by_row * by_column * by_turn
    vector = np.minimum(sums.ravel() / np.linalg.norm(sums), 0.2)
    return vector / np.linalg.norm(vector)


def check_slow_loop(describe) -> None:
    """Neither square pictures nor windows in the middle; two windows reach over the border."""
    images, rows, columns = pictures(2, 13, 17), torch.tensor([6.0, 2.5]), torch.tensor([5.5, 9.0, 15.25])
    found = describe(images, rows, columns, cell=3)
    assert found.shape == (2, 2, 3, 128) and found.dtype == torch.float64
    for b, i, j in ((0, 0, 0), (1, 0, 1), (1, 1, 2)):
        loop = slow_descriptor(images[b, 0].numpy(), rows[i].item(), columns[j].item(), 3)
        assert np.abs(found[b, i, j].numpy() - loop).max() < 1e-13, (b, i, j)


def test_it_equals_a_slow_loop():
    check_slow_loop(module.describe)


def check_skimage(describe) -> None:
    """scikit-image describes keypoints that it is told of, without blur, as whole numbers up to 255.

    Its directions begin downwards and turn the other way. Rounding down may differ by one.
    """
    image, cell, middles = pictures(1, 70, 64, seed=3), 3, [(33.0, 30.0), (30.25, 34.5)]
    sift = SIFT(upsampling=1, n_octaves=1, sigma_min=1.0, sigma_in=1.0, lambda_descr=2 * cell)
    sift.positions = np.array(middles)
    sift.scales, sift.octaves, sift.sigmas = np.zeros(2, int), np.zeros(2, int), np.ones(2)
    sift.orientations = np.zeros(2)
    sift.extract(image[0, 0].numpy())
    rows, columns = torch.tensor(middles, dtype=torch.float64).T
    ours = describe(image, rows, columns, cell)[0].diagonal(0, 0, 1).T.view(2, 4, 4, 8)
    ours = ours[..., [(2 - k) % 8 for k in range(8)]].flatten(1)
    whole = (512 * ours).floor().clamp(max=255).numpy()
    theirs = sift.descriptors.astype(float)
    assert np.abs(whole - theirs).max() <= 1 and (whole == theirs).mean() > 0.95 and theirs.max() > 60


def test_it_equals_scikit_image_up_to_its_rounding():
    check_skimage(module.describe)


def check_directions(direction_maps) -> None:
    """A ramp in each of 16 directions: all of its length in one map, or half in each of two."""
    down, right = torch.meshgrid(*[torch.arange(9, dtype=torch.float64)] * 2, indexing="ij")
    for step in range(16):
        angle = step * math.pi / 8
        ramp = right * math.cos(angle) + down * math.sin(angle)
        inner = direction_maps(ramp[None, None])[0, :, 4, 4]
        expected = torch.zeros(8, dtype=torch.float64)
        expected[step // 2] += 1 - step % 2 / 2
        expected[(step // 2 + step % 2) % 8] += step % 2 / 2
        assert torch.allclose(inner, expected, atol=1e-12), step


def test_directions_by_hand():
    check_directions(module.direction_maps)


def check_grid(dense_sift) -> None:
    """Of 28 pixels and cells of 4, the first window covers pixels 0 to 15, the last ends at 27."""
    images = pictures(2, 28, 33)
    descriptors, places = dense_sift(images, cell=4, step=6)
    assert descriptors.shape == (2, 9, 128)
    rows = columns = [7.5, 13.5, 19.5]
    assert places.tolist() == [[row, column] for row in rows for column in columns]
    one = module.describe(images, torch.tensor([7.5]), torch.tensor([19.5]), 4)
    assert torch.allclose(descriptors[:, 2], one[:, 0, 0], atol=1e-14)


def test_the_grid():
    check_grid(module.dense_sift)


def test_light_and_contrast_change_nothing_and_a_shift_moves_the_windows():
    images = pictures(1, 40, 40)
    found = module.describe(images, torch.tensor([18.0]), torch.tensor([20.0]), 3)
    assert torch.allclose(
        module.describe(5 * images - 2, torch.tensor([18.0]), torch.tensor([20.0]), 3), found
    )
    moved = images.roll((2, -3), (2, 3))
    assert torch.allclose(module.describe(moved, torch.tensor([20.0]), torch.tensor([17.0]), 3), found)
    assert found.norm(dim=3).item() == pytest.approx(1)


def test_a_quarter_turn_exchanges_the_numbers():
    """A picture turned by 90 degrees: cells turn, and each direction moves by two."""
    images, middle = pictures(1, 21, 21), torch.tensor([10.0])
    upright = module.describe(images, middle, middle, 3).view(4, 4, 8)
    turned = module.describe(images.rot90(1, (2, 3)), middle, middle, 3).view(4, 4, 8)
    assert torch.allclose(turned, upright.rot90(1, (0, 1)).roll(-2, 2), atol=1e-12)


def test_a_uniform_picture_is_described_by_zeros():
    assert not module.dense_sift(torch.full((1, 1, 20, 20), 0.5))[0].any()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: module.dense_sift(torch.zeros(1, 3, 20, 20)), "take one channel"),
        (lambda: module.dense_sift(torch.zeros(1, 1, 15, 20)), "expected images of at least 16 x 16"),
        (lambda: module.dense_sift(torch.zeros(1, 1, 20, 20), cell=0), "expected cell"),
        (lambda: module.dense_sift(torch.zeros(1, 1, 20, 20), step=0), "expected step"),
        (lambda: module.cell_weights(torch.zeros(1), 5, 0.0), "expected cell > 0"),
        (lambda: module.cell_weights(torch.zeros(1), 0, 2.0), "expected length"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


FAULTS = {
    "a Gaussian of a quarter window": (
        check_slow_loop,
        "describe",
        "away / (CELLS / 2)",
        "away / (CELLS / 4)",
    ),
    "no Gaussian": (check_skimage, "describe", "share * torch.exp", "share + 0 * torch.exp"),
    "cells half a cell off": (check_slow_loop, "describe", "(CELLS - 1) / 2", "CELLS / 2"),
    "nearest cell": (
        check_skimage,
        "describe",
        "(1 - (away - centres).abs()).clamp(min=0)",
        "((away - centres).abs() < 0.5).double()",
    ),
    "no cut at 0.2": (check_skimage, "describe", ".clamp(max=LIMIT)", ""),
    "rows for columns": (
        check_slow_loop,
        "describe",
        "permute(0, 2, 4, 3, 5, 1)",
        "permute(0, 2, 4, 5, 3, 1)",
    ),
    "nearest direction": (
        check_directions,
        "direction_maps",
        "upper_share, lower = place - lower",
        "upper_share, lower = (place - lower).round()",
    ),
    "the circle does not close": (
        check_directions,
        "direction_maps",
        "(lower + 1) % DIRECTIONS",
        "(lower + 1).clamp(max=7)",
    ),
    "directions turn upwards": (
        check_directions,
        "direction_maps",
        "atan2(down, right)",
        "atan2(-down, right)",
    ),
    "windows begin at the corner": (check_grid, "dense_sift", "+ (window - 1) / 2", "+ window / 2"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, name, old, new = FAULTS[fault]
    check_sees(check, module, name, old, new)
