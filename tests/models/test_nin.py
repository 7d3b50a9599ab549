"""Network in Network against a sum by hand, an MLP over patches, and the mean of its class maps."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models import nin as module
from dlbook.models.nin import nin
from tests.models.dropping import drop_probs
from tests.parity import close, randomise
from tests.seeded import check_sees

COUNTS = {"nin_cifar": 966_986}  # parameters; the authors' model


def nin_macs() -> int:
    """By hand: widths times kernel area times positions, map by map."""
    layers = [
        (3, 192, 5, 32),
        (192, 160, 1, 32),
        (160, 96, 1, 32),
        (96, 192, 5, 16),
        (192, 192, 1, 16),
        (192, 192, 1, 16),
        (192, 192, 3, 8),
        (192, 192, 1, 8),
        (192, 10, 1, 8),
    ]
    return sum(c_in * c_out * k * k * side * side for c_in, c_out, k, side in layers)


def test_exact_counts():
    counts = count(nin, (3, 32, 32))
    assert (counts.parameters, counts.macs) == (COUNTS["nin_cifar"], nin_macs())


def test_nin_s_1x1_convolutions_are_an_mlp_over_patches():
    model = randomise(nin()).eval()
    block, x = model.features[0], torch.randn(1, 3, 6, 7, dtype=torch.float64)
    patches = F.unfold(x, 5, padding=2)[0].T  # [H * W, 75]
    for layer in block:
        if isinstance(layer, nn.Conv2d):
            patches = F.relu(patches @ layer.weight.flatten(1).T + layer.bias)
    assert close(block(x)[0], patches.T.reshape(96, 6, 7))


def test_nin_has_no_linear_layer_and_averages_its_class_maps():
    model, images = randomise(nin()).eval(), torch.randn(2, 3, 32, 40, dtype=torch.float64)
    assert not any(isinstance(module, nn.Linear) for module in model.modules())
    assert close(model(images), model.features(images).flatten(2).mean(-1)) and model(images).shape == (2, 10)


def test_the_representation_is_what_the_last_convolution_sees():
    """Its mean over the pixels; the logits are not the last convolution of it, because a ReLU stands
    between.
    """
    model, images = randomise(nin()).eval(), torch.randn(2, 3, 32, 40, dtype=torch.float64)
    seen = []
    model.get_submodule(model.last_layer).register_forward_pre_hook(
        lambda layer, inputs: seen.append(inputs[0])
    )
    logits, features = model(images), model.represent(images)
    assert len(seen) == 1 and close(features, seen[0].mean((2, 3)))
    last = model.get_submodule(model.last_layer)
    assert not close(features @ last.weight.flatten(1).T + last.bias, logits)


def pooled(x, reduce):
    """Windows of 3 x 3 at every second pixel; those that reach over the edge are cut off, not padded."""
    rows, columns = (range(0, side - 1, 2) for side in x.shape[2:])
    return torch.stack(
        [torch.stack([reduce(x[:, :, i : i + 3, j : j + 3].flatten(2)) for j in columns], -1) for i in rows],
        -2,
    )


def check_model(build) -> None:
    """The authors' model in functions: max pooling first, then average pooling; a ReLU after every layer."""
    model, images = randomise(build()).eval(), torch.randn(2, 3, 15, 20, dtype=torch.float64)
    layers, x = iter([m for m in model.modules() if isinstance(m, nn.Conv2d)]), images
    for reduce in (lambda window: window.amax(-1), lambda window: window.mean(-1), None):
        for _ in range(3):
            conv = next(layers)
            x = F.conv2d(x, conv.weight, conv.bias, padding=conv.weight.shape[-1] // 2).clamp(min=0)
        x = pooled(x, reduce) if reduce else x
    assert close(model(images), x.mean((2, 3)))


def test_the_poolings_in_functions():
    check_model(nin)


def check_dropout(build) -> None:
    assert drop_probs(build(drop_prob=0.2)) == {"features.2": 0.2, "features.5": 0.2}


def test_dropout_stands_between_the_blocks():
    check_dropout(nin)
    assert set(drop_probs(nin()).values()) == {0.5}


def check_spread(build) -> None:
    torch.manual_seed(0)
    for layer in build().modules():
        if isinstance(layer, nn.Conv2d):
            assert abs(layer.weight.std() / 0.05 - 1) < 5 / (2 * layer.weight.numel()) ** 0.5
            assert not layer.bias.any()


def test_initial_spread():
    check_spread(nin)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: nin(drop_prob=1.5), "expected drop_prob"),
        (lambda: nin()(torch.zeros(1, 1, 32, 32)), r"float \[B, 3, H, W\]"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


MAX, AVERAGE = "nn.MaxPool2d(3, 2, ceil_mode=True)", "nn.AvgPool2d(3, 2, ceil_mode=True)"
FAULTS = {
    "average pooling first": (check_model, f"({MAX}, {AVERAGE})", f"({AVERAGE}, {MAX})"),
    "a pooling that pads": (check_model, MAX, "nn.MaxPool2d(3, 2, padding=1)"),
    "probability of keeping": (
        check_dropout,
        "pools[1], nn.Dropout(drop_prob)",
        "pools[1], nn.Dropout(1 - drop_prob)",
    ),
    "0.01 as in the published first layer": (check_spread, "weight, 0, 0.05)", "weight, 0, 0.01)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, old, new = FAULTS[fault]
    check_sees(check, module, "nin", old, new)
