"""What the translation refuses, by name: it would not be equal in the page.

torch.export itself writes that whoever reads a tensor after an operation in place reads its result: "in place"
holds it to that. The words that each refusal expects are in `REFUSED`.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.browser.export import exported, graph_of
from tests.browser.engine_runs import in_node

IMAGES = torch.rand(3, 2, 6, 6, generator=torch.Generator().manual_seed(0))


class Calls(nn.Module):
    """A network of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


REFUSED = {
    "dilation": (nn.Conv2d(2, 3, 3, dilation=2), "conv2d without dilation"),
    "dropping": (nn.Dropout(0.5), "no dropping.*dropout of 0.5"),
    "another GELU": (nn.GELU("tanh"), "the exact GELU"),
    "no running statistics": (nn.BatchNorm2d(2, track_running_stats=False), "running statistics"),
    "layer norm of maps": (nn.LayerNorm([6, 6]), "over the last axis"),
    "ceil mode": (nn.MaxPool2d(2, ceil_mode=True), "max pooling"),
    "a mean without its padding": (nn.AvgPool2d(3, padding=1, count_include_pad=False), "average pooling"),
    "an unknown operation": (nn.ELU(), "listed in dlbook/browser/translate.py.*aten.elu"),
    "a number added": (Calls(lambda x: x + 1), "add of tensors"),
    "zeros on two axes": (nn.ZeroPad2d(1), "zeros along one axis"),
    "a random mask": (Calls(lambda x: x * torch.rand_like(x)), "aten.rand_like"),
    "a gate for each channel": (Calls(lambda x: x * x.mean((2, 3), keepdim=True)), "mul of equal shapes"),
    "a sum with one row of many": (Calls(lambda x: x + x[:, :, :1]), "add of equal shapes"),
    "softmax over channels": (nn.Softmax(1), "softmax over the last axis"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_not_be_equal_is_refused_by_name(what):
    model, words = REFUSED[what]
    with pytest.raises(ValueError, match=rf"expected operations of the engine \(.*{words}.*; leave it out"):
        graph_of(model, IMAGES)


def in_place(x):
    """The second use of y sees what the ReLU has done to it."""
    y = torch.add(x, x)
    return torch.mul(F.relu_(y), x).flatten(1) + y.flatten(1)


ALLOWED = {
    "a shape and its last axes": lambda x: (x * x.flatten(0, 2).mean(0)).flatten(1),
    "in place": in_place,
    "axes counted from the end": lambda x: x.transpose(-1, -2)[..., :2].mean(-1).flatten(-2),
    "pieces of an axis": lambda x: torch.cat(list(x.unbind(1)), -1).softmax(-1).flatten(1),
    "a chosen row": lambda x: torch.tanh(x)[:, -1, 2],
}


@pytest.mark.parametrize("what", ALLOWED)
def test_rearranging_is_equal(what):
    network = ALLOWED[what]
    file = exported(Calls(network), IMAGES - 0.5, "float32")
    case = {"images": (IMAGES - 0.5).flatten().tolist(), "shape": list(IMAGES.shape), "labels": [0, 1, 0]}
    told = in_node({"learning": [{**file.as_json(), **case, "optimiser": {}, "steps": 0}]})["learning"][0]
    assert told["evaluation"] == pytest.approx(network(IMAGES - 0.5).flatten().tolist(), abs=1e-6)


def test_what_depends_on_the_batch_is_refused():
    with pytest.raises(ValueError, match="every image alike.*take out what depends on the batch"):
        graph_of(Calls(lambda x: x[1:]), IMAGES)
