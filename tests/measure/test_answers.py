"""What is read from answers: loops over the images, torchmetrics, and worked cases."""

import math

import pytest
import torch
from torchmetrics.functional.classification import (
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from dlbook.measure.answers import Answers
from dlbook.measure.calibration import reliability


def problem(images=200, classes=6):
    draw = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(images, classes, generator=draw, dtype=torch.float64)
    labels = torch.randint(0, classes - 1, (images,), generator=draw)  # the last class has no image
    return logits, labels


def test_the_matrix_and_the_classes_are_torchmetrics():
    logits, labels = problem()
    answers, guesses = Answers.of(logits, labels), logits.argmax(1)
    assert torch.equal(answers.confusion(), multiclass_confusion_matrix(guesses, labels, 6))
    found, how = answers.by_class(), {"num_classes": 6, "average": None}
    assert found.images.tolist() == torch.bincount(labels, minlength=6).tolist() and found.images[5] == 0
    assert found.recall[5].isnan()  # torchmetrics says 0 of a class without images
    for ours, theirs in (
        (found.recall[:5], multiclass_recall(guesses, labels, **how)[:5]),
        (found.precision, multiclass_precision(guesses, labels, **how)),
        (found.f1, multiclass_f1_score(guesses, labels, **how)),
    ):
        torch.testing.assert_close(ours, 100 * theirs.double(), rtol=0, atol=1e-4)


def test_calibration_is_that_of_the_probabilities():
    logits, labels = problem()
    ours, theirs = Answers.of(logits, labels).reliability(), reliability(logits.softmax(1), labels)
    for name in ("confidence", "accuracy", "share"):
        assert torch.equal(getattr(ours, name).nan_to_num(-1), getattr(theirs, name).nan_to_num(-1))


def test_the_worst_mistake_is_the_least_probable_label():
    logits, labels = problem()
    probs, places = logits.softmax(1), Answers.of(logits, labels).mistakes().tolist()
    wrong = [i for i in range(len(labels)) if probs[i].argmax() != labels[i]]
    assert places == sorted(wrong, key=lambda i: probs[i, labels[i]].item()) and len(places) > 50


def test_the_commonest_mistakes():
    labels, guesses = torch.tensor([0, 0, 0, 1, 1, 2, 2]), torch.tensor([1, 1, 0, 0, 1, 2, 1])
    answers = Answers(labels, guesses, torch.ones(7), torch.ones(7), 3)
    assert answers.confused(9) == [(0, 1, 2), (1, 0, 1), (2, 1, 1)]
    assert answers.confused(1) == [(0, 1, 2)]


def test_parts_are_joined_and_taken_in_another_order():
    logits, labels = problem(10)
    parts = [Answers.of(logits[i::2], labels[i::2]) for i in (0, 1)]
    again = Answers.joined(parts).at(torch.tensor([0, 5, 1, 6, 2, 7, 3, 8, 4, 9]))
    whole = Answers.of(logits, labels)
    for name in ("labels", "guesses", "confidence", "nats"):
        assert torch.equal(getattr(again, name), getattr(whole, name))
    assert again.num_classes == 6 and math.isclose(whole.nats[0], -logits[0].softmax(0)[labels[0]].log())


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"expected logits \[N, K\] and labels \[N\], got \[3\] and \[3\]"):
        Answers.of(torch.ones(3), torch.ones(3))
