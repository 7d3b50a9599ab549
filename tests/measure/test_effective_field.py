"""The effective receptive field against paths counted one by one, and its prediction against measurements.

Seeded faults, each tried by a test: a prediction that forgets the jump, or the dilation, or counts the
layer's own stride.
"""

import math

import pytest
import torch
from torch import nn

from dlbook.measure import effective_field as measure
from dlbook.measure.effective_field import effective_field, predicted_spread, spread


def boxes(kernels, strides, dilations, size=65):
    """Convolutions with one channel and all weights one: the gradient counts the paths to a pixel."""
    layers = [
        nn.Conv2d(1, 1, k, s, 0, d, bias=False) for k, s, d in zip(kernels, strides, dilations, strict=True)
    ]
    for layer in layers:
        nn.init.ones_(layer.weight)
    return nn.Sequential(*layers).double(), torch.zeros(1, 1, size, size, dtype=torch.float64)


CASES = [
    ([3, 3, 3], [1, 1, 1], [1, 1, 1]),
    ([5, 3], [1, 1], [1, 2]),
    ([3, 3, 2], [2, 2, 1], [1, 1, 1]),
    ([3, 5, 3], [2, 1, 1], [1, 2, 3]),
]


@pytest.mark.parametrize("case", CASES)
def test_the_prediction_is_the_spread_of_the_paths(case):
    network, images = boxes(*case)
    paths = effective_field(network, images).sqrt()  # the number of paths itself: a convolution of boxes
    assert spread(paths) == pytest.approx([predicted_spread(*case)] * 2, rel=1e-6)


def test_three_layers_have_the_paths_that_one_counts_by_hand():
    network, images = boxes([3, 3, 3], [1, 1, 1], [1, 1, 1], size=7)
    row = torch.tensor([1.0, 3, 6, 7, 6, 3, 1])
    torch.testing.assert_close(effective_field(network, images), torch.outer(row, row).square())


def wrong(strides_first=False, no_jump=False, no_dilation=False):
    """The prediction with one fault."""

    def predict(kernels, strides, dilations):
        variance, jump = 0.0, 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            jump *= s if strides_first else 1
            variance += (k * k - 1) / 12 * ((1 if no_dilation else d) * jump) ** 2
            jump *= 1 if strides_first or no_jump else s
        return math.sqrt(variance)

    return predict


@pytest.mark.parametrize("fault", [{"strides_first": True}, {"no_jump": True}, {"no_dilation": True}])
def test_a_faulty_prediction_is_caught(fault):
    predict, caught = wrong(**fault), 0
    assert [wrong()(*case) for case in CASES] == [predicted_spread(*case) for case in CASES]
    for case in CASES:
        network, images = boxes(*case)
        measured = spread(effective_field(network, images).sqrt())[0]
        caught += abs(predict(*case) - measured) > 1e-3
    assert caught


def test_random_weights_have_the_predicted_spread():
    torch.manual_seed(0)
    fields = []
    for _ in range(40):
        layers = [nn.Conv2d(8 if n else 1, 8, 3, padding=1, bias=False) for n in range(6)]
        fields.append(effective_field(nn.Sequential(*layers), torch.zeros(1, 1, 15, 15)))
    measured = spread(torch.stack(fields).mean(0))
    assert measured == pytest.approx([predicted_spread([3] * 6)] * 2, rel=0.05)


def test_every_output_channel_counts_and_two_of_opposite_sign_do_not_cancel():
    layer = nn.Conv2d(1, 2, 1, bias=False)
    layer.weight.data = torch.tensor([2.0, -2.0]).view(2, 1, 1, 1)
    assert effective_field(layer, torch.zeros(1, 1, 3, 3))[1, 1] == 4


def test_the_spread_is_about_the_mean_and_along_the_right_axis():
    field = torch.zeros(9, 9)
    field[7, 2:5] = 1
    assert spread(field) == pytest.approx((0, math.sqrt(2 / 3)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: effective_field(nn.Identity(), torch.zeros(3, 3)), "images \\[B, C, H, W\\]"),
        (lambda: effective_field(nn.Flatten(), torch.zeros(1, 1, 3, 3)), "an output"),
        (lambda: spread(torch.zeros(3, 3)), "not zero"),
        (lambda: spread(-torch.ones(3, 3)), "not negative"),
        (lambda: predicted_spread([3, 3], [1]), "equally long"),
    ],
)
def test_errors_say_what_to_do(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_module_says_its_own_numbers():
    assert "sqrt(2 n / 3)" in measure.__doc__ and predicted_spread([3] * 6) == pytest.approx(2)
