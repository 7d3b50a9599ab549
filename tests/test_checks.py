"""Errors at the models' boundary say what was expected, what got and how to fix it; loading is all or
nothing.
"""

import pytest
import torch
from torch import nn

from dlbook.checks import find_row, require_images, require_one_of, require_positive, require_probability
from dlbook.nn.state import load_state


@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None])
def test_positive_refuses(value):
    with pytest.raises(ValueError, match="num_classes must be a whole number of at least 1, got"):
        require_positive("num_classes", value)


@pytest.mark.parametrize("value", [-0.1, 1.0, 2, True, "0.5"])
def test_probability_refuses(value):
    with pytest.raises(ValueError, match=r"drop_prob must be a probability in \[0, 1\), got"):
        require_probability("drop_prob", value)


def test_what_is_right_passes():
    require_positive("width", 1)
    require_probability("drop_prob", 0)
    require_one_of("stem", "cifar", ("cifar", "imagenet"))
    require_images(torch.zeros(1, 3, 2, 2), 3)


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(3, 8, 8),
        torch.zeros(1, 1, 8, 8),
        torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
        torch.zeros(0, 3, 8, 8),
    ],
)
def test_images_refuse(images):
    with pytest.raises(ValueError, match=r"images must be float \[B, 3, H, W\], got"):
        require_images(images, 3)


def test_unknown_rows_suggest_the_nearest():
    with pytest.raises(ValueError, match="unknown variant 'resnet5'; did you mean resnet50"):
        find_row("resnet5", {"resnet50": 1, "vgg16": 2})
    with pytest.raises(ValueError, match="unknown variant None"):
        find_row(None, {"resnet50": 1})
    with pytest.raises(
        ValueError, match="did you mean resnet20_cifar, resnet50[?] There are resnet50, resnet20_cifar$"
    ):
        find_row("resnet20", {"resnet50": 1, "resnet20_cifar": 2})  # what begins with it comes first
    with pytest.raises(ValueError, match="There are 99 names; `dlbook models` lists them$"):
        find_row("row", {f"a{number}": number for number in range(99)})
    assert find_row("vgg16", {"vgg16": 2}) == 2


def test_load_is_all_or_nothing():
    model, other = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    nn.init.normal_(other.weight)
    state = dict(other.state_dict())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for broken, message in (
        ({**state, "extra": torch.ones(1)}, "'extra' of the state dict has no place"),
        (
            {name: state[name] for name in state if name != "running_var"},
            r"'running_var' of shape \[3\] is missing",
        ),
        ({**state, "bias": torch.ones(4)}, r"'bias': the model has \[3\], the state dict has \[4\]"),
    ):
        with pytest.raises(ValueError, match=message):
            load_state(model, broken)
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    state.pop("num_batches_tracked")
    assert torch.equal(load_state(model, state).weight, other.weight)


def test_load_renames():
    model = load_state(
        nn.Linear(2, 2),
        {"w": torch.ones(2, 2), "b": torch.zeros(2)},
        {"w": "weight", "b": "bias"}.__getitem__,
    )
    assert model.weight.sum() == 4
