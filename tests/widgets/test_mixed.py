"""Mixed's Python side: its networks say what torch's say, its label is the share that is seen, errors."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.widgets.mixed_checks import mixed, networks


def test_networks_say_what_torchs_say():
    figure = mixed()
    for rule, name in itertools.product(("mixup", "CutMix"), networks()):
        figure.values = {**figure.values, "rule": rule}
        seen = torch.stack([torch.tensor(figure.mixture(w)) for w in figure.spec["parameters"]["λ"]])
        halved = F.avg_pool2d(seen[:, None].float(), 2).flatten(1)
        expected = networks()[name](halved).softmax(1).detach().numpy()
        np.testing.assert_allclose(figure.along(name), expected, atol=2e-3)


def test_the_label_of_the_start_is_the_share_that_is_seen():
    figure = mixed()
    assert figure.kept() == 1 - 4 * 5 / 64  # half of the side, 3, cut off above row 1 and right of column 6
    figure.values = {**figure.values, "rule": "mixup"}
    assert figure.kept() == 0.4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"networks": {"one": nn.Linear(16, 4)}}, "two linear layers"),
        ({"networks": {"odd": nn.Sequential(nn.Linear(15, 6), nn.Linear(6, 4))}}, "a picture of 8 pixels"),
        (
            {"networks": {**networks(), "wide": nn.Sequential(nn.Linear(16, 7), nn.Linear(7, 4))}},
            "all of one size",
        ),
        ({"pairs": {"two": (torch.zeros(1, 8, 8), torch.zeros(1, 4, 4))}, "labels": [(0, 1)]}, "of one side"),
        (
            {"pairs": {"bytes": (torch.ones(1, 8, 8) * 255,) * 2}, "labels": [(0, 1)]},
            r"values in \[0, 1\]",
        ),
        ({"labels": [(0, 3)]}, "two classes below 4 for each of 2 pairs"),
        ({"labels": [(0, 3), (2, 4)]}, "two classes below 4"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_mixed_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        mixed(**changes)
