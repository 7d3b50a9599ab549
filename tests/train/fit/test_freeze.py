"""Freezing: what must not change does not, in weights and in statistics, whatever mode is asked for."""

import copy

import pytest
import torch
from torch import nn

from dlbook.models import create
from dlbook.train.fit import freeze as module
from dlbook.train.fit.freeze import freeze, gradual, head, thaw


def net():
    torch.manual_seed(0)
    return create("resnet20_cifar", num_classes=4)


def step(model):
    """One training step with weight decay, in training mode."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.1, weight_decay=0.1)
    model.train()
    nn.functional.cross_entropy(model(torch.rand(4, 3, 32, 32)), torch.arange(4)).backward()
    optimizer.step()


def changed(model, before):
    return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


def check_frozen(freeze_function):
    model = net()
    before = copy.deepcopy(model.state_dict())
    freeze_function(model, except_for=[head(model)])
    step(model)
    assert changed(model, before) == {f"{head(model)}.weight", f"{head(model)}.bias"}


def test_only_the_head_changes():
    check_frozen(freeze)


def test_forgotten_batch_norm_would_be_caught(monkeypatch):
    monkeypatch.setattr(module, "_stays_in_evaluation", nn.Module.train)
    with pytest.raises(AssertionError):
        check_frozen(freeze)


def test_features_are_those_of_evaluation_mode():
    model, reference = net(), net().eval()
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(freeze(model, [head(model)]).train()(images), reference(images))


def test_normalisers_that_train_follow_the_mode():
    model = freeze(net(), except_for=["layer3"])
    frozen = [
        name for name, m in model.train().named_modules() if isinstance(m, nn.BatchNorm2d) and not m.training
    ]
    assert frozen and not any(name.startswith("layer3") for name in frozen)


def test_thaw_is_the_inverse():
    model, plain = net(), net()
    freeze(model)
    assert not any(p.requires_grad for p in model.parameters())
    thaw(model, [name for name, _ in model.named_children()])
    torch.manual_seed(1)
    step(model)
    torch.manual_seed(1)
    step(plain)
    assert changed(model, plain.state_dict()) == set()


def test_gradual_unfreezing():
    model, stages = net(), ["conv1", "bn1", "layer1", "layer2", "layer3", "fc"]
    trained = [gradual(model, stages, epoch, every=2) for epoch in range(14)]
    assert [len(t) for t in trained] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6, 6] and trained[2] == [
        "layer3",
        "fc",
    ]
    gradual(model, stages, 2, every=2)
    assert {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad} == {"layer3", "fc"}
    assert not model.train().layer2[0].bn1.training and model.layer3[0].bn1.training


def test_heads_of_the_zoo():
    heads = {
        name: head(create(name, num_classes=5))
        for name in ("resnet18", "efficientnet_b0", "convnet_digits", "vit_ti_16")
    }
    for name, layer in heads.items():
        assert create(name, num_classes=5).get_submodule(layer).weight.shape[0] == 5, name


def test_bad_arguments():
    with pytest.raises(ValueError, match="did you mean layer3"):
        freeze(net(), ["layer_3"])
    with pytest.raises(ValueError, match="expected stages"):
        gradual(net(), [], 0)
    with pytest.raises(ValueError, match="expected a network"):
        head(nn.ReLU())
