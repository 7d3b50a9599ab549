"""The still picture of Norms: as many lit cells as share, frames around them, bars that count them."""

import numpy as np

from dlbook.widgets import norms_still
from tests.widgets.norms_checks import made


def test_two_forms_with_every_image():
    text = made().still()
    assert text.count("<image") == 2 * (3 + 1) and text.count("45 cells share") == 2


def test_cells_that_share_are_bright_and_the_others_dim():
    figure = made(start={"normalisation": "group", "groups": 2})
    block = np.ones(figure.spec["shape"])
    pixels = np.array(norms_still.block_picture(block, figure.members(), 1.0))
    assert pixels.shape == (3 * 13 * 3, 4 * 13 * 5, 4)
    alphas, counts = np.unique(pixels[..., 3], return_counts=True)
    assert alphas.tolist() == [0, 102, 255]
    assert (counts / 144)[1:].tolist() == [180 - 30, 30]  # cells, each of 12 x 12 pixels
    assert pixels[:, 2 * 13 * 5 :, 3].max() == 102  # the second group has channels 3 and 4


def test_frames_are_around_maps_or_around_cells():
    layout = norms_still.NormsLayout(960, (3, 4, 3, 5))
    for kind, count in (("batch", 3), ("group", 2), ("instance", 1), ("layer", 4)):
        figure = made(start={"normalisation": kind, "groups": 2})
        frames = norms_still.frames(figure.members(), layout)
        assert frames.count("Z") == count
        side = layout.side / 5 if kind == "layer" else layout.side
        assert f"h{side:.1f}" in frames


def test_bars_count_and_keep_what_is_beyond():
    counts = norms_still.spread(np.array([-9, -1, 0, 0.01, 0.99, 1, 7]), 1.0)
    assert counts.sum() == 7 and (counts[0], counts[15], counts[-1]) == (2, 2, 3)
