"""LoRA and adapters: exact at the start, only the small part trains, merged weights compute the same."""

import copy

import pytest
import torch
from torch import nn

from dlbook.models import create
from dlbook.nn import lora as lora_module
from dlbook.nn.adapter import Adapter, add_adapters
from dlbook.nn.lora import LoRALinear, add_lora, merge_lora
from tests.oracles.seeded import edited


def vit():
    torch.manual_seed(0)
    model = create("vit_ti_16", num_classes=5).double().eval()
    nn.init.normal_(model.get_submodule(last_linear(model)).weight, std=0.1)
    return model


def last_linear(model):
    return [name for name, module in model.named_modules() if isinstance(module, nn.Linear)][-1]


def qkv(model):
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module.out_features == 3 * module.in_features
    ]


IMAGES = torch.rand(2, 3, 224, 224, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def disturb(model):
    """Move whatever trains away from its start."""
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data.add_(
                0.05 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
            )


def test_equation_three():
    layer = LoRALinear(nn.Linear(7, 5).double(), rank=3, alpha=6.0)
    disturb(layer)
    x = torch.randn(4, 7, dtype=torch.float64)
    expected = torch.stack(
        [layer.linear.weight @ row + layer.linear.bias + 2.0 * (layer.B @ (layer.A @ row)) for row in x]
    )
    assert torch.allclose(layer(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "add", [lambda m: add_lora(m, qkv(m), 4), lambda m: add_adapters(m, qkv(m), 8)], ids=["lora", "adapters"]
)
def test_starts_at_the_trained_network_and_only_the_small_part_trains(add):
    model = vit()
    reference = model(IMAGES)
    before = copy.deepcopy(dict(model.named_parameters()))
    total = sum(p.numel() for p in model.parameters())
    assert len(add(model)) == 12
    assert torch.equal(model(IMAGES), reference)
    trained = [p for p in model.parameters() if p.requires_grad]
    assert 0 < sum(p.numel() for p in trained) < 0.03 * total
    torch.optim.AdamW(trained, lr=0.1)
    model(IMAGES).square().sum().backward()
    assert all(p.grad is not None for p in trained) and all(
        p.grad is None for p in model.parameters() if not p.requires_grad
    )
    disturb(model)
    assert not torch.allclose(model(IMAGES), reference)
    after = {name.replace(".linear.", "."): value for name, value in model.named_parameters()}
    assert all(torch.equal(after[name], value) for name, value in before.items())


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


def test_adapter_equation():
    adapter = Adapter(6, 2).double()
    disturb(adapter)
    h = torch.randn(3, 6, dtype=torch.float64)
    down = h @ adapter.down.weight.T + adapter.down.bias
    f = 0.5 * down * (1 + torch.erf(down / 2**0.5))
    assert torch.allclose(adapter(h), h + f @ adapter.up.weight.T + adapter.up.bias, rtol=1e-12)


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
        add_adapters(model, [], 2)
