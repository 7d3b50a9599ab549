"""Norms' Python side: what is lit, told and shown, and errors."""

import numpy as np
import pytest

from dlbook.widgets import norms_rules
from tests.widgets.norms_checks import CHOICES, made


def test_a_cell_shares_with_those_whose_change_moves_it():
    """What is lit is what the normalised cell depends on: change another cell a little, and see."""
    for kind, groups, images in CHOICES:
        figure = made(start={"normalisation": kind, "groups": groups, "images in the batch": images})
        cell, lit = figure.cell(), figure.members()
        rest = norms_rules.normalised(figure._block, kind, groups, images)[cell]
        for place in np.ndindex(*lit.shape):
            block = figure._block.copy()
            block[place] += 0.5
            moved = abs(norms_rules.normalised(block, kind, groups, images)[cell] - rest) > 1e-9
            assert moved == lit[place]


def test_what_is_told_and_shown():
    figure = made(cell=(2, 3, 1, 4), start={"normalisation": "instance"})
    own = figure._block[2, 3]
    assert (figure.row, figure.column) == (7, 19)
    assert figure.told() == pytest.approx(
        {
            "count": 15,
            "mean": own.mean(),
            "deviation": own.std(),
            "before": own[1, 4],
            "after": (own[1, 4] - own.mean()) / np.sqrt(own.var() + 1e-5),
        }
    )
    assert figure.shown()[2, 3] == pytest.approx(own)
    assert figure.shown({"show": "after"})[2, 3].mean() == pytest.approx(0, abs=1e-9)


def test_a_smaller_batch_keeps_the_place_in_its_last_image():
    figure = made(cell=(2, 3, 1, 4), start={"images in the batch": 2})
    assert figure.cell() == (1, 3, 1, 4)
    figure.row, figure.column = 99, -3
    assert (figure.row, figure.column) == (8, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"block": np.zeros((2, 3, 4))}, "block: expected finite activations"),
        ({"block": np.full((3, 4, 3, 5), np.nan)}, "finite"),
        ({"block": np.zeros((1, 4, 3, 5)), "pictures": np.zeros((1, 2, 2))}, "two images"),
        ({"pictures": np.zeros((2, 6, 7))}, "expected 3 grey ones"),
        ({"pictures": np.full((3, 6, 7), 2.0)}, r"in \[0, 1\]"),
        ({"start": {"normalisation": "none"}}, "expected one of"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_norms_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        made(**changes)
