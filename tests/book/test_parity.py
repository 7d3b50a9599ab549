"""Parity finds seeded faults in each part that it compares, and changes neither network."""

import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlbook import book
from dlbook.book.parity import difference as _difference
from tests.seeded import check_sees

parity = sys.modules[_difference.__module__]  # the package exports the function under this name

SIZE = (2, 3, 9, 7)


class Net(nn.Module):
    """A convolution, batch norm, dropout and a linear layer."""

    def __init__(self, stride=(2, 1), momentum=0.1, drop=0.5):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4, momentum=momentum)
        self.drop = nn.Dropout(drop)
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        return self.head(self.drop(F.relu(self.norm(self.conv(x))).mean((2, 3))))


class Renamed(Net):
    """The same with another name for the head, and a tuple of outputs."""

    def __init__(self):
        super().__init__()
        self.fc = self._modules.pop("head")

    def forward(self, x):
        x = self.drop(F.relu(self.norm(self.conv(x))).mean((2, 3)))
        return self.fc(x), x


def test_equal_networks_agree_and_are_left_alone():
    ours, theirs = Net(), Net()
    before = [{k: v.clone() for k, v in net.state_dict().items()} for net in (ours, theirs)]
    found = book.parity(ours, theirs, SIZE)
    assert len(found) == 6 and max(found.values()) < 1e-12
    for net, state in zip((ours, theirs), before, strict=True):
        assert all(torch.equal(state[k], v) for k, v in net.state_dict().items()) and net.drop.p == 0.5


def test_other_names_and_a_tuple():
    def load(ours, state):
        ours.load_state_dict({k.replace("fc.", "head."): v for k, v in state.items()})

    found = book.parity(Net(), Renamed(), SIZE, load=load, rename=lambda name: name.replace("fc.", "head."))
    assert max(found.values()) < 1e-12


class Transposed(Net):
    """A fault: height and width swapped; invisible on square images with equal strides."""

    def forward(self, x):
        return super().forward(x.transpose(2, 3))


class Detached(Net):
    """A fault: half of the gradient is lost, the outputs are right."""

    def forward(self, x):
        return super().forward(0.5 * x + 0.5 * x.detach())


class NoReLU(Net):
    """A fault: an activation is lost."""

    def forward(self, x):
        return self.head(self.norm(self.conv(x)).mean((2, 3)))


FAULTS = {
    "axes swapped": (Transposed, "evaluation: logits"),
    "gradient cut": (Detached, "evaluation: gradient of the images"),
    "an activation lost": (NoReLU, "evaluation: logits"),
    "another momentum of the statistics": (lambda: Net(momentum=0.2), "training: state after a step"),
    "strides exchanged": (lambda: Net(stride=(1, 2)), "evaluation: logits"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_parity_finds(fault):
    build, where = FAULTS[fault]
    assert book.parity(build(), Net(), SIZE)[where] > 1e-6


def test_a_lost_gradient_shows_in_no_logits():
    found = book.parity(Detached(), Net(), SIZE)
    assert found["evaluation: logits"] < 1e-12


@pytest.mark.parametrize("size", [(2, 3, 8, 8), (1, 3, 9, 7)])
def test_degenerate_sizes_are_refused(size):
    with pytest.raises(ValueError, match="unequal height and width"):
        book.parity(Net(), Net(), size)


def test_other_shapes_are_infinitely_far():
    class Fewer(Net):
        def forward(self, x):
            return super().forward(x)[:, :4]

    assert book.parity(Fewer(), Net(), SIZE)["evaluation: logits"] == float("inf")


def check_relative_to_theirs(difference) -> None:
    """Ours may be wrong by any size; the reference says what is large. One wrong element of many counts."""
    theirs = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    for ours, expected in (([1.0, -2.0, 1000.5], 500.0), ([0.0, 0.0, 0.0], 1.0), ([1.0, -1.0, 0.5], 0.5)):
        assert difference(torch.tensor(ours), theirs) == pytest.approx(expected)


RELATIVE_FAULTS = {
    "relative to ours": ("theirs.abs().max().item())", "ours.abs().max().item())"),
    "in the mean": ("(ours - theirs).abs().max().item()", "(ours - theirs).abs().mean().item()"),
}


def test_differences_are_relative_to_the_reference():
    check_relative_to_theirs(parity.difference)


@pytest.mark.parametrize("fault", RELATIVE_FAULTS)
def test_the_check_sees_the_wrong_side(fault):
    check_sees(check_relative_to_theirs, parity, "difference", *RELATIVE_FAULTS[fault])
