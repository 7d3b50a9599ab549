"""Thinned's Python side: masks, votes equal to torch's, errors."""

import numpy as np
import pytest
import torch
from torch import nn

from dlbook.widgets import thinned as module
from tests.seeded import edited
from tests.widgets.thinned_checks import digits, networks, thinned


def by_torch(net, image, there, scale):
    """The probabilities by torch's own modules, a mask after each ReLU."""
    first, _, second, _, last = net
    kept = torch.tensor(there).float() * scale
    one = first(image.flatten()).relu() * kept[:7]
    return last(second(one).relu() * kept[7:]).softmax(0)


def check_run(names) -> None:
    """Every network says of every digit what torch's says, whole and thinned."""
    figure = thinned()
    for network, net in networks().items():
        for digit, image in digits().items():
            figure.values = {"network": network, "digit": digit}
            at = list(digits()).index(digit)
            for there, scale in ((np.ones(12, bool), 1.0), *((m, 1 / 0.6) for m in figure.masks()[:5])):
                found = names["run"](figure._network(), at, there, scale)[2]
                expected = by_torch(net, image, there, scale).detach().numpy()
                np.testing.assert_allclose(found, expected, atol=3e-4)


def test_the_networks_are_torchs():
    check_run(vars(module))


def test_masks_drop_with_their_probability_and_do_not_depend_on_the_choice():
    figure = thinned(most=600)
    masks = figure.masks()
    assert masks.shape == (600, 12) and masks.mean() == pytest.approx(0.6, abs=0.02)
    figure.values = {"digit": "a 2"}
    assert (figure.masks() == masks).all() and len({tuple(row) for row in masks}) > 400


def test_votes_are_those_of_the_first_masks():
    figure = thinned()
    image, net = digits()["a 0"], networks()["plain"]
    expected = [by_torch(net, image, mask, 1 / 0.6).detach().numpy() for mask in figure.masks()[:12]]
    np.testing.assert_allclose(figure.votes(), expected, atol=3e-4)
    figure.values = {"thinned networks": 0}
    assert figure.votes().shape == (0, 4)


def test_units_are_switched_by_hand():
    figure = thinned()
    before, scale = figure.there()
    figure.flipped = [0, 9]
    after, same = figure.there()
    assert (before != after).nonzero()[0].tolist() == [0, 9] and scale == same == pytest.approx(1 / 0.6)
    figure.values = {"thinned networks": 0}
    assert figure.there()[1] == 1 and figure.there()[0].sum() == 10


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"networks": {"two": nn.Sequential(nn.Linear(36, 4), nn.Linear(4, 4))}}, "three linear layers"),
        ({"networks": {**networks(), "other": networks()["plain"][:0]}}, "three linear layers"),
        ({"digits": {"large": torch.rand(1, 7, 7)}, "labels": [0]}, "of 36 pixels"),
        ({"labels": [0, 1]}, "one below 4 for each of 3 digits"),
        ({"labels": [0, 1, 4]}, "one below 4"),
        ({"drop_prob": 1.0}, "0 < drop_prob < 1"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_thinned_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        thinned(**changes)


FAULTS = {
    "the second layer is not thinned": ("* there[first:] * scale", "* scale"),
    "the first layer is not scaled": ("there[:first] * scale", "there[:first]"),
    "no ReLU in front": ("np.maximum(entering[digit], 0)", "entering[digit]"),
    "no bias": ("w2 @ one + b2", "w2 @ one"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    names = edited(module, *FAULTS[fault])
    with pytest.raises(AssertionError):
        check_run({"run": names["run"]})
