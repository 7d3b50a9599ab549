"""The smallest watcher sums what the larger ones sum by module; hooks are taken back; what does not fit is
refused.
"""

import pytest
import torch
from torch import nn

from dlbook.measure import count
from dlbook.measure import watcher as module
from dlbook.measure.watcher import LayerCounter, Macs, watch
from dlbook.models import create
from tests.seeded import edited


@pytest.mark.parametrize("name", ["resnet18", "vit_ti_16", "mobilenet_v3_small", "resnext50_32x4d"])
def test_sizes_of_the_watcher_agree(name):
    size = (3, 224, 224)
    counts = count(lambda: create(name), size)
    assert (
        watch(Macs, lambda: create(name), size).total
        == counts.macs
        == sum(layer.macs for layer in counts.layers)
    )


def test_macs_by_hand():
    def build():
        return nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, groups=2), nn.Flatten(), nn.Linear(54, 5))

    counter = watch(LayerCounter, build, (4, 7, 8))  # maps of 3 x 3
    assert [counter.macs[layer] for layer in (counter.model[0], counter.model[2])] == [9 * 6 * 2 * 9, 54 * 5]
    assert counter.total == 9 * 6 * 2 * 9 + 54 * 5 and counter.activations == 54 + 5


def test_no_hook_stays_also_after_an_error():
    model = nn.Sequential(nn.Linear(3, 2)).to("meta")
    watch(LayerCounter, lambda: model, (3,))
    with pytest.raises(ValueError, match=r"expected an input that the network takes, got \(4,\)"):
        watch(LayerCounter, lambda: model, (4,))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


class ReadsValues(nn.Module):
    """A constructor that needs the value of a tensor cannot run on meta."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, int(torch.ones(2).sum().item()))

    def forward(self, x):
        return self.linear(x)


def test_a_network_that_cannot_be_built_on_meta_is_counted_all_the_same():
    assert watch(Macs, ReadsValues, (3,)).total == 6


@pytest.mark.parametrize(
    "build, words",
    [
        (nn.Linear(1, 1), "expected a function that builds the network, got Linear"),
        (lambda: "net", r"expected build\(\) to return a torch.nn.Module, got str"),
    ],
)
def test_what_builds_no_network_is_refused(build, words):
    with pytest.raises(ValueError, match=words):
        watch(Macs, build, (1,))


FAULTS = {  # edits of watcher.py
    ("out_val=out) // 2", "out_val=out)"),
    ("self.macs[module] = self.macs.get(module, 0) + macs", "self.macs[module] = macs + 1"),
    ("self.activations += out.numel()", "self.activations += 1"),
}


@pytest.mark.parametrize("edit", sorted(FAULTS))
def test_faults_are_seen(edit):
    names = edited(module, *edit)
    counter = names["watch"](names["LayerCounter"], lambda: nn.Linear(54, 5), (54,))
    assert (counter.total, sum(counter.macs.values()), counter.activations) != (270, 270, 5)


class SideBySide(nn.Module):
    """Two branches over the same map; the one that sees more runs first."""

    def __init__(self):
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(1, 2, 7, padding=3), nn.Conv2d(1, 2, 1)

    def forward(self, x):
        return self.wide(x) + self.narrow(x)


def check_largest(module) -> None:
    """The receptive field of the network is that of the branch that sees most, whichever runs last."""
    watching = module["watch"](module["LayerCounter"], SideBySide, (1, 9, 9))
    assert watching.largest.extent() == 7
    assert [watching.found[layer].extent() for layer in watching.model.children()] == [7, 1]


def check_evaluation(module) -> None:
    """Networks are watched in evaluation mode, even one that leaves its builder in training mode."""

    class Heads(nn.Linear):
        def forward(self, x):
            assert not self.training
            return super().forward(x)

    module["watch"](module["Macs"], lambda: nn.Sequential(Heads(3, 2)).train(), (3,))


def test_largest_field_and_mode():
    check_largest(vars(module))
    check_evaluation(vars(module))


@pytest.mark.parametrize(
    ("check", "old", "new"),
    [
        (check_largest, "found.join(self.largest) if found else self.largest", "found or self.largest"),
        (check_evaluation, "model = _on_meta(build).eval()", "model = _on_meta(build)"),
    ],
)
def test_the_checks_see_the_last_for_the_largest_and_another_mode(check, old, new):
    broken = edited(module, old, new)
    with pytest.raises(AssertionError):
        check(broken)
