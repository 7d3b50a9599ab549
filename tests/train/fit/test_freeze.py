"""Freezing: what must not change does not, in weights and in statistics, whatever mode is asked for."""

import copy
import types

import pytest
import torch
from torch import nn

from dlbook.models import create
from dlbook.train.fit import freeze as module
from dlbook.train.fit.freeze import freeze, gradual, head, thaw
from tests import seeded


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


def check_whole_parts(freeze_function) -> None:
    """A prefix ends at a dot: what is said of layer1 is not said of layer10."""
    model = nn.ModuleDict({name: nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)) for name in ("a1", "a10")})
    freeze_function(model, except_for=["a1"])
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {
        f"a1.{place}.{kind}" for place in (0, 1) for kind in ("weight", "bias")
    }
    assert model.train()["a1"][1].training and not model["a10"][1].training


def test_a_prefix_is_a_whole_part_of_the_name():
    check_whole_parts(freeze)


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


def check_copies(module):
    """Names, kinds and state stay; a copy of a frozen network is frozen for itself, and thawed for itself."""
    plain, model = net(), module.freeze(net())
    assert list(model.state_dict()) == list(plain.state_dict())
    assert [name for name, _ in model.named_modules()] == [name for name, _ in plain.named_modules()]
    assert all(isinstance(a, type(b)) for a, b in zip(model.modules(), plain.modules(), strict=True))
    copied = copy.deepcopy(model)
    module.thaw(copied, ["bn1", "layer1"])
    assert copied.train().bn1.training and copied.layer1[0].bn1.training
    assert type(copied.bn1) is type(plain.bn1) and not copied.layer2[0].bn1.training
    assert not any(norm.training for norm in model.train().modules() if isinstance(norm, nn.BatchNorm2d))
    module.freeze(model)  # a second time
    assert type(module.thaw(model, ["bn1"]).bn1) is type(plain.bn1)


def test_names_and_copies_of_a_frozen_network():
    check_copies(module)


def test_the_last_layer_is_what_the_network_says():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3))
    with pytest.raises(
        ValueError, match="a network that says its last layer, got Sequential with last_layer None"
    ):
        head(model)
    model.last_layer = "0"
    assert head(model) == "0"
    model.last_layer = "fc"
    with pytest.raises(ValueError, match="got Sequential with last_layer 'fc'; set model.last_layer"):
        head(model)


def test_bad_arguments():
    with pytest.raises(ValueError, match="did you mean layer3"):
        freeze(net(), ["layer_3"])
    with pytest.raises(ValueError, match="expected one stage or more, epoch >= 0"):
        gradual(net(), [], 0)


FAULTS = {  # fault -> old, new
    "batch normalisation is forgotten": ("            hold_in_evaluation(module)\n", "            pass\n"),
    "it follows the mode": ("kind.train(self, False)", "kind.train(self, mode)"),
    "held twice": ("    if not is_held(norm):\n        norm", "    norm"),
    "prefixes end anywhere": ('name.startswith(f"{prefix}.")', "name.startswith(prefix)"),
    "thawed for all": ('"thawed": kind})', '"thawed": nn.BatchNorm1d})'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken = types.SimpleNamespace(**seeded.edited(module, *FAULTS[fault]))
    with pytest.raises((AssertionError, ValueError)):
        check_frozen(broken.freeze)
        check_whole_parts(broken.freeze)
        check_copies(broken)


def check_modes_at_once(module) -> None:
    """Before anybody asks for a mode: what is frozen is in evaluation mode, what is thawed has the network's
    mode.
    """
    for mode in (True, False):
        model = net().train(mode)
        module["freeze"](model, except_for=["layer3"])
        norms = {n: m for n, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}
        assert {n: m.training for n, m in norms.items()} == {
            n: mode and n.startswith("layer3.") for n in norms
        }
        module["thaw"](model, ["layer2"])
        thawed = ("layer2.", "layer3.")
        assert {n: m.training for n, m in norms.items()} == {n: mode and n.startswith(thawed) for n in norms}


MODE_FAULTS = {
    "frozen at the next call of train only": (
        "        norm.__class__ = _held(type(norm))\n    norm.eval()",
        "        norm.__class__ = _held(type(norm))",
    ),
    "thawed at the next call of train only": ("            module.train(model.training)\n", ""),
    "thawed into training": ("module.train(model.training)", "module.train()"),
    "thawed prefixes end anywhere": ('name.startswith(f"{prefix}.")', "name.startswith(prefix[:-1])"),
}


def test_modes_at_once():
    check_modes_at_once(vars(module))


@pytest.mark.parametrize("fault", MODE_FAULTS)
def test_the_check_sees_a_wrong_mode(fault):
    with pytest.raises(AssertionError):
        check_modes_at_once(seeded.edited(module, *MODE_FAULTS[fault]))
