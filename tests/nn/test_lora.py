"""LoRA: the equation; exact at the start, only the small part trains, merged weights compute the same."""

import pytest
import torch
from torch import nn

from dlbook.nn import lora as lora_module
from dlbook.nn.lora import LoRALinear, add_lora, merge_lora
from tests.nn.frozen_network import IMAGES, check_start_and_training, disturb, qkv, vit
from tests.seeded import edited


def test_equation_three():
    layer = LoRALinear(nn.Linear(7, 5).double(), rank=3, alpha=6.0)
    disturb(layer)
    x = torch.randn(4, 7, dtype=torch.float64)
    expected = torch.stack(
        [layer.linear.weight @ row + layer.linear.bias + 2.0 * (layer.B @ (layer.A @ row)) for row in x]
    )
    assert torch.allclose(layer(x), expected, rtol=1e-12, atol=1e-12)


def test_starts_at_the_trained_network_and_only_the_small_part_trains():
    check_start_and_training(lambda model: add_lora(model, qkv(model), 4))


def check_merge():
    model = vit()
    add_lora(model, qkv(model), 4, alpha=2.0)
    disturb(model)
    expected, names = model(IMAGES), vit().state_dict().keys()
    merge_lora(model)
    assert model.state_dict().keys() == names
    assert (model(IMAGES) - expected).abs().max() < 1e-10 * expected.abs().max()


def test_merged_computes_the_same():
    check_merge()


def test_bad_arguments():
    with pytest.raises(ValueError, match="expected rank <= 5, got"):
        LoRALinear(nn.Linear(9, 5), rank=6)
    with pytest.raises(ValueError, match="expected rank to be a whole number"):
        LoRALinear(nn.Linear(9, 5), rank=0)
    model = nn.Sequential(nn.Linear(3, 3))
    with pytest.raises(
        ValueError, match="expected targets that fit layers of the model, got 'qkv'; there are 0"
    ):
        add_lora(model, ["qkv"], 1)
    assert all(p.requires_grad for p in model.parameters())  # nothing was changed
    with pytest.raises(ValueError, match="at least one layer"):
        add_lora(model, [], 2)


FAULTS = {
    "scale forgotten in the merge": (
        "self.linear.weight + self.scale * self.B @ self.A",
        "self.linear.weight + self.B @ self.A",
    ),
    "scale not divided by the rank": ("if alpha is None else alpha) / rank", "if alpha is None else alpha)"),
    "A and B exchanged": ("self.B @ self.A)", "(self.A.T @ self.B.T))"),
    "base not frozen": ("linear.requires_grad_(False)", "linear"),
    "B random": ("torch.zeros(linear.out_features", "torch.ones(linear.out_features"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    scope = edited(lora_module, *FAULTS[fault])
    torch.manual_seed(0)
    with pytest.raises((AssertionError, RuntimeError)):
        base, x = nn.Linear(7, 7).double(), torch.randn(4, 7, dtype=torch.float64)
        expected = base(x)
        layer = scope["LoRALinear"](base, 3, 6.0)
        assert torch.equal(layer(x), expected) and not base.weight.requires_grad
        disturb(layer)
        by_hand = base(x) + 2.0 * x @ layer.A.T @ layer.B.T
        assert torch.allclose(layer(x), by_hand) and torch.allclose(layer.merged()(x), by_hand)
