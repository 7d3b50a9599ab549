"""The memory that `tests/zoo/memory.py` counts: against sums by hand, faults that keep maps alive, and a row
of each kind of block.

`python scripts/check_zoo.py --checks memory` asks every row that a library shares.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.zoo import memory

SIZE = (3, 16, 16)
MAP = 4 * memory.BATCH * 8 * 16 * 16  # bytes of one map of 8 channels


class Net(nn.Module):
    """Two convolutions with BN and ReLU, pooled: [B, 3, H, W] -> [B, 8]. `fault` is how it wastes memory."""

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.convs = nn.ModuleList(
            [nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Conv2d(8, 8, 3, padding=1, bias=False)]
        )
        self.norms = nn.ModuleList([nn.BatchNorm2d(8), nn.BatchNorm2d(8)])

    def forward(self, x):
        kept = []
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = conv(x)
            x = norm(x)
            x = F.relu(x, inplace=True)
            if self.fault == "list":
                kept.append(x)
            if self.fault == "saved":
                x = x * 1.5 * torch.ones_like(x).requires_grad_()
        return x.mean((2, 3))


def net(fault: str = "") -> Net:
    with torch.device("meta"):
        return Net(fault)


def test_counts_are_those_by_hand():
    found = memory.measure(net(), SIZE)
    small = 4 * 8 * 4 * memory.BATCH  # statistics, means, logits: some vectors of 8 numbers
    assert (
        2 * MAP <= found["forward, peak"] <= 2 * MAP + small
    )  # what a layer reads and what it makes; ReLU works in place
    assert (
        4 * MAP <= found["kept for backward"] <= 4 * MAP + small
    )  # of each layer what BN and the next convolution have read
    assert found["training step, peak"] >= found["kept for backward"]


def test_nothing_is_left_when_the_model_is_done():
    with torch.no_grad(), memory.Storages() as storages:
        net().eval()(torch.empty(2, *SIZE, device="meta"))
    assert storages.held == 0 and storages.peak > 0


@pytest.mark.parametrize(
    "fault, measure",
    [("list", "forward, peak"), ("saved", "kept for backward"), ("saved", "training step, peak")],
)
def test_a_wasteful_net_is_caught(fault, measure):
    assert any(told.startswith(measure) for told in memory.compare(net(fault), net(), SIZE))
    assert memory.compare(net(), net(), SIZE) == []


@pytest.mark.parametrize(
    "name",
    ["resnet18_v1_5", "resnetv2_18", "mobilenet_v2_035", "mobilenet_v3_small", "regnet_x_200mf", "deit_ti"],
)
def test_a_row_of_each_kind(name):
    assert memory.check_memory(name) == []
