"""What counting finds of a row: torch's own counter agrees, a size is checked, a file of rows is written."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dlbook import zoo
from dlbook.measure import count
from dlbook.models import create
from dlbook.zoo.counting import as_csv, build, checked_size, counted, counts

SAMPLE = ["lenet5", "resnet18", "resnet50", "efficientnet_b0", "vgg11"]


@pytest.mark.parametrize("name", SAMPLE)
def test_macs_are_those_of_torchs_own_counter(name):
    size = zoo.input_size(name)
    with torch.device("meta"):
        model = create(name).eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(1, *size, device="meta"))
    assert counter.get_total_flops() == 2 * zoo.entry(name).macs == 2 * counts(name).macs


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("lenet5", 32, (1, 32, 32)),
        ("lenet5", None, (1, 32, 32)),
        ("resnet18", 64, (3, 64, 64)),
        ("resnet18", [1, 64, 96], (1, 64, 96)),
    ],
)
def test_a_size_is_made_whole(name, size, expected):
    assert checked_size(name, size) == expected


@pytest.mark.parametrize("size", [(3, 224), (3, 0, 4), 0, True, (3, 8.0, 8)])
def test_a_size_that_is_none_is_told(size):
    with pytest.raises(ValueError, match="expected size to be"):
        checked_size("resnet18", size)


def test_the_network_that_is_counted_is_the_row():
    assert count(lambda: build("resnet18", (3, 224, 224))).parameters == zoo.entry("resnet18").parameters
    assert build("resnet18", (1, 64, 96)).conv1.in_channels == 1


def test_both_ways_to_count_agree():
    entry = counted("lenet5_modern")
    assert (entry.parameters, entry.macs) == (counts(entry.name).parameters, counts(entry.name).macs)
    assert as_csv([entry]).splitlines()[1] == f"lenet5_modern,lenet,1,28,28,{entry.parameters},{entry.macs}"
