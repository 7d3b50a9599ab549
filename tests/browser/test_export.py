"""Networks as files: what they hold, how large, how far rounding may lead, and what is refused.

Seeded fault, tried: scales for the whole tensor instead of one a channel are seen by the bound on the steps.
"""

import numpy as np
import pytest
import torch
from torch import nn

from dlbook.browser import export
from dlbook.browser.export import exported, graph_of, packed, unpacked
from dlbook.models import resnet
from tests.browser.networks import NETWORKS, built


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("kind", ["int8", "float16"])
def test_a_small_network_fits_and_stays_close(name, kind):
    model, images, *_ = built(name)
    file = exported(model, images, kind)
    assert file.size <= export.LIMIT and file.difference <= 0.02
    assert len(file.data) == sum(
        {"int8": 1, "float16": 2, "float32": 4}[how] * int(np.prod(shape))
        for _, shape, how, _ in file.entries
    )


@pytest.mark.parametrize("kind", ["int8", "float16", "float32"])
def test_what_was_packed_is_read_again(kind):
    model, images, *_ = built("convnet")
    result = exported(model, images, kind)
    read = unpacked(result.entries, result.data)
    assert read.keys() == result.numbers.keys()
    assert all(torch.equal(read[name], values) for name, values in result.numbers.items())


def test_float32_is_exact():
    model, images, *_ = built("resnet, option A")
    assert exported(model, images, "float32", most=0.0).difference == 0.0


def test_the_graph_names_what_is_read_and_nothing_else():
    model, images, *_ = built("resnet, option A")
    graph = graph_of(model, images)
    assert list(graph["parameters"]) == [name for name, _ in model.named_parameters()]
    assert not [name for name in graph["buffers"] if "num_batches" in name] and graph["input"] == [1, 14, 14]


def test_each_channel_is_rounded_to_half_a_step_of_its_own():
    values = torch.tensor([[1.27, -0.3, 0.004], [100.0, 50.2, -127.0]])
    (_, _, _, scales), data, rounded = packed("weight", values, "int8")
    assert scales == pytest.approx([0.01, 1.0]) and len(data) == 6
    assert ((rounded - values).abs() <= torch.tensor(scales)[:, None] * 0.5001).all()


def test_a_large_network_is_refused():
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100))
    with pytest.raises(ValueError, match="at most 60 KiB, got 7.* KiB with int8; take int8"):
        exported(model, torch.rand(4, 1, 28, 28))
    assert exported(model, torch.rand(4, 1, 28, 28), "float32").size > export.LIMIT


def test_what_rounding_changes_too_much_is_refused():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 10))
    with torch.no_grad():
        model[1].weight.mul_(300)
    with pytest.raises(
        ValueError, match="expected class probabilities within 0.02 of the network's, got a diff"
    ):
        exported(model, torch.rand(64, 1, 4, 4))


def test_one_image_is_too_few():
    with pytest.raises(ValueError, match="two images or more, got 1"):
        graph_of(nn.Flatten(), torch.rand(1, 1, 4, 4))


def test_the_model_is_left_as_it_was():
    model, images, *_ = built("resnet, option A")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    exported(model, images)
    assert model.training and all(torch.equal(before[n], v) for n, v in model.state_dict().items())


def test_resnet20_is_expressible():
    """The book's ResNet-20 for small images, option A, at half its size of picture."""
    model = resnet.resnet("resnet20_cifar", in_channels=1)
    graph = graph_of(model, torch.rand(2, 1, 14, 14))
    assert sum(name == "add" for name, *_ in graph["operations"]) == 9
