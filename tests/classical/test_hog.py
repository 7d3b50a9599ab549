"""HOG against scikit-image's, against a slow loop over pixels, by hand, and with seeded faults."""

import math

import numpy as np
import pytest
import torch
from skimage.feature import hog as skimage_hog

from dlbook.classical import hog as module
from tests.seeded import check_sees

SETTINGS = [  # height, width, orientations, cell, block: none square in all
    (40, 56, 9, (8, 8), (2, 2)),
    (33, 50, 7, (5, 8), (3, 2)),
    (29, 28, 8, (4, 7), (1, 1)),
    (24, 61, 1, (6, 9), (2, 3)),
]


def pictures(count, channels, height, width):
    generator = torch.Generator().manual_seed(height)
    return torch.rand(count, channels, height, width, generator=generator, dtype=torch.float64)


def check_skimage(hog) -> None:
    """scikit-image keeps a cell's sum in single precision, so six digits are what both can share."""
    for height, width, *options in SETTINGS:
        for channels in (1, 3):
            images = pictures(2, channels, height, width)
            theirs = [
                skimage_hog(image.numpy(), *options, block_norm="L2-Hys", channel_axis=0) for image in images
            ]
            found = hog(images, *options)
            assert found.dtype == torch.float64
            assert np.abs(found.numpy() - np.stack(theirs)).max() < 2e-7, (height, width, channels)


def test_it_equals_scikit_image():
    check_skimage(module.hog)


def slow_histograms(image, orientations, height, width):
    """The cells of one grey picture, a pixel at a time, with the angle from `math`."""
    rows, columns = image.shape[0] // height, image.shape[1] // width
    found = np.zeros((rows, columns, orientations))
    for r in range(rows * height):
        for c in range(columns * width):
            down = image[r + 1][c] - image[r - 1][c] if 0 < r < image.shape[0] - 1 else 0.0
            right = image[r][c + 1] - image[r][c - 1] if 0 < c < image.shape[1] - 1 else 0.0
            share = math.atan2(down, right) / math.pi % 1.0
            place = min(int(share * orientations), orientations - 1)
            found[r // height][c // width][place] += math.hypot(down, right) / (height * width)
    return found


def slow_hog(image, orientations, cell, block):
    histograms, blocks = slow_histograms(image, orientations, *cell), []
    for r in range(histograms.shape[0] - block[0] + 1):
        for c in range(histograms.shape[1] - block[1] + 1):
            entries = histograms[r : r + block[0], c : c + block[1]].ravel()
            for limit in (0.2, 1.0):
                entries = np.minimum(entries / math.sqrt((entries**2).sum() + 1e-10), limit)
            blocks.append(entries)
    return np.concatenate(blocks)


def check_slow_loop(hog) -> None:
    for height, width, *options in SETTINGS:
        images = pictures(2, 1, height, width)
        loops = [slow_hog(image[0].numpy(), *options) for image in images]
        assert np.abs(hog(images, *options).numpy() - np.stack(loops)).max() < 1e-13, (height, width)


def test_it_equals_a_slow_loop_to_double_precision():
    check_slow_loop(module.hog)


def test_one_edge_by_hand():
    """Two columns of eight rows see a step of 1; a row at the border sees it too."""
    edge = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    edge[..., 4:] = 1
    histogram = module.cell_histograms(edge)[0, 0, 0]
    assert histogram.tolist() == pytest.approx([16 / 64] + [0] * 8)
    turned = module.cell_histograms(edge.transpose(2, 3), orientations=4)[0, 0, 0]
    assert turned.tolist() == pytest.approx([0, 0, 16 / 64, 0])


def check_no_vote_is_lost(cell_histograms) -> None:
    """A cell's bins sum to the mean length of its gradients, also at angles on a bin's edge."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(
        0, 4, (3, 1, 24, 30), generator=generator
    ).double()  # many angles of 0, 45, 90 degrees
    down, right = module.gradients(images)
    lengths = torch.nn.functional.avg_pool2d(torch.hypot(down, right), (6, 5))
    assert torch.allclose(cell_histograms(images, 4, (6, 5)).sum(3), lengths, atol=1e-13)
    steep = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    steep[..., 4:, :] = -1e-17  # together: an angle that rounds to 180 degrees
    steep[..., 4:] += 1
    assert cell_histograms(steep)[0, 0, 0, 0] == pytest.approx(0.25)


def test_no_vote_is_lost():
    check_no_vote_is_lost(module.cell_histograms)


def test_the_strongest_channel_votes():
    images = pictures(1, 1, 16, 16)
    three = torch.cat([images * 0.5, images, images * 0.2], 1)
    assert torch.equal(module.hog(three), module.hog(images))


def test_light_and_contrast_change_nothing():
    images = pictures(2, 1, 32, 24)
    assert torch.allclose(module.hog(100 * images + 7), module.hog(100 * images), atol=1e-12)
    assert torch.allclose(module.hog(1000 * images), module.hog(10 * images), atol=1e-8)
    assert torch.allclose(module.hog(-images), module.hog(images))  # dark on light as light on dark


def test_a_uniform_picture_is_described_by_zeros():
    assert not module.hog(torch.full((1, 1, 16, 16), 0.5)).any()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: module.hog(torch.zeros(16, 16)), "expected images as float"),
        (lambda: module.hog(torch.zeros(1, 1, 16, 16), orientations=0), "expected orientations"),
        (lambda: module.hog(torch.zeros(1, 1, 16, 16), cell=0), "expected cell"),
        (lambda: module.hog(torch.zeros(1, 1, 16, 16), block=(2, 0)), "expected block"),
        (lambda: module.hog(torch.zeros(1, 1, 16, 7)), "expected images of at least one cell, 8 x 8"),
        (lambda: module.hog(torch.zeros(1, 1, 15, 16)), "expected at least 2 x 2 cells, got"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


FAULTS = {
    "angle of the columns": (check_skimage, "hog", "atan2(down, right)", "atan2(right, down)"),
    "full circle": (check_skimage, "hog", ")) % 180", ")) % 360 / 2"),
    "no cut at 0.2": (check_skimage, "hog", ".clamp(max=LIMIT)", ""),
    "no second length": (
        check_slow_loop,
        "hog",
        "return _unit(_unit(blocks).clamp(max=LIMIT))",
        "return _unit(blocks).clamp(max=LIMIT)",
    ),
    "rows and columns of a block exchanged": (
        check_slow_loop,
        "hog",
        "(0, 1, 2, 4, 5, 3)",
        "(0, 1, 2, 5, 4, 3)",
    ),
    "one channel for all": (check_skimage, "hog", ".argmax(1, keepdim=True)", ".argmin(1, keepdim=True)"),
    "every pixel counts 1": (
        check_slow_loop,
        "hog",
        "by_cell(torch.hypot(down, right))",
        "by_cell(torch.ones_like(down))",
    ),
    "an edge belongs to the bin below": (
        check_no_vote_is_lost,
        "cell_histograms",
        "bins[angle == 180] = 0",
        "bins[angle == 180] = orientations - 1",
    ),
    "epsilon outside the square": (check_slow_loop, "hog", "+ EPSILON**2)", "+ EPSILON)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, name, old, new = FAULTS[fault]
    check_sees(check, module, name, old, new)
