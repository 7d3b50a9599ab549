"""The images that a row was made for, and what its builder needs for others."""

import pytest
import torch

from dlbook import zoo
from dlbook.models import create
from dlbook.zoo.sizes import size_options


@pytest.mark.parametrize(
    "name, size",
    [
        ("lenet5", (1, 32, 32)),
        ("lenet5_modern", (1, 28, 28)),
        ("alexnet", (3, 227, 227)),
        ("resnet56_cifar", (3, 32, 32)),
        ("efficientnet_b7", (3, 600, 600)),
        ("vgg16", (3, 224, 224)),
    ],
)
def test_input_sizes(name, size):
    assert zoo.input_size(name) == size


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("resnet18", (3, 224, 224), {}),
        ("resnet18", (3, 64, 96), {}),  # any side goes through
        ("resnet18", (1, 64, 96), {"in_channels": 1}),
        ("vit_ti_16", (3, 224, 224), {}),
        ("vit_ti_16", (3, 64, 64), {"resolution": 64}),
        ("vit_ti_16", (1, 64, 96), {"in_channels": 1, "resolution": (64, 96)}),
    ],
)
def test_what_another_size_needs(name, size, expected):
    assert size_options(name, size) == expected
    with torch.device("meta"):
        assert create(name, **expected).eval()(torch.empty(1, *size)).shape == (1, 1000)


def test_an_unknown_row_is_told():
    with pytest.raises(ValueError, match="resnet18"):
        zoo.input_size("resnt18")
