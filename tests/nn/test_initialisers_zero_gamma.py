"""zero_gamma_: every block starts as its shortcut, and can leave that state."""

import pytest
import torch
from torch import nn

from dlbook.nn import initialisers as init


class Block(nn.Module):
    """A residual block of one convolution."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn1, self.bn2 = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x):
        return x + self.bn2(self.conv(self.bn1(x)))


def check_identity(zero):
    torch.manual_seed(0)
    model, x = nn.Sequential(Block(), nn.Sequential(Block())), torch.randn(2, 3, 5, 4)
    assert zero(model) is model
    out = model(x)
    assert torch.equal(out, x), "each block is its shortcut"
    (out * x).sum().backward()
    assert all(block.bn2.weight.grad.abs().sum() > 0 for block in (model[0], model[1][0])), (
        "and it can leave that state"
    )
    assert (model[0].bn1.weight == 1).all(), "other scales stay"


def test_zero_gamma_makes_blocks_identities():
    check_identity(lambda model: init.zero_gamma_(model, {Block: "bn2"}))


def test_a_model_without_such_blocks_is_refused():
    with pytest.raises(ValueError, match="expected a model with blocks of Block, got none"):
        init.zero_gamma_(nn.Linear(2, 2), {Block: "bn2"})


def zero_all(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.zeros_(module.weight)
    return model


def zero_first(model):
    init.zero_gamma_(model[0], {Block: "bn2"})
    return model


FAULTS = {
    "the first normalisation": lambda m: init.zero_gamma_(m, {Block: "bn1"}),
    "every normalisation": zero_all,
    "the first block only": zero_first,
    "nothing": lambda m: m,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_identity_catches_the_seeded_fault(fault):
    with pytest.raises(AssertionError):
        check_identity(FAULTS[fault])
