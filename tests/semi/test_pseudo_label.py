"""Pseudo-Label against naive loops."""

import math

import pytest
import torch.nn.functional as F

from dlbook.naive import semi as naive
from dlbook.semi import pseudo_label
from tests.seeded import edited
from tests.semi.semi_checks import check_average_follows, check_ends, check_evaluated, logits


def check_pseudo_label_value(unlabelled_loss):
    rows = logits(3)
    expected = sum(-math.log(naive.softmax(row)[naive.largest(row)]) for row in rows.tolist()) / len(rows)
    assert math.isclose(unlabelled_loss(rows).item(), expected, rel_tol=1e-12)


def test_pseudo_label_loss_is_equation_15():
    check_pseudo_label_value(pseudo_label.unlabelled_loss)


def test_pseudo_label_sharpens():
    """Its gradient step makes the largest probability larger: the feedback behind confirmation bias."""
    rows = logits(3).requires_grad_()
    pseudo_label.unlabelled_loss(rows).backward()
    after = (rows - rows.grad).detach()
    assert (after.softmax(1).max(1).values > rows.softmax(1).max(1).values).all()


def test_pseudo_label_ramp_is_equation_16():
    values = [pseudo_label.ramp(step, 100, 600, 3.0) for step in (0, 99, 100, 350, 600, 10_000)]
    assert values == [0.0, 0.0, 0.0, 1.5, 3.0, 3.0]
    assert pseudo_label.ramp(5, 5, 5, 1.0) == 1.0


def test_the_average_follows():
    check_average_follows(pseudo_label.PseudoLabel)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="start"):
        pseudo_label.PseudoLabelConfig(start=9, end=3)


def summed(logits):
    return F.cross_entropy(logits, logits.argmax(1), reduction="sum")


FAULTS = {
    "sum over the images": (check_pseudo_label_value, summed),
    "the least probable class": (
        check_pseudo_label_value,
        lambda logits: F.cross_entropy(logits, logits.argmin(1)),
    ),
    "the whole distribution for the label": (
        check_pseudo_label_value,
        lambda logits: F.cross_entropy(logits, logits.softmax(1)),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    check, broken = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


def test_the_average_is_evaluated():
    check_evaluated(pseudo_label.PseudoLabel)
    broken = edited(pseudo_label, "return self.ema.module", "return self.model")
    with pytest.raises(AssertionError):
        check_evaluated(broken["PseudoLabel"])


ENDS = ([{"start": 0, "end": 0}, {"start": 3, "end": 3}], [{"start": -1, "end": 3}, {"start": 4, "end": 3}])
END_FAULTS = [
    ("0 <= self.start", "0 < self.start"),
    ("self.start <= self.end", "self.start < self.end"),
    ("0 <= self.start", "-1 <= self.start"),
    ("self.start <= self.end", "self.start <= self.end + 1"),
]


def test_the_ends_of_the_ranges():
    check_ends(pseudo_label.PseudoLabelConfig, *ENDS)


@pytest.mark.parametrize("fault", END_FAULTS)
def test_the_check_sees_another_end(fault):
    with pytest.raises((ValueError, pytest.fail.Exception)):
        check_ends(edited(pseudo_label, *fault)["PseudoLabelConfig"], *ENDS)
