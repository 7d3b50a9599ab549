"""The page's training and torch's: the same numbers at the start, the same batches, and the same faults.

Seeded faults, tried: another order of the batches, labels of the next digit, a learning rate that a fault
does not reach, a schedule that is a step late, and biases that stay at 0 are seen.
"""

import base64

import pytest
import torch

from dlbook.browser.export import graph_of
from dlbook.browser.torch_run import batches, he_start, losses, optimizer_of, shuffled, starting_numbers
from dlbook.models import resnet
from tests.browser.engine_runs import in_node
from tests.browser.networks import SGD, digits, residual

TOP, STEPS = 15, 20
CHANGES = {
    "healthy": {},
    "no shortcut": {"plain": True},
    "rate": {"rate": 4},
    "initial": {"initial": 3},
    "labels": {"labels": "shuffled"},
    "norm": {"norm": "evaluation"},
    "gradients": {"gradients": "kept"},
    "schedule": {"schedule": [(step + 1) / STEPS for step in range(STEPS)]},
    "biases": {"biases": 0.5},
}


@pytest.fixture(scope="module")
def runs():
    """{change: (losses of torch, reports of the page)}."""
    torch.manual_seed(0)
    model, plain = residual(), residual(resnet.PlainBlock, None)
    images, labels = digits(96, 14)
    levels = (images * TOP).round()
    setup = {
        "graph": graph_of(model, images),
        "start": he_start(model),
        "seed": 4,
        "batch": 16,
        "optimiser": SGD,
    }
    without = graph_of(plain, images)
    text = base64.b64encode(levels.to(torch.uint8).numpy().tobytes()).decode()
    page = {"images": text, "labels": labels.tolist(), "top": TOP}
    cases, theirs = [], []
    for change in CHANGES.values():
        change = {**change, "graph": without} if change.pop("plain", None) else change
        theirs.append(
            losses(plain if "graph" in change else model, setup, levels / TOP, labels, STEPS, change)
        )
        cases.append(
            {"setup": setup, "train": page, "test": page, "change": change, "steps": STEPS, "most": 96}
        )
    return dict(zip(CHANGES, zip(theirs, in_node({"runs": cases})["runs"])))


@pytest.mark.parametrize("change", CHANGES)
def test_every_run_begins_as_in_torch(runs, change):
    theirs, mine = runs[change]
    told = [report["loss"] for report in mine["reports"]]
    assert told[:10] == pytest.approx(theirs[:10], rel=1e-3), change


def test_a_run_leaves_no_trace_in_the_model():
    model = residual()
    images, labels = digits(32, 14)
    setup = {
        "graph": graph_of(model, images),
        "start": he_start(model),
        "seed": 4,
        "batch": 8,
        "optimiser": SGD,
    }
    first, second = (losses(model, setup, images, labels, 4, {"norm": norm}) for norm in ("", "evaluation"))
    assert first == losses(model, setup, images, labels, 4) and first != second
    assert model.bn1.running_var.eq(1).all() and model.fc.weight.grad is None


def test_every_fault_changes_the_run(runs):
    ends = {change: theirs[5] for change, (theirs, _) in runs.items()}
    assert len({round(end, 4) for end in ends.values()}) == len(CHANGES)


def test_a_step_is_told_by_layer(runs):
    report = runs["healthy"][1]["reports"][0]
    names = [layer["name"] for layer in report["layers"]]
    assert names[0] == "conv1" and names[-1] == "fc" and "layer2.0.conv2" in names
    assert all(layer[what] > 0 for layer in report["layers"] for what in ("activation", "weight", "gradient"))
    assert 0 <= report["accuracy"] <= 1


def test_the_network_learns_these_digits(runs):
    reports = runs["healthy"][1]["reports"]
    assert sum(report["loss"] for report in reports[-5:]) / 5 < reports[0]["loss"] - 0.3


def test_first_numbers_have_the_deviation_and_the_constants():
    model = residual()
    shapes = {name: list(each.shape) for name, each in model.named_parameters()}
    numbers = starting_numbers(shapes, he_start(model), seed=0, factor=2)
    weight = numbers["layer2.0.conv2.weight"]
    assert weight.std() == pytest.approx(2 * (2 / 72) ** 0.5, rel=0.1)
    assert numbers["bn1.weight"].eq(1).all() and numbers["fc.bias"].eq(0).all()


def test_batches_cover_all_before_they_repeat():
    walk = batches(10, 4, seed=1)
    first, second, third = (next(walk) for _ in range(3))
    assert len({*first, *second}) == 8 and len(third) == 4
    assert sorted(shuffled(torch.arange(10), 1).tolist()) == list(range(10))


def test_what_does_not_fit_is_explained():
    model = torch.nn.BatchNorm2d(2)
    with torch.no_grad():
        model.weight[0] = 3
    with pytest.raises(ValueError, match="expected one value in weight, got 2; set it to 1 or 0"):
        he_start(model)
    with pytest.raises(ValueError, match="expected kind to be 'sgd', 'adam' or 'adamw'"):
        optimizer_of(model.parameters(), {"kind": "lion", "rate": 1.0})
