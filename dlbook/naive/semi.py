"""Semi-supervised losses as slow loops over the papers' equations.

FixMatch: Sohn et al. 2020, arXiv:2001.07685, equation (4). FlexMatch: Zhang et al. 2021, arXiv:2110.08263,
equations (5), (6), (11) and (12), and the same loss with a threshold of the guessed class.

>>> fixmatch([[9.0, 0.0], [0.4, 0.0]], [[0.0, 0.0], [0.0, 0.0]], [0.95, 0.95]) == math.log(2) / 2
True
"""

import math

__all__ = ["fixmatch", "largest", "learning_effect", "softmax", "thresholds"]


def softmax(row: list[float]) -> list[float]:
    """Probabilities of one image from its logits."""
    highest = max(row)
    powers = [math.exp(value - highest) for value in row]
    return [power / sum(powers) for power in powers]


def largest(row: list[float]) -> int:
    """The place of the largest entry."""
    return max(range(len(row)), key=lambda c: row[c])


def fixmatch(
    weak_logits: list[list[float]],
    strong_logits: list[list[float]],
    taus: list[float],
) -> float:
    """Compute equation (4), image by image.

    Args:
        weak_logits, strong_logits: of each image.
        taus: the threshold of each class; FixMatch has one value for all.
    """
    total = 0.0
    for weak, strong in zip(weak_logits, strong_logits, strict=True):
        q = softmax(weak)
        label = largest(q)
        if q[label] >= taus[label]:
            total += -math.log(softmax(strong)[label])
    return total / len(weak_logits)


def learning_effect(remembered: list[int], num_classes: int) -> list[float]:
    """Compute beta of each class from the class remembered for each image, -1 where there is none."""
    counts = [sum(value == c for value in remembered) for c in range(num_classes)]
    unused = len(remembered) - sum(counts)
    return [count / max(max(counts), unused) for count in counts]


def thresholds(betas: list[float], tau: float) -> list[float]:
    """Compute T(c) = M(beta(c)) tau with M(x) = x / (2 - x)."""
    return [beta / (2 - beta) * tau for beta in betas]
