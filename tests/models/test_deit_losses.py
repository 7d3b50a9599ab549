"""DeiT's two losses against loops over equations (2) and (3), and faults that people make."""

import math

import pytest
import torch
from torch import nn

from dlbook.models.deit import (
    hard_distillation_loss,
    soft_distillation_loss,
)


def naive_soft(class_logits, distill_logits, labels, teacher_logits, tau=3.0, weight=0.1):
    """Equation (2), one number at a time."""
    total = 0.0
    for b, label in enumerate(labels.tolist()):
        powers = [math.exp(z) for z in class_logits[b].tolist()]
        student = [math.exp(z / tau) for z in distill_logits[b].tolist()]
        teacher = [math.exp(z / tau) for z in teacher_logits[b].tolist()]
        divergence = sum(
            t / sum(teacher) * math.log((t / sum(teacher)) / (s / sum(student)))
            for t, s in zip(teacher, student)
        )
        total += -(1 - weight) * math.log(powers[label] / sum(powers)) + weight * tau**2 * divergence
    return total / len(labels)


def naive_hard(class_logits, distill_logits, labels, teacher_logits):
    """Equation (3), one number at a time."""
    total = 0.0
    for b, label in enumerate(labels.tolist()):
        teacher = teacher_logits[b].tolist()
        for logits, target in ((class_logits, label), (distill_logits, teacher.index(max(teacher)))):
            powers = [math.exp(z) for z in logits[b].tolist()]
            total -= 0.5 * math.log(powers[target] / sum(powers))
    return total / len(labels)


def example():
    generator = torch.Generator().manual_seed(0)
    logits = [2 * torch.randn(5, 7, generator=generator, dtype=torch.float64) for _ in range(3)]
    return logits[0], logits[1], torch.tensor([3, 0, 6, 1, 1]), logits[2]


def check_losses(soft, hard):
    values = example()
    assert soft(*values).item() == pytest.approx(naive_soft(*values), rel=1e-12)
    assert soft(*values, 1.5, 0.7).item() == pytest.approx(naive_soft(*values, 1.5, 0.7), rel=1e-12)
    assert hard(*values).item() == pytest.approx(naive_hard(*values), rel=1e-12)


def test_losses_equal_the_equations():
    check_losses(soft_distillation_loss, hard_distillation_loss)


def swapped(class_logits, distill_logits, labels, teacher_logits, *rest):
    return soft_distillation_loss(class_logits, teacher_logits, labels, distill_logits, *rest)


def divided_by(number):
    """Equation (2) with its second term divided."""

    def soft(class_logits, distill_logits, labels, teacher_logits, tau=3.0, weight=0.1):
        first = (1 - weight) * nn.functional.cross_entropy(class_logits, labels)
        whole = soft_distillation_loss(class_logits, distill_logits, labels, teacher_logits, tau, weight)
        return first + (whole - first) / number(tau)

    return soft


def test_no_gradient_reaches_the_teacher_and_mixed_labels_are_taken():
    class_logits, distill_logits, labels, teacher_logits = (value.clone() for value in example())
    for logits in (class_logits, distill_logits, teacher_logits):
        logits.requires_grad_()
    for loss in (soft_distillation_loss, hard_distillation_loss):
        loss(class_logits, distill_logits, labels, teacher_logits).backward()
        assert teacher_logits.grad is None and distill_logits.grad.abs().sum() > 0
        one_hot = nn.functional.one_hot(labels, 7).double()
        by_index, by_vector = (
            loss(class_logits, distill_logits, target, teacher_logits) for target in (labels, one_hot)
        )
        assert torch.allclose(by_index, by_vector)


LOSS_FAULTS = {
    "KL(student || teacher)": (swapped, hard_distillation_loss),
    "one head only": (lambda c, d, *rest: soft_distillation_loss(c, c, *rest), hard_distillation_loss),
    "no temperature squared": (divided_by(lambda tau: tau**2), hard_distillation_loss),
    "divided by the classes too": (divided_by(lambda tau: 7), hard_distillation_loss),
    "labels and decisions exchanged": (
        soft_distillation_loss,
        lambda c, d, y, t: hard_distillation_loss(d, c, y, t),
    ),
    "sum for mean of the halves": (
        soft_distillation_loss,
        lambda *values: 2 * hard_distillation_loss(*values),
    ),
}


@pytest.mark.parametrize("fault", LOSS_FAULTS)
def test_the_loop_catches_the_seeded_fault_in_a_loss(fault):
    with pytest.raises(AssertionError):
        check_losses(*LOSS_FAULTS[fault])
