"""Evaluation against sums written out, on uneven batches."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from dlbook.train import evaluate as module
from dlbook.train.evaluate import confusion, evaluate
from tests.oracles.seeded import check_sees


def data(count=53, classes=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(count, classes, generator=generator), torch.randint(
        0, classes, (count,), generator=generator
    )


def batches(logits, labels, size=8):
    return [
        {"images": logits[i : i + size], "labels": labels[i : i + size]} for i in range(0, len(labels), size)
    ]


def written_out(logits, labels):
    """Every figure with a loop over the examples."""
    classes = logits.shape[1]
    probs = logits.double().exp() / logits.double().exp().sum(1, keepdim=True)
    right, top5, nats = [], [], 0.0
    per_class = [[] for _ in range(classes)]
    bins = [[] for _ in range(15)]
    for p, label in zip(probs, labels.tolist(), strict=True):
        order = sorted(range(classes), key=lambda k, p=p: -p[k])
        right.append(order[0] == label)
        top5.append(label in order[:5])
        per_class[label].append(right[-1])
        nats -= float(p[label].log())
        bins[min(14, int(float(p[order[0]]) * 15))].append((float(p[order[0]]), right[-1]))
    error = sum(abs(sum(c for c, _ in b) - sum(r for _, r in b)) for b in bins if b) / len(labels)
    share = lambda hits: 100 * sum(hits) / len(hits)
    return {
        "loss": nats / len(labels),
        "accuracy": share(right),
        "top5": share(top5),
        "calibration_error": 100 * error,
        "class_accuracy": sum(share(hits) for hits in per_class if hits)
        / sum(bool(hits) for hits in per_class),
    }


@pytest.mark.parametrize("size", [1, 8, 53])
def test_equals_the_sums_whatever_the_batches(size):
    logits, labels = data()
    found = evaluate(nn.Identity(), batches(logits, labels, size), 7)
    assert found == pytest.approx(written_out(logits, labels), abs=2e-4)


def test_mean_of_batch_means_would_be_caught():
    """The fault that uneven batches reveal: averaging the batches' accuracies."""
    logits, labels = data()
    means = [written_out(b["images"], b["labels"])["accuracy"] for b in batches(logits, labels)]
    assert abs(sum(means) / len(means) - written_out(logits, labels)["accuracy"]) > 0.1


def test_confusion():
    logits, labels = data()
    expected = torch.zeros(7, 7, dtype=torch.int64)
    for row, label in zip(logits, labels, strict=True):
        expected[label, row.argmax()] += 1
    assert torch.equal(confusion(nn.Identity(), batches(logits, labels), 7), expected)


class Watched(nn.Module):
    """Says its logits on, and fails where it is in training mode, or by `error` at its second batch."""

    def __init__(self, error=None):
        super().__init__()
        self.frozen, self.seen, self.error = nn.BatchNorm1d(7), 0, error

    def forward(self, x):
        assert not self.training and not self.frozen.training
        self.seen += 1
        if self.error and self.seen == 2:
            raise self.error
        return x


def check_mode(ask) -> None:
    """Evaluation mode throughout; afterwards each part has its own mode, also after Ctrl-C in the middle."""
    for error in (None, KeyboardInterrupt(), ZeroDivisionError()):
        for whole, part in ((True, True), (True, False), (False, False)):
            model = Watched(error)
            model.train(whole).frozen.train(part)
            with pytest.raises(type(error)) if error else nullcontext():
                ask(model, batches(*data()), 7)
            assert (model.training, model.frozen.training) == (whole, part)


@pytest.mark.parametrize("ask", [evaluate, confusion])
def test_mode_is_evaluation_and_is_put_back(ask):
    check_mode(ask)


MODE_FAULTS = {
    "the mode stays": ("    model.eval()\n    try:", "    try:"),
    "put back unless it fails": ("    try:\n        yield\n    finally:", "    yield\n    if True:"),
    "one mode for all parts": ("part.training = mode", "part.training = model.training or modes[0][1]"),
}


@pytest.mark.parametrize("name", ["evaluate", "confusion"])
@pytest.mark.parametrize("fault", MODE_FAULTS)
def test_the_check_sees_the_mode(fault, name):
    check_sees(check_mode, module, name, *MODE_FAULTS[fault])


def test_bad_data():
    logits, labels = data()
    with pytest.raises(ValueError, match="at least one batch"):
        evaluate(nn.Identity(), [], 7)
    with pytest.raises(ValueError, match="build the model with num_classes=9"):
        evaluate(nn.Identity(), batches(logits, labels), 9)
    labels[12] = 7
    with pytest.raises(ValueError, match="example 4: expected a label from 0 to 6, got 7"):
        evaluate(nn.Identity(), batches(logits, labels), 7)
