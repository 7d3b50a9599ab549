"""The small ConvNet: its count by layer, its shapes, its arguments; a naive forward out of torch's
functions.
"""

import pytest
import torch
import torch.nn.functional as F

from dlbook.models.convnet import VARIANTS, convnet


def test_parameters_by_layer():
    counts = {
        name: parameter.numel() for name, parameter in convnet().named_parameters() if parameter.ndim > 1
    }
    assert list(counts.values()) == [25 * 16, 16 * 9 * 32, 32 * 9 * 64, 576 * 10]
    assert sum(parameter.numel() for parameter in convnet().parameters()) == 29_434


def check_forward(build):
    torch.manual_seed(0)
    model = build().double()
    images = torch.rand(4, 1, 28, 20, dtype=torch.float64)
    model(images)  # moves the running statistics away from 0 and 1
    state, x = model.eval().state_dict(), images
    for place, stride, padding in ((0, 2, 2), (3, 2, 1), (6, 1, 1)):
        x = F.conv2d(x, state[f"features.{place}.weight"], stride=stride, padding=padding)
        norm = [
            state[f"features.{place + 1}.{part}"]
            for part in ("running_mean", "running_var", "weight", "bias")
        ]
        x = F.batch_norm(x, *norm).clamp(min=0)
    x = F.adaptive_max_pool2d(x, 3).flatten(1)
    expected = x @ state["head.weight"].T + state["head.bias"]
    assert torch.allclose(model(images), expected, atol=1e-12)


@pytest.mark.parametrize("name", VARIANTS)
def test_forward_against_functions(name):
    check_forward(lambda: convnet(name))


@pytest.mark.parametrize("bad", [{"name": "convnet_digit"}, {"num_classes": 0}, {"in_channels": -1}])
def test_bad_arguments(bad):
    with pytest.raises(ValueError):
        convnet(**bad)


FAULTS = {  # place among the layers, and what stands there instead
    "GELU for ReLU": (2, torch.nn.GELU()),
    "average for max pooling": (9, torch.nn.AdaptiveAvgPool2d(3)),
    "no normalisation": (4, torch.nn.Identity()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    place, broken = FAULTS[fault]

    def build():
        model = convnet()
        model.features[place] = broken
        return model

    with pytest.raises((AssertionError, KeyError)):
        check_forward(build)
