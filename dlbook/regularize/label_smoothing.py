"""Label smoothing: Szegedy et al. 2015, *Rethinking the Inception Architecture for Computer Vision*,
arXiv:1512.00567, section 7.

::

    q(k)  <- (1 - epsilon) [k = y] + epsilon / K          # the true class: 1 - epsilon + epsilon / K
    loss  = -sum_k q(k) log p(k)
          = (1 - epsilon) (-log p(y)) + epsilon mean_k (-log p(k))

No logit has to run to infinity any more: the smallest loss is reached where the true logit is above the
others by log((1 - epsilon) K / epsilon + 1).

Departures from the paper

None. A common slip gives the other classes epsilon / (K - 1) and the true class 1 - epsilon.

Equals ``torch.nn.functional.cross_entropy(label_smoothing=epsilon)``.

>>> smooth_targets(torch.tensor([2]), num_classes=4, epsilon=0.2).tolist()
[[0.05000000074505806, 0.05000000074505806, 0.8500000238418579, 0.05000000074505806]]
"""

import math

import torch
from torch import Tensor

from dlbook.checks import require_in


def smooth_targets(
    labels: Tensor, num_classes: int, epsilon: float = 0.1, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Return q of class indices.

    Args:
        labels: integers in [0, K), [B].
        num_classes: K.
        epsilon: in [0, 1); 0 gives one-hot targets.
        dtype: of the result.

    Returns:
        Probabilities [B, K].

    Raises:
        ValueError: labels that are no class indices, naming the first, or an argument out of range.
    """
    _check(labels, num_classes, epsilon)
    targets = torch.full((len(labels), num_classes), epsilon / num_classes, dtype=dtype, device=labels.device)
    return targets.scatter_(1, labels.long()[:, None], 1 - epsilon + epsilon / num_classes)


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, epsilon: float = 0.1) -> Tensor:
    """Return the mean loss over the batch, a scalar.

    Args:
        logits: [B, K].
        labels: class indices [B].
        epsilon: in [0, 1).

    Raises:
        ValueError: shapes that do not fit, or as in `smooth_targets`.
    """
    if logits.ndim != 2 or len(logits) != len(labels):
        raise ValueError(
            f"expected logits [B, K] and labels [B], got {list(logits.shape)} and {list(labels.shape)}; "
            "flatten the positions"
        )
    _check(labels, logits.shape[1], epsilon)
    log_probs = logits.log_softmax(1)
    of_the_true_class = -log_probs.gather(1, labels.long()[:, None]).squeeze(1)
    return ((1 - epsilon) * of_the_true_class - epsilon * log_probs.mean(1)).mean()


def best_margin(num_classes: int, epsilon: float) -> float:
    """Return how far the true logit is above the others at the smallest loss; infinite at epsilon = 0."""
    return math.log((1 - epsilon) * num_classes / epsilon + 1) if epsilon else math.inf


def _check(labels: Tensor, num_classes: int, epsilon: float) -> None:
    require_in("epsilon", epsilon, 0, 1, "[)", "the paper has 0.1")
    if labels.ndim != 1 or labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise ValueError(
            f"expected class indices [B] of an integer type, got {labels.dtype} {list(labels.shape)}; "
            "use argmax or .long()"
        )
    if torch.compiler.is_compiling() or not len(labels):
        return
    wrong = (labels < 0) | (labels >= num_classes)
    if wrong.any():
        place = int(wrong.nonzero()[0])
        raise ValueError(
            f"expected labels in [0, {num_classes}), got {int(labels[place])} at {place}; "
            "count classes from 0, or raise num_classes"
        )
