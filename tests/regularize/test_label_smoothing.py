"""Smoothed labels: torch's loss and timm's, a naive loop, the best margin, and seeded faults."""

import math

import pytest
import torch
import torch.nn.functional as F
from timm.loss import LabelSmoothingCrossEntropy

from dlbook.regularize import smooth_targets, smoothed_cross_entropy
from dlbook.regularize.label_smoothing import best_margin

EPSILONS = [0.0, 0.1, 0.37]


def problem(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(7, 5, generator=generator, dtype=torch.float64), torch.randint(
        5, (7,), generator=generator
    )


def check_targets(smooth_targets):
    """Szegedy et al., section 7, class by class."""
    _, labels = problem()
    for epsilon in EPSILONS:
        ours = smooth_targets(labels, 5, epsilon, torch.float64)
        for i, label in enumerate(labels.tolist()):
            for k in range(5):
                assert math.isclose(
                    float(ours[i, k]), (1 - epsilon) * (k == label) + epsilon / 5, rel_tol=1e-15
                )


def check_loss(loss):
    """Value and gradient of torch's, of timm's, and of the sum over classes."""
    logits, labels = problem()
    logits.requires_grad_()
    for epsilon in EPSILONS:
        ours = loss(logits, labels, epsilon)
        soft = -(smooth_targets(labels, 5, epsilon, torch.float64) * logits.log_softmax(1)).sum(1).mean()
        for theirs in (
            F.cross_entropy(logits, labels, label_smoothing=epsilon),
            LabelSmoothingCrossEntropy(epsilon)(logits, labels),
            soft,
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)
            torch.testing.assert_close(
                *(torch.autograd.grad(value, logits, retain_graph=True)[0] for value in (ours, theirs)),
                rtol=1e-12,
                atol=1e-13,
            )


def test_targets():
    check_targets(smooth_targets)


def test_loss():
    check_loss(smoothed_cross_entropy)


def test_gradcheck():
    logits, labels = problem()
    assert torch.autograd.gradcheck(lambda x: smoothed_cross_entropy(x, labels, 0.2), logits.requires_grad_())


@pytest.mark.parametrize(("epsilon", "classes"), [(0.1, 10), (0.3, 3)])
def test_the_best_margin_has_no_gradient(epsilon, classes):
    logits = torch.zeros(1, classes, dtype=torch.float64)
    logits[0, 1] = best_margin(classes, epsilon)
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(smoothed_cross_entropy(logits, torch.tensor([1]), epsilon), logits)
    assert gradient.abs().max() < 1e-15
    assert best_margin(classes, 0.0) == math.inf


def test_large_logits_stay_finite():
    logits = torch.tensor([[1e4, -1e4, 0.0]])
    assert torch.isfinite(smoothed_cross_entropy(logits, torch.tensor([1]), 0.1))


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: smooth_targets(torch.tensor([0, 4, 5]), 5), r"labels in \[0, 5\), got 5 at 2"),
        (lambda: smooth_targets(torch.tensor([-1]), 5), "got -1 at 0"),
        (lambda: smooth_targets(torch.tensor([0.0]), 5), "integer"),
        (lambda: smooth_targets(torch.zeros(2, 5).long(), 5), "class indices"),
        (lambda: smooth_targets(torch.tensor([0]), 5, 1.0), "epsilon"),
        (lambda: smoothed_cross_entropy(torch.zeros(2, 5), torch.tensor([0]), 0.1), "logits"),
        (lambda: smoothed_cross_entropy(torch.zeros(2, 5), torch.tensor([0, 5]), 0.1), "got 5 at 1"),
    ],
)
def test_bad_arguments(call, what):
    with pytest.raises(ValueError, match=what):
        call()


def over_the_others(labels, num_classes, epsilon, dtype):
    """epsilon / (K - 1), and 1 - epsilon."""
    targets = torch.full((len(labels), num_classes), epsilon / (num_classes - 1), dtype=dtype)
    return targets.scatter_(1, labels[:, None], 1 - epsilon)


def true_class_short(labels, num_classes, epsilon, dtype):
    """1 - epsilon beside epsilon / K: does not sum to 1."""
    return smooth_targets(labels, num_classes, epsilon, dtype).scatter_(1, labels[:, None], 1 - epsilon)


def summed_over_classes(logits, labels, epsilon):
    return (1 - epsilon) * F.cross_entropy(logits, labels) - epsilon * logits.log_softmax(1).sum(1).mean()


def of_probabilities(logits, labels, epsilon):
    return (1 - epsilon) * F.cross_entropy(logits, labels) - epsilon * logits.softmax(1).mean(1).log().mean()


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (over_the_others, check_targets),
        (true_class_short, check_targets),
        (summed_over_classes, check_loss),
        (of_probabilities, check_loss),
    ],
)
def test_the_check_sees_the_fault(broken, check):
    with pytest.raises(AssertionError):
        check(broken)
