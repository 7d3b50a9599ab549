"""Whether a network is right as often as it is sure: Guo, Pleiss, Sun & Weinberger 2017, *On Calibration of
Modern Neural Networks*, arXiv:1706.04599, eq. 1 to 3 and section 4.2.

::

    bin b        = the images whose confidence max_k p(k) is in ((b - 1) / M, b / M]
    ECE          = sum_b (share of the images in b) |accuracy of b - mean confidence of b|
    temperature  = argmin_T  mean cross-entropy of softmax(z / T)

Departures from the paper

1. `fit_temperature` halves an interval: in 1 / T the loss is convex, so its slope has one zero. The paper's
   code descends by L-BFGS.

torchmetrics puts a confidence on the border of two bins into the upper one, so that a confidence of exactly 1
has a bin of its own; the numbers differ only where confidences lie on borders.

>>> probs = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
>>> found = reliability(probs, torch.tensor([0, 1, 1, 0]), bins=10)
>>> round(found.ece, 3)
0.25
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dlbook.checks import require_positive

MOST = 1e3  # temperatures are sought between 1 / MOST and MOST


@dataclass(frozen=True)
class Reliability:
    """Hold what a reliability diagram shows, bin by bin; NaN where a bin is empty.

    Args:
        confidence: mean confidence of each bin, [bins].
        accuracy: share of right guesses in each bin, [bins].
        share: share of all images in each bin, [bins].
    """

    confidence: Tensor
    accuracy: Tensor
    share: Tensor

    @property
    def ece(self) -> float:
        """Expected calibration error, from 0 to 1."""
        return float((self.share * (self.accuracy - self.confidence).abs()).nansum())

    @property
    def overconfidence(self) -> float:
        """Mean confidence less accuracy, from -1 to 1: above 0 the network promises too much."""
        return float((self.share * (self.confidence - self.accuracy)).nansum())


def reliability(probs: Tensor, labels: Tensor, bins: int = 15) -> Reliability:
    """Sort guesses into bins by their confidence, and compare with how often they are right.

    Args:
        probs: probabilities [N, K].
        labels: class indices [N].
        bins: number of bins of one width between 0 and 1.

    Raises:
        ValueError: shapes that do not fit, no images, or rows that are no probabilities.
    """
    _check(probs, labels)
    sums = probs.sum(1)
    if probs.min() < 0 or not torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
        raise ValueError(
            f"expected probabilities that sum to 1, got rows from {probs.min():g} that sum to "
            f"{sums.min():g} ... {sums.max():g}; take logits.softmax(1)"
        )
    confidence, guesses = probs.double().max(1)
    return reliability_of(confidence, guesses == labels, bins)


def reliability_of(confidence: Tensor, right: Tensor, bins: int = 15) -> Reliability:
    """Do what `reliability` does, where the confidence of each guess is known, and whether it was right.

    Args:
        confidence: probability of the guess, [N].
        right: bool [N].
        bins: number of bins of one width between 0 and 1.

    Raises:
        ValueError: shapes that do not fit, or no images.
    """
    require_positive("bins", bins, "the paper has 15")
    if confidence.ndim != 1 or right.shape != confidence.shape or not len(right):
        raise ValueError(
            f"expected confidence [N] and right [N], got {list(confidence.shape)} and {list(right.shape)}; "
            "give one of both for each image"
        )
    confidence = confidence.double()
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1
    count = torch.bincount(place, minlength=bins).double()
    mean = lambda values: torch.bincount(place, values.double(), minlength=bins) / count
    return Reliability(mean(confidence), mean(right), count / len(right))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the T > 0 for which softmax(logits / T) has the smallest cross-entropy.

    Args:
        logits: [N, K], of images that the network was not trained on.
        labels: class indices [N].

    Returns:
        Above 1 for an overconfident network. If every guess is right, the loss has no minimum and the
        smallest T that is sought comes back.

    Raises:
        ValueError: shapes that do not fit, or no images.
    """
    _check(logits, labels)
    z = logits.detach().double()
    chosen = z.gather(1, labels[:, None]).mean()

    def slope(inverse: float) -> float:  # of the loss by 1 / T
        return float(((z * inverse).softmax(1) * z).sum(1).mean() - chosen)

    low, high = -math.log(MOST), math.log(MOST)  # of log 1 / T
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(math.exp(middle)) <= 0 else (low, middle)
    return math.exp(-(low + high) / 2)


def _check(scores: Tensor, labels: Tensor) -> None:
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise ValueError(
            f"expected scores [N, K] and labels [N], got {list(scores.shape)} and {list(labels.shape)}; "
            "flatten the positions"
        )
