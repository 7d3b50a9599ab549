"""The still picture of Draw: both answers, every stage, and maps in rows.

Seeded fault, tried: maps drawn in columns instead of rows are seen.
"""

import numpy as np

from dlbook.widgets.draw_still import tiled
from tests.widgets.draw_checks import made


def test_the_still_picture_has_both_answers_and_every_stage():
    figure = made()
    still = figure.still()
    for words in (
        "ConvNet, stage 1: 4 maps, 14 × 14",
        "stage 3: 8 maps, 7 × 7",
        "largest of each window",
        "heads look",
    ):
        assert still.count(words) == 2, words
    assert still.count('class="dls-blue"') == 2 * 20
    assert not any(model._forward_hooks for each in figure.models.values() for model in each.modules())


def test_maps_stand_in_rows():
    sheet = tiled(np.arange(12.0).reshape(3, 2, 2), across=2)
    assert sheet.tolist() == [[0, 1, 0, 4, 5], [2, 3, 0, 6, 7], [0] * 5, [8, 9, 0, 0, 0], [10, 11, 0, 0, 0]]
