"""A trained network to which LoRA or adapters are added, and what must hold after that."""

import copy

import torch
from torch import nn

from dlbook.models import create


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


def check_start_and_training(add):
    """Starts at the trained network, and only the small part trains."""
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
