"""Parameter groups: by name in small networks with everything that should not decay, against timm, and layer
by layer.
"""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from timm.optim import param_groups_weight_decay
from torch import nn

from dlbook import models
from dlbook.optim import SGD, decay_groups, layerwise_groups, param_groups
from tests.seeded import check_sees


class Block(nn.Module):
    """One of each: a matrix and a bias, normalisers of three shapes, layer scales as [D], [D, 1, 1] and under
    another name.
    """

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm((4, 2, 2))
        self.batch = nn.BatchNorm2d(4)
        self.conv = nn.Conv2d(4, 4, 3)
        self.gamma = nn.Parameter(torch.ones(4, 1, 1))
        self.layer_scale_1 = nn.Parameter(torch.ones(1, 4))
        self.relative_position_bias_table = nn.Parameter(torch.ones(9, 2))
        self.in_proj_bias = nn.Parameter(torch.ones(2, 2))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 4))
        self.pos_embed = nn.Parameter(torch.zeros(1, 5, 4))
        self.patch = nn.Conv2d(3, 4, 4)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(4, 2)
        self.head_2 = nn.Linear(4, 2)
        self.head_2.weight = self.head.weight  # shared


DECAY = {"patch.weight", "blocks.0.conv.weight", "blocks.1.conv.weight", "head.weight"}


def names_in(model, group):
    return {
        name for name, param in model.named_parameters() if any(param is other for other in group["params"])
    }


def check_decay():
    net = Net()
    groups = decay_groups(net, 0.1)
    assert [(group["name"], group["weight_decay"]) for group in groups] == [("decay", 0.1), ("no decay", 0.0)]
    assert names_in(net, groups[0]) == DECAY
    everything = [param for group in groups for param in group["params"]]
    assert len(everything) == len(set(everything)) == len(list(net.parameters()))


def check_layers():
    net = Net()
    layers = ["cls_token", ("pos_embed", "patch"), "blocks.0", "blocks", ("head", "head_2")]
    groups = layerwise_groups(net, layers, lr=1.0, factor=0.5, weight_decay=0.1)
    seen = {name: (group["lr"], group["weight_decay"]) for group in groups for name in names_in(net, group)}
    assert len(seen) == len(list(net.parameters()))
    rates = {
        "cls_token": 1 / 16,
        "pos_embed": 1 / 8,
        "patch.bias": 1 / 8,
        "blocks.0.gamma": 1 / 4,
        "blocks.1.conv.weight": 1 / 2,
        "head.bias": 1.0,
        "head_2.bias": 1.0,
    }
    assert {name: seen[name][0] for name in rates} == rates
    assert {name for name, (_, decay) in seen.items() if decay} == DECAY
    assert SGD(groups, lr=5.0).param_groups[0]["lr"] == 1 / 16


def check_whole_parts(layerwise) -> None:
    """A prefix ends at a dot: layer1 is not the beginning of layer10, and a head not that of head_2."""
    net = nn.ModuleDict({name: nn.Linear(2, 2) for name in ("layer1", "layer10", "layer1_norm")})
    groups = layerwise(net, ["layer1", "layer10", "layer1_norm"], lr=1.0, factor=0.5)
    assert {name: g["lr"] for g in groups for name in names_in(net, g) if "weight" in name} == {
        "layer1.weight": 0.25,
        "layer10.weight": 0.5,
        "layer1_norm.weight": 1.0,
    }
    with pytest.raises(ValueError, match="got none for 'layer10.weight'"):
        layerwise(net, ["layer1", "layer1_norm"], lr=1.0)


def test_a_prefix_is_a_whole_part_of_the_name():
    check_whole_parts(layerwise_groups)


@given(st.permutations(["a", "a.b", "a.b.c", "a.bc"]))
def test_the_longest_prefix_counts_in_whatever_order_they_stand(layers):
    net = nn.ModuleDict({"a": nn.ModuleDict({"b": nn.ModuleDict({"c": nn.Linear(1, 1)})})})
    net["a"]["b"]["d"], net["a"]["bc"], net["a"]["e"] = (nn.Linear(1, 1) for _ in range(3))
    groups = layerwise_groups(net, layers, lr=1.0, factor=0.5)
    rates = {name: group["lr"] for group in groups for name in names_in(net, group)}
    rate = {prefix: 0.5 ** (3 - place) for place, prefix in enumerate(layers)}
    expected = {"a.b.c.bias": "a.b.c", "a.b.d.bias": "a.b", "a.bc.bias": "a.bc", "a.e.bias": "a"}
    assert {name: rates[name] for name in expected} == {n: rate[prefix] for n, prefix in expected.items()}


PREFIX_FAULTS = {
    "the shortest prefix": ("prefix = max(fits, key=len)", "prefix = min(fits, key=len)"),
    "the last on the list": ("prefix = max(fits, key=len)", "prefix = fits[-1]"),
    "prefixes end anywhere": ('name.startswith(f"{prefix}.")', "name.startswith(prefix)"),
}


@pytest.mark.parametrize("fault", PREFIX_FAULTS)
def test_the_checks_see_a_wrong_prefix(fault):
    def check(layerwise):
        check_whole_parts(layerwise)
        net = nn.ModuleDict({"a": nn.ModuleDict({"b": nn.Linear(1, 1), "c": nn.Linear(1, 1)})})
        groups = layerwise(net, ["a.b", "a"], lr=1.0, factor=0.5)
        assert {n: g["lr"] for g in groups for n in names_in(net, g)}["a.b.bias"] == 0.5

    check_sees(
        check,
        param_groups,
        "layerwise_groups",
        *PREFIX_FAULTS[fault],
        error=(AssertionError, ValueError, pytest.fail.Exception),
    )


def test_what_decays():
    check_decay()


def test_layers_have_their_rates():
    check_layers()


def test_frozen_parameters_are_left_out():
    net = Net()
    net.blocks.requires_grad_(False)
    groups = decay_groups(net, 0.1)
    assert names_in(net, groups[0]) == {"patch.weight", "head.weight"}
    assert sum(len(group["params"]) for group in groups) == 7


def test_an_empty_group_is_left_out():
    assert [group["name"] for group in decay_groups(nn.LayerNorm(3), 0.1)] == ["no decay"]
    assert [group["name"] for group in decay_groups(nn.Linear(2, 2, bias=False), 0.1)] == ["decay"]


def test_own_patterns():
    net = Net()
    assert names_in(net, decay_groups(net, 0.1, no_decay=["blocks.*", "head.weight"])[0]) == {"patch.weight"}


@pytest.mark.parametrize("row", ["resnet18", "vgg11_bn", "regnet_y_400mf"])
def test_equals_timm_for_a_convolutional_net(row):
    """There the rule "fewer than two axes, or a bias" is the whole rule."""
    with torch.device("meta"):
        net = models.create(row, num_classes=10)
    ours = {group["weight_decay"]: set(map(id, group["params"])) for group in decay_groups(net, 0.1)}
    theirs = {
        group["weight_decay"]: set(map(id, group["params"])) for group in param_groups_weight_decay(net, 0.1)
    }
    assert ours == theirs


@pytest.mark.parametrize(
    ("row", "weights"),
    [("convnext_t", 18 * 3 + 1 + 3 + 1), ("vit_b_16", 12 * 4 + 1 + 1), ("deit_ti_distilled", 12 * 4 + 1 + 2)],
)
def test_what_decays_in_the_models(row, weights):
    """Three weights a ConvNeXt block, a stem, three downsamplings, a head; four a transformer layer, a patch
    embedding, the heads.
    """
    decay, kept = decay_groups(models.create(row, num_classes=10, device="meta"), 0.05)
    assert len(decay["params"]) == weights and all(param.ndim > 1 for param in decay["params"])
    assert kept["weight_decay"] == 0.0


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda net: decay_groups(net, -0.1), "weight_decay"),
        (lambda net: decay_groups(net, 0.1, ["head.wieght"]), "'head.wieght'.*head.weight"),
        (lambda net: decay_groups(net.requires_grad_(False), 0.1), "requires a gradient"),
        (lambda net: layerwise_groups(net, ["blocks", "head"], 0.1), "'cls_token'"),
        (
            lambda net: layerwise_groups(
                net, ["cls_token", "pos_embed", "patch", "blocks", "head", "head_2", "neck"], 0.1
            ),
            "'neck'",
        ),
        (lambda net: layerwise_groups(net, ["blocks"], 0.1, factor=1.5), "factor"),
        (lambda net: layerwise_groups(net, ["blocks"], float("inf")), "lr"),
    ],
)
def test_bad_arguments(call, what):
    with pytest.raises(ValueError, match=f"expected .*{what}"):
        call(Net())


def only_by_axes(name, param, owner):
    """The rule that decays a layer scale of [C, 1, 1]."""
    return param.ndim > 1


def without_normalisers(name, param, owner):
    return param.ndim > 1 and name.rpartition(".")[2] not in ("bias", *param_groups.NO_DECAY)


def everywhere_in_the_name(name, param, owner):
    """A module called `scale` takes its weights with it; here: `head` for a token's sake."""
    return real_decays(name, param, owner) and "head" not in name


def exchanged(name, param, owner):
    return not real_decays(name, param, owner)


real_decays = param_groups.decays


@pytest.mark.parametrize("broken", [only_by_axes, without_normalisers, everywhere_in_the_name, exchanged])
@pytest.mark.parametrize("check", [check_decay, check_layers])
def test_the_check_sees_the_fault(broken, check, monkeypatch):
    monkeypatch.setattr(param_groups, "decays", broken)
    with pytest.raises(AssertionError):
        check()
