"""Predicted memory against what the allocator gave out, and against sums by hand."""

from contextlib import suppress

import pytest
import torch
from torch import nn

from dlbook.measure import memory
from dlbook.measure.memory import kept_for_backward, measure, predict
from dlbook.models import create
from dlbook.train.fit.activation_checkpointing import checkpoint_blocks
from tests.seeded import check_sees, edited


def test_by_hand():
    model = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5, bias=False))
    report = predict(model, torch.ones(8, 10), states=1)
    assert report.weights == report.gradients == report.optimizer == 4 * (10 * 20 + 20 + 20 * 5)
    assert report.activations == 4 * (
        8 * 10 + 8 * 20
    )  # the input, and ReLU's output, which the second layer needs as well
    assert report.at(16) == report.total + report.activations and "MiB" in str(report)


def test_frozen_weights_have_no_gradients():
    model = nn.Sequential(nn.Linear(10, 20), nn.Linear(20, 5))
    model[0].requires_grad_(False)
    report = predict(model, torch.ones(8, 10))
    assert report.gradients == 4 * (20 * 5 + 5) and report.optimizer == 2 * report.gradients


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0"])
def test_activations_are_what_is_held_after_the_forward_pass(name):
    torch.manual_seed(0)
    model, images = create(name, num_classes=10).train(), torch.rand(4, 3, 96, 96)
    peak, held = measure(lambda: model(images))
    predicted = predict(model, images).activations
    assert (
        0.95 * held < predicted < 1.05 * held + images.nbytes and peak > held
    )  # the images were held before


def test_peak_of_one_allocation():
    peak, held = measure(lambda: torch.ones(1000, 1000).sum())
    assert peak == pytest.approx(4e6, rel=0.01) and held < 1000


def test_checkpointing_holds_less():
    plain, frugal = (create("resnet18", num_classes=10) for _ in range(2))
    checkpoint_blocks(frugal)
    images = torch.rand(4, 3, 64, 64)
    assert predict(frugal, images).activations < 0.6 * predict(plain, images).activations


def test_bytes_kept_for_backward_are_those_of_the_functions():
    x = torch.rand(10, 10, requires_grad=True)
    assert kept_for_backward(lambda: torch.relu(x)) == 400  # its output
    assert kept_for_backward(lambda: nn.functional.silu(x)) == 400  # its input
    assert kept_for_backward(lambda: nn.functional.silu(x), but=[x]) == 0
    assert kept_for_backward(lambda: x * torch.sigmoid(x)) == 800  # x and the sigmoid, which is kept twice
    with torch.no_grad():
        assert kept_for_backward(lambda: torch.relu(x)) == 0


FAULTS = {  # edits of memory.py, seen by the functions above
    ("if storage._cdata not in uncounted", "if storage._cdata in uncounted"),
    ("storages[storage._cdata] = storage", "storages[len(storages)] = storage"),
    ("sum(storage.nbytes()", "max(storage.nbytes()"),
}


@pytest.mark.parametrize("edit", sorted(FAULTS))
def test_faults_are_seen(edit):
    kept = edited(memory, *edit)["kept_for_backward"]
    x = torch.rand(10, 10, requires_grad=True)
    with suppress(ValueError):  # raised where nothing was kept
        assert (kept(lambda: torch.relu(x)), kept(lambda: x * torch.sigmoid(x))) != (400, 800)


def check_mode(predict) -> None:
    """A training step is predicted, whatever mode the network is in, and each part keeps its mode."""
    for whole, part in ((True, True), (True, False), (False, True), (False, False)):
        model = nn.Sequential(nn.Linear(10, 10), nn.Dropout(0.5), nn.Linear(10, 10)).train(whole)
        model[1].train(part)
        kept = 3 * 4 * (8 * 10)  # the inputs of both layers, and what dropout multiplies by
        assert predict(model, torch.ones(8, 10)).activations == kept
        assert [p.training for p in model.modules()] == [whole, whole, part, whole]


MODE_FAULTS = {
    "the mode stays": ('.to("meta").train()', '.to("meta")'),
    "evaluation mode": ('.to("meta").train()', '.to("meta").eval()'),
    "left in training": (
        'copy.deepcopy(model).to("meta").train()',
        'copy.deepcopy(model.train()).to("meta")',
    ),
}


@pytest.mark.parametrize("fault", MODE_FAULTS)
def test_it_predicts_training(fault):
    check_sees(check_mode, memory, "predict", *MODE_FAULTS[fault])
