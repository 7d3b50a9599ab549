"""AlexNet against its paper's counts, two chains of convolutions for the two GPUs, torchvision's arithmetic,
and faults that people make.
"""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from dlbook.measure import count
from dlbook.models.alexnet import alexnet
from dlbook.models.alexnet_weights import load_torchvision_state
from dlbook.zoo.sizes import input_size
from tests.parity import close, disagreements, randomise

COUNTS = {  # parameters and multiply-accumulates; the docstring of the model has the sources
    "alexnet": (60_965_224, 724_406_816),
    "alexnet_ungrouped": (62_378_344, 1_135_256_096),
    "alexnet_owt": (61_100_840, 714_188_480),
}


@pytest.mark.parametrize("name", COUNTS)
def test_exact_counts(name):
    counts = count(lambda: alexnet(name), input_size(name))
    assert (counts.parameters, counts.macs) == COUNTS[name]


def thin(model: nn.Module) -> nn.Module:
    """The net with narrow linear layers, in the same places: two cores can afford them in float64."""
    linear = [index for index, layer in enumerate(model.classifier) if isinstance(layer, nn.Linear)]
    for index, layer in zip(linear, (nn.Linear(9216, 24), nn.Linear(24, 16), nn.Linear(16, 5)), strict=True):
        model.classifier[index] = layer
    return model


def thin_alexnet() -> nn.Module:
    return randomise(thin(alexnet("alexnet"))).eval()


def test_alexnet_is_torchvision_s():
    reference = randomise(thin(torchvision.models.alexnet()))
    model = load_torchvision_state(randomise(thin(alexnet("alexnet_owt"))), reference.state_dict())
    assert disagreements(model, reference, (2, 3, 70, 95)) == []


def two_towers(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The oracle: the two GPUs as two chains that exchange their maps before the third convolution only."""
    convs = [layer for layer in model.features if isinstance(layer, nn.Conv2d)]
    lrn = lambda x: F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)
    x = F.max_pool2d(lrn(F.relu(convs[0](images))), 3, 2)
    halves = [
        F.relu(
            F.conv2d(
                x[:, 48 * i : 48 * (i + 1)],
                convs[1].weight[128 * i : 128 * (i + 1)],
                convs[1].bias[128 * i : 128 * (i + 1)],
                padding=2,
            )
        )
        for i in (0, 1)
    ]
    x = F.relu(convs[2](F.max_pool2d(lrn(torch.cat(halves, 1)), 3, 2)))
    towers = list(x.chunk(2, 1))
    for conv in convs[3:]:
        weights, biases = conv.weight.chunk(2), conv.bias.chunk(2)
        towers = [
            F.relu(F.conv2d(tower, w, b, padding=1))
            for tower, w, b in zip(towers, weights, biases, strict=True)
        ]
    return F.max_pool2d(torch.cat(towers, 1), 3, 2)


def test_alexnet_of_2012_is_two_towers():
    model = thin_alexnet()
    images = 50 * torch.randn(1, 3, 99, 131, dtype=torch.float64)
    assert close(model.features(images), two_towers(model, images))
    for module in model.features:  # fault: torch's alpha where the paper's belongs
        if hasattr(module, "alpha"):
            module.alpha /= 5
    assert not close(model.features(images), two_towers(model, images))


def test_alexnet_biases_of_one_keep_the_maps_alive():
    torch.manual_seed(0)
    model, images = alexnet("alexnet", num_classes=2), torch.randn(1, 3, 227, 227)
    alive = model.features(images).mean()
    for layer in model.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.bias)
    assert alive > 100 * model.features(images).mean()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: alexnet("alexnet", num_classes=0), "expected num_classes"),
        (lambda: alexnet("alexnet", num_classes=1)(torch.zeros(1, 3, 66, 99)), "at least 67 pixels"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


FAULTS = {
    "one group for two": lambda model: setattr(model.features[4], "groups", 1),
    "pooling without overlap": lambda model: model.features.__setitem__(3, nn.MaxPool2d(2)),
    "no LRN": lambda model: model.features.__setitem__(2, nn.Identity()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_two_towers_catch_the_seeded_fault(fault):
    model, images = thin_alexnet(), torch.randn(1, 3, 99, 131, dtype=torch.float64)
    FAULTS[fault](model)
    try:
        assert not close(model.features(images), two_towers(model, images))
    except RuntimeError as error:
        assert "expected input" in str(error) or "weight of size" in str(error)
