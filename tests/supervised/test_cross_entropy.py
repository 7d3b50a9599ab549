"""Cross-entropy against the sum written out, with smoothing and mixed labels; its average of the weights."""

import math

import pytest
import torch

from dlbook.supervised import cross_entropy
from dlbook.supervised.cross_entropy import CrossEntropy, CrossEntropyConfig
from tests.seeded import edited
from tests.semi.semi_checks import check_ends


class Logits(torch.nn.Module):
    """Answers fixed logits."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.nn.Parameter(logits)

    def forward(self, images):
        return self.logits


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("mixed", [False, True])
def test_loss_is_the_sum_written_out(smoothing, mixed):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 4, generator=generator)
    labels = torch.randint(0, 4, (5,), generator=generator)
    probs = torch.rand(5, 4, generator=generator).softmax(1)
    batch = {"images": torch.zeros(5, 1, 2, 2), "labels": labels} | ({"probs": probs} if mixed else {})
    expected = 0.0
    for i in range(5):
        for k in range(4):
            target = probs[i, k].item() if mixed else float(labels[i] == k)
            target = (1 - smoothing) * target + smoothing / 4
            expected -= target * math.log(math.exp(logits[i, k]) / sum(math.exp(z) for z in logits[i])) / 5
    out = CrossEntropy(Logits(logits), CrossEntropyConfig(smoothing)).training_step(batch, 0)
    assert out["loss"].item() == pytest.approx(expected, rel=1e-5)
    assert ("accuracy" in out) != mixed
    if not mixed:
        assert out["accuracy"].item() == pytest.approx(
            100 * (logits.argmax(1) == labels).double().mean().item()
        )


def test_average_is_what_is_evaluated():
    plain, averaged = (
        CrossEntropy(torch.nn.Linear(2, 2)),
        CrossEntropy(torch.nn.Linear(2, 2), CrossEntropyConfig(ema_decay=0.5)),
    )
    assert plain.evaluated is plain.model and averaged.evaluated is averaged.ema.module
    with torch.no_grad():
        averaged.model.weight.add_(1.0)
    before = averaged.evaluated.weight.clone()
    averaged.after_step(0)
    assert not torch.equal(before, averaged.evaluated.weight)


ENDS = (
    [{"label_smoothing": 0}, {"ema_decay": 0}, {"ema_decay": None}],
    [{"label_smoothing": -1e-9}, {"label_smoothing": 1}, {"ema_decay": -1e-9}, {"ema_decay": 1}],
)
END_FAULTS = [
    ("0 <= self.label_smoothing < 1", "0 < self.label_smoothing < 1"),
    ("0 <= self.label_smoothing < 1", "0 <= self.label_smoothing <= 1"),
    ("0 <= self.ema_decay < 1", "0 < self.ema_decay < 1"),
    ("0 <= self.ema_decay < 1", "0 <= self.ema_decay <= 1"),
]


def test_the_ends_of_the_ranges():
    check_ends(cross_entropy.CrossEntropyConfig, *ENDS)


@pytest.mark.parametrize("fault", END_FAULTS)
def test_the_check_sees_another_end(fault):
    with pytest.raises((ValueError, pytest.fail.Exception)):
        check_ends(edited(cross_entropy, *fault)["CrossEntropyConfig"], *ENDS)
