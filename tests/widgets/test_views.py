"""Views' Python side: the lesson at each setting, and errors."""

import math

import numpy as np
import pytest
import torch

from dlbook.semi.fixmatch import unlabelled_loss
from tests.widgets.views_checks import views


def test_lesson_is_the_loss_of_fixmatch():
    figure = views()
    for picture in ("sure", "mistaken"):
        for strength in (0.0, 1.0):
            for threshold in (0.5, 0.8, 0.95, 0.99):
                figure.values = {"picture": picture, "strength": strength, "τ": threshold}
                lesson = figure.lesson()
                logits = [torch.tensor([lesson[key]], dtype=torch.float64).log() for key in "qp"]
                loss, _, mask = unlabelled_loss(*logits, threshold - 1e-9)  # the softmax may round 0.8 down
                assert (
                    lesson["loss"] == pytest.approx(loss.item()) and (lesson["label"] is None) != mask.item()
                )


def test_label_passes_at_the_threshold_and_not_above():
    figure = views(start={"picture": "mistaken", "τ": 0.8, "strength": 1.0})
    assert figure.lesson()["label"] == "a" and figure.lesson()["loss"] == pytest.approx(-math.log(0.1))
    figure.values = {"τ": 0.95}
    assert figure.lesson()["label"] is None and figure.lesson()["loss"] == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weak": np.zeros((2, 4, 5))}, "weak: expected shape"),
        ({"weak": np.zeros((2, 5, 5))}, "one side, got 5 and 4"),
        ({"strong": np.full((2, 2, 4, 4), 1.5)}, r"strong: expected values in \[0, 1\]"),
        ({"weak_probs": [[0.5, 0.5, 0.5]] * 2}, "sum to 1"),
        ({"strong_probs": np.ones((2, 3, 3)) / 3}, "strong_probs: expected shape"),
        ({"truths": [1]}, "truths: expected 2 classes from 0 to 2"),
        ({"truths": [1, 3]}, "truths"),
        ({"thresholds": [0.9, 0.5]}, "ascending"),
        ({"title": ""}, "expected a title"),
    ],
)
def test_views_explains_what_does_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        views(**changes)
