"""Evaluation against sums written out, on uneven batches."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from dlbook.train import evaluate as module
from dlbook.train.evaluate import confusion, evaluate, topk_error
from tests.seeded import check_sees, edited


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


def ask_neighbours(neighbour_accuracy):
    return lambda model, batches, classes: neighbour_accuracy(model, batches[:3], batches[3:])


def ask_probabilities(probabilities):
    return lambda model, batches, classes: probabilities(model, torch.cat([b["images"] for b in batches]), 8)


ASKS = {"neighbour_accuracy": ask_neighbours, "probabilities": ask_probabilities}


@pytest.mark.parametrize("name", ASKS)
def test_features_and_probabilities_are_those_of_evaluation(name):
    check_mode(ASKS[name](getattr(module, name)))
    for fault in MODE_FAULTS.values():
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            check_mode(ASKS[name](edited(module, *fault)[name]))


def check_neighbours(neighbour_accuracy) -> None:
    """By a double loop: the label of the known image with the largest cosine, whatever the lengths are."""
    images, labels = data(count=90, classes=5, seed=2)
    images *= torch.linspace(0.1, 9, 90)[torch.randperm(90, generator=torch.Generator().manual_seed(1))][
        :, None
    ]
    hits = []
    for asked in range(60, 90):
        cosines = [
            float(images[asked].double() @ images[known].double() / images[known].double().norm())
            for known in range(60)
        ]
        hits.append(bool(labels[asked] == labels[max(range(60), key=lambda known: cosines[known])]))
    found = neighbour_accuracy(
        nn.Identity(), batches(images[:60], labels[:60]), batches(images[60:], labels[60:])
    )
    assert found == pytest.approx(100 * sum(hits) / 30)


NEIGHBOUR_FAULTS = {
    "lengths count": (
        "nn.functional.normalize(torch.cat(features), dim=1)",
        "torch.cat(features)",
    ),
    "the farthest": ("memory.T).argmax(dim=1)", "memory.T).argmin(dim=1)"),
    "memory and questions exchanged": (
        '-> float:\n    """Per cent of the asked',
        '-> float:\n    known, asked = asked, known\n    """Per cent of the asked',
    ),
}


@pytest.mark.parametrize("fault", NEIGHBOUR_FAULTS)
def test_neighbours_by_a_double_loop(fault):
    check_sees(check_neighbours, module, "neighbour_accuracy", *NEIGHBOUR_FAULTS[fault])


def test_probabilities_and_accuracy_are_written_out():
    logits, labels = data()
    probs = logits.double().exp() / logits.double().exp().sum(1, keepdim=True)
    found = module.probabilities(nn.Identity(), logits, 8)
    torch.testing.assert_close(found.double(), probs, rtol=0, atol=1e-6)
    expected = written_out(logits, labels)["accuracy"]
    assert module.accuracy(nn.Identity(), logits, labels) == pytest.approx(expected)


def check_top5(evaluate) -> None:
    """With five classes everything is among the first five; from six on the figure says something."""
    for classes in (5, 6):
        found = evaluate(nn.Identity(), batches(*data(classes=classes)), classes)
        assert ("top5" in found) == (classes == 6)


@pytest.mark.parametrize("limit", [4, 6])
def test_top5_begins_with_six_classes(limit):
    check_sees(check_top5, module, "evaluate", "num_classes > 5:", f"num_classes > {limit}:")


class Counter:
    """A trainer that only counts."""

    def __init__(self, step=0):
        self.step, self.fitted = step, []

    def fit(self, steps, progress=False):
        self.step = steps
        self.fitted.append(steps)


def check_looks(looks) -> None:
    """At each multiple of `every` and at the end, once each; a run that goes on looks where it would have."""
    for begun, steps, expected in (
        (0, 7, [3, 6, 7]),
        (0, 6, [3, 6]),
        (3, 7, [6, 7]),
        (4, 8, [6, 8]),
        (7, 7, []),
    ):
        trainer = Counter(begun)
        assert list(looks(trainer, steps, 3)) == trainer.fitted == expected


def test_a_course_is_what_the_evaluated_network_says_at_each_look():
    """The network of each look, not of the end; fault tried: one look for all."""

    class Growing(Counter):
        method = SimpleNamespace(evaluated=nn.Linear(3, 2))

        def fit(self, steps, progress=False):
            super().fit(steps)
            nn.init.constant_(self.method.evaluated.weight[:1], steps / 10)

    images, trainer = torch.rand(4, 3), Growing()
    found = module.course(trainer, images, 7, 3)
    for steps, probs in zip((3, 6, 7), found, strict=True):
        Growing.fit(trainer, steps)
        assert torch.equal(probs, trainer.method.evaluated(images).softmax(1))


LOOK_FAULTS = {
    "from where it went on": (" - trainer.step % every", ""),
    "beyond the end": ("min(steps, trainer.step", "max(0, trainer.step"),
}


@pytest.mark.parametrize("fault", LOOK_FAULTS)
def test_looks(fault):
    check_sees(check_looks, module, "looks", *LOOK_FAULTS[fault])


def check_topk(error):
    """Against a loop over the examples, and against torchmetrics, for each number of answers."""
    logits, labels = data()
    for k in range(1, 8):
        missed = 0
        for z, label in zip(logits.tolist(), labels.tolist(), strict=True):
            order = sorted(range(7), key=lambda c, z=z: -z[c])
            missed += label not in order[:k]
        assert error(logits, labels, k) == pytest.approx(100 * missed / len(labels), abs=1e-9), k
    figures = evaluate(nn.Identity(), batches(logits, labels), 7)
    assert error(logits, labels, 1) == pytest.approx(100 - figures["accuracy"], abs=1e-4)
    assert error(logits, labels, 5) == pytest.approx(100 - figures["top5"], abs=1e-4)


def test_topk_error():
    check_topk(topk_error)
    with pytest.raises(ValueError, match="expected k from 1 to 7, got 8"):
        topk_error(*data(), 8)


@pytest.mark.parametrize("labels", [[[0], [1], [2]], [0], [0, 1, 3], [-1, 1, 2], []])
def test_topk_error_refuses(labels):
    """Columns and single labels would broadcast; a label out of range is a miss even with all answers."""
    with pytest.raises(ValueError, match="expected .*labels"):
        topk_error(torch.eye(3)[: len(labels) if not labels else 3], torch.tensor(labels).long(), 3)


TOPK_FAULTS = {
    "sorted upwards": lambda z, y, k: topk_error(-z, y, k),
    "one answer too many": lambda z, y, k: topk_error(z, y, min(k + 1, z.shape[1])),
    "a share instead of per cent": lambda z, y, k: topk_error(z, y, k) / 100,
    "the accuracy": lambda z, y, k: 100 - topk_error(z, y, k),
}


@pytest.mark.parametrize("fault", TOPK_FAULTS)
def test_the_check_sees_a_topk_fault(fault):
    with pytest.raises(AssertionError):
        check_topk(TOPK_FAULTS[fault])
