"""The monitor: each kind of trouble, made on purpose, is found where it is; a healthy network has no
findings.
"""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from dlbook.measure import health
from dlbook.measure.health import LayerHealth, examine, faults_of_batch, findings
from dlbook.models import create
from tests.seeded import check_sees, edited


def net(depth=4, activation=nn.ReLU):
    torch.manual_seed(0)
    layers = [part for _ in range(depth) for part in (nn.Linear(16, 16), activation())]
    for layer in layers[::2]:
        nn.init.kaiming_normal_(layer.weight)
    return nn.Sequential(*layers, nn.Linear(16, 3))


def look(model, images=None):
    images = torch.randn(64, 16, generator=torch.Generator().manual_seed(1)) if images is None else images
    return examine(model, images, lambda output: output.square().mean())


def kinds(model, images=None):
    return [(finding.where.split()[0], finding.kind) for finding in findings(look(model, images))]


def test_healthy_networks_have_no_findings():
    assert kinds(net()) == []
    torch.manual_seed(0)
    model = create("resnet20_cifar", num_classes=10)
    layers = examine(
        model,
        torch.rand(16, 3, 32, 32),
        lambda logits: nn.functional.cross_entropy(logits, torch.arange(16) % 10),
    )
    assert findings(layers) == [] and len(layers) == 39  # its 20 layers with weights and their 19 norms


def test_figures_are_those_of_the_equations():
    model, images = net(), torch.randn(8, 16)
    layers = {layer.name: layer for layer in look(model, images)}
    first = model[0](images)
    assert layers["0"].activation == pytest.approx(first.square().mean().sqrt().item())
    model(images).square().mean().backward()
    assert layers["2"].gradient == pytest.approx(model[2].weight.grad.square().mean().sqrt().item())
    assert layers["2"].weight == pytest.approx(model[2].weight.square().mean().sqrt().item())


def test_no_trace_is_left():
    model = nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16), nn.Dropout(0.5)).eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    look(model)
    assert (
        all(torch.equal(state[name], value) for name, value in model.state_dict().items())
        and not model.training
    )
    assert torch.equal(random, torch.get_rng_state()) and all(p.grad is None for p in model.parameters())


def check_mode(examine) -> None:
    """It looks in training mode, and each part of the model itself has its own mode afterwards."""
    for whole, part in ((True, True), (True, False), (False, True), (False, False)):
        model, seen = nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16)).train(whole), []
        model[1].train(part)
        model.register_forward_pre_hook(
            lambda m, inputs, seen=seen: seen.extend(p.training for p in m.modules())
        )
        examine(model, torch.randn(8, 16), lambda output: output.square().mean())
        assert seen == [True] * 3
        assert [p.training for p in model.modules()] == [whole, whole, part]


MODE_FAULTS = {
    "the mode stays": ("copy.deepcopy(model).train()", "copy.deepcopy(model)"),
    "evaluation mode": ("copy.deepcopy(model).train()", "copy.deepcopy(model).eval()"),
    "left in training": ("copy.deepcopy(model).train()", "copy.deepcopy(model.train())"),
    "left in evaluation": ("copy.deepcopy(model).train()", "copy.deepcopy(model.eval()).train()"),
}


def test_it_looks_in_training_mode_and_leaves_the_mode_alone():
    check_mode(examine)


@pytest.mark.parametrize("fault", MODE_FAULTS)
def test_the_check_sees_another_mode(fault):
    check_sees(check_mode, health, "examine", *MODE_FAULTS[fault])


def test_nan_weights():
    model = net()
    model[4].weight.data[3, 3] = float("nan")
    assert kinds(model) == [("4", "not finite")] and "last checkpoint" in str(findings(look(model))[0])


def test_nan_images():
    images = torch.randn(4, 16)
    images[2, 5] = float("nan")
    assert "input is NaN" in str(findings(look(net(), images))[0]) and kinds(net(), images)[0][0] == "0"


class Log(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return (self.scale * x).log()


class Root(Log):
    def forward(self, x):
        return (self.scale * x).sqrt()


def test_nan_is_located_where_it_is_born():
    model = nn.Sequential(nn.Linear(16, 16), nn.Sigmoid(), nn.Linear(16, 16), Log(), nn.Linear(16, 2))
    assert kinds(model) == [("3", "not finite")]


def test_infinite_gradient_of_a_finite_output():
    model = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), Root(), nn.Linear(16, 2))
    assert kinds(model) == [("2", "not finite")]  # where the way back breaks first
    assert "square root" in str(findings(look(model))[0])


def test_exploding_activations():
    model = net()
    for layer in model[::2]:
        layer.weight.data.mul_(100)
    grown = [
        finding.where.split()[0] for finding in findings(look(model)) if "activations of" in finding.what
    ]
    assert "8" in grown and "0" not in grown  # a hundred times a layer


def test_gradients_that_dwarf_the_weights():
    model = net()
    model[-1].weight.data.mul_(1e-6)
    layers = examine(model, torch.randn(8, 16), lambda output: 1e6 * output.sum())
    assert ("8 (Linear)", "explosion") in [(f.where, f.kind) for f in findings(layers)]


def test_vanishing_gradients_of_a_deep_sigmoid_net():
    found = kinds(net(12, nn.Sigmoid))
    assert ("0", "vanishing") in found and ("24", "vanishing") not in found


def test_dead_units():
    model = net()
    model[2].bias.data[:5] = -1e4
    assert kinds(model) == [("3", "dead units")]
    layer = next(layer for layer in look(model) if layer.name == "3")
    assert (layer.dead, layer.channels) == (5, 16)


def test_faults_of_a_batch():
    batch = {
        "images": torch.zeros(4, 1, 2, 2),
        "labels": torch.tensor([0, 1, 2, -1]),
        "indices": torch.tensor([9, 8, 7, 6]),
    }
    assert faults_of_batch(batch, 3) == ["example 6: label -1 is outside 0 to 2"]
    batch["images"][1, 0, 1, 1] = float("inf")
    assert faults_of_batch(batch, 2) == [
        "example 8: the image holds NaN or infinite values",
        "example 7: label 2 is outside 0 to 1",
        "example 6: label -1 is outside 0 to 1",
    ]


def layer(**changes) -> LayerHealth:
    healthy = {"activation": 1.0, "weight": 1.0, "gradient": 1.0, "finite_input": True, "finite_output": True}
    return LayerHealth("a", "Linear", **{**healthy, **changes})


def check_limits(module) -> None:
    """At exactly its limit a layer is still healthy, but for dead units, of which a quarter is too many."""
    largest = layer(gradient=1.0)
    cases = {  # what lies at the limit, and the same a last digit beyond it
        "explosion": ({"activation": 65_504.0}, {"activation": math.nextafter(65_504.0, math.inf)}),
        "vanishing": ({"gradient": 1e-6}, {"gradient": math.nextafter(1e-6, 0)}),
    }
    for kind, (at, beyond) in cases.items():
        assert module["findings"]([layer(**at), largest]) == []
        assert [f.kind for f in module["findings"]([layer(**beyond), largest])] == [kind]
    assert module["findings"]([layer(gradient=1e3, weight=1.0)]) == []
    assert [f.kind for f in module["findings"]([layer(gradient=1e3 + 1e-9, weight=1.0)])] == ["explosion"]
    assert [f.kind for f in module["findings"]([layer(channels=8, dead=2)])] == ["dead units"]
    assert module["findings"]([layer(channels=9, dead=2)]) == []


def check_largest_and_last(module) -> None:
    """Gradients are compared with the largest of all, wherever it stands; the last broken one is the root."""
    layers = [layer(gradient=1e-7), layer(gradient=1.0), layer(gradient=1e-6)]
    assert [f.kind for f in module["findings"](layers)] == ["vanishing"]
    broken = [replace(layer(gradient=math.nan), name=name) for name in ("first", "last")]
    assert module["findings"](broken)[0].where == "last (Linear)"


def test_limits():
    check_limits(vars(health))
    check_largest_and_last(vars(health))


LIMIT_FAULTS = {
    "dead": ("layer.dead >= DEAD_SHARE", "layer.dead > DEAD_SHARE"),
    "vanishing": ("layer.gradient < VANISHING", "layer.gradient <= VANISHING"),
    "dwarfing": ("layer.gradient > DWARFING", "layer.gradient >= DWARFING"),
    "activations": ("layer.activation > LARGEST", "layer.activation >= LARGEST"),
    "the last for the largest": (
        "largest = max((layer.gradient for layer in layers if _is_trained(layer)), default=0.0)",
        "largest = layers[-1].gradient",
    ),
    "the first for the last": ("for layer in reversed(layers):", "for layer in layers:"),
}


@pytest.mark.parametrize("fault", LIMIT_FAULTS)
def test_the_checks_see_another_limit(fault):
    broken = edited(health, *LIMIT_FAULTS[fault])
    with pytest.raises(AssertionError):
        check_limits(broken)
        check_largest_and_last(broken)
