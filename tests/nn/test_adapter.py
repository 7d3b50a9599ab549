"""Adapters: the equation; exact at the start, only the small part trains."""

import pytest
import torch
from torch import nn

from dlbook.nn import adapter as module
from dlbook.nn.adapter import add_adapters
from tests.nn.frozen_network import check_start_and_training, disturb, qkv
from tests.seeded import edited


def test_starts_at_the_trained_network_and_only_the_small_part_trains():
    check_start_and_training(lambda model: add_adapters(model, qkv(model), 8))


def test_adapter_equation():
    assert not wrong(vars(module))


def test_no_target_is_refused():
    with pytest.raises(ValueError, match="at least one layer"):
        add_adapters(nn.Sequential(nn.Linear(3, 3)), [], 2)


def wrong(names):
    """Whether a version of the adapter misses the equation, or is not the identity before training."""
    torch.manual_seed(0)
    adapter, h = names["Adapter"](6, 2).double(), torch.randn(3, 6, dtype=torch.float64)
    start = torch.equal(adapter(h), h)
    disturb(adapter)
    down = h @ adapter.down.weight.T + adapter.down.bias
    f = 0.5 * down * (1 + torch.erf(down / 2**0.5))
    return not start or not torch.allclose(
        adapter(h), h + f @ adapter.up.weight.T + adapter.up.bias, rtol=1e-12
    )


FAULTS = {
    ("return h + self.up", "return self.up"),
    ("nn.init.zeros_(self.up.weight)", "nn.init.ones_(self.up.weight)"),
    ("nn.GELU()", "nn.ReLU()"),
}


@pytest.mark.parametrize("edit", sorted(FAULTS))
def test_faults_are_seen(edit):
    assert wrong(vars(module)) is False and wrong(edited(module, *edit))
