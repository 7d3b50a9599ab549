"""FlexMatch: FixMatch with a threshold for each class, low while the class is badly learnt.

Zhang, Wang, Hou, Wu, Wang, Okumura, Shinozaki 2021, *FlexMatch: Boosting Semi-Supervised Learning with
Curriculum Pseudo Labeling*, arXiv:2110.08263, Algorithm 1:

    remembered_n = -1 (unused) for each unlabelled image n = 1..N
    for each step:
        sigma(c) = number of n with remembered_n = c
        beta(c)  = sigma(c) / max(max_c sigma(c), number unused)          warm-up: the unused images count too
        T(c)     = M(beta(c)) tau,  M(x) = x / (2 - x)
        q_b = p_m(y | weak view of u_b)                                   no gradient from here on
        l_u = 1/(mu B) sum_b 1[max q_b >= T(argmax q_b)] H(argmax q_b, p_m(y | strong view of u_b))
        where max q_b >= tau:  remembered_(index of u_b) = argmax q_b      the fixed tau, not T

Two thresholds are at work: the fixed tau decides which images *count* for a class's learning effect, T(c)
only which enter the loss. Counting by T would feed back: a class with a low threshold would count many, and
look well learnt.

Departures from the paper

1. As in FixMatch's file: the weak pass has no graph, weight decay is the optimizer's. Comparisons are >=, as
   in the published code.
2. Equation (5) counts present predictions over the whole set. Like the published code, we remember the last
   confident prediction of each image by its index in the data set; an image that becomes unsure again keeps
   its label.

>>> beta = learning_effect(torch.tensor([0, 0, 1, -1]), num_classes=2)  # twice class 0, once 1, one unused
>>> beta.tolist()
[1.0, 0.5]
>>> [round(value, 4) for value in class_thresholds(beta, threshold=0.95).tolist()]
[0.95, 0.3167]
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlbook.checks import require_in
from dlbook.nn.gather_rows import gather_rows
from dlbook.optim.ema import EMA
from dlbook.semi import SemiBatch
from dlbook.train.method import Method

__all__ = ["FlexMatch", "FlexMatchConfig", "class_thresholds", "learning_effect", "unlabelled_loss"]

UNUSED = -1


def learning_effect(remembered: Tensor, num_classes: int) -> Tensor:
    """Equations (5), (6) and (11): beta(c) = sigma(c) / max(max sigma, number of unused images), `[K]` in [0,
    1].

    Args:
        remembered: `[N]`, for each unlabelled image the class of its last confident prediction, or -1.
        num_classes: K.
    """
    counts = torch.bincount(remembered + 1, minlength=num_classes + 1)  # the unused in cell 0
    return counts[1:] / counts.max().clamp(min=1)


def class_thresholds(beta: Tensor, threshold: float) -> Tensor:
    """Equation (12) with the convex map M(x) = x / (2 - x): T(c) = M(beta(c)) tau, `[K]` in [0, tau]."""
    return beta / (2 - beta) * threshold


def unlabelled_loss(
    weak_logits: Tensor, strong_logits: Tensor, thresholds: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The loss of Algorithm 1: FixMatch's, with the threshold of the predicted class. The mean runs over all
    mu B images.

    Args:
        weak_logits: `[mu B, K]`; a constant of the loss.
        strong_logits: `[mu B, K]`; the gradient flows here only.
        thresholds: `[K]`.

    Returns:
        The loss (scalar), the confidences, the pseudo-labels and the mask (bool), `[mu B]` each.
    """
    confidence, pseudo_labels = weak_logits.detach().softmax(dim=1).max(dim=1)
    mask = confidence >= thresholds[pseudo_labels]
    losses = F.cross_entropy(strong_logits, pseudo_labels, reduction="none")
    return (losses * mask).mean(), confidence, pseudo_labels, mask


@dataclass(frozen=True)
class FlexMatchConfig:
    """Section 4's values for CIFAR and SVHN: those of FixMatch."""

    threshold: float = 0.95  # tau
    unlabelled_weight: float = 1.0  # lambda
    ema_decay: float = 0.999

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(
                f"expected 0 <= threshold <= 1, got {self.threshold}; it is compared with a "
                "probability, not with a logit"
            )
        if self.unlabelled_weight < 0:
            raise ValueError(
                f"expected unlabelled_weight >= 0, got {self.unlabelled_weight}; 0 ignores the "
                "unlabelled images"
            )
        require_in("ema_decay", self.ema_decay, 0, 1, "[)", "0.999 averages over the last 1,000 steps")


class FlexMatch(Method):
    """FixMatch with a threshold for each class; `indices` of the batch say which image is which.

    Args:
        model: images -> logits `[B, K]`.
        num_unlabelled: N, the size of the unlabelled set.
        num_classes: K.
        config: hyper-parameters.
    """

    def __init__(
        self, model: nn.Module, num_unlabelled: int, num_classes: int, config: FlexMatchConfig | None = None
    ) -> None:
        super().__init__()
        self.config = config or FlexMatchConfig()
        self.model = model
        self.ema = EMA(model, self.config.ema_decay)
        self.num_classes = num_classes
        self.register_buffer("remembered", torch.full((num_unlabelled,), UNUSED))

    def thresholds(self) -> Tensor:
        """T(c) as it stands, `[K]`."""
        return class_thresholds(learning_effect(self.remembered, self.num_classes), self.config.threshold)

    def training_step(self, batch: SemiBatch, step: int) -> dict[str, Tensor]:
        """Algorithm 1, line for line."""
        thresholds = self.thresholds()
        with torch.no_grad():
            weak_logits = self.model(batch["weak"])
        logits = self.model(torch.cat([batch["labelled"], batch["strong"]]))
        labelled_logits, strong_logits = logits.split([len(batch["labelled"]), len(batch["strong"])])

        supervised = F.cross_entropy(labelled_logits, batch["labels"])
        unlabelled, confidence, pseudo_labels, mask = unlabelled_loss(weak_logits, strong_logits, thresholds)
        counted = confidence >= self.config.threshold
        self._remember(batch["indices"], counted, pseudo_labels)
        return {
            "loss": supervised + self.config.unlabelled_weight * unlabelled,
            "supervised": supervised.detach(),
            "unlabelled": unlabelled.detach(),
            "mask_rate": mask.float().mean(),
            "pseudo_labels": pseudo_labels,
            "mask": mask,
        }

    def _remember(self, indices: Tensor, counted: Tensor, pseudo_labels: Tensor) -> None:
        """Keep the confident predictions of all processes: each of them holds the whole buffer."""
        indices, counted, pseudo_labels = map(gather_rows, (indices, counted, pseudo_labels))
        self.remembered[indices[counted]] = pseudo_labels[counted]

    @property
    def evaluated(self) -> nn.Module:
        """The average of the weights."""
        return self.ema.module

    def after_step(self, step: int) -> None:
        """Let the average follow, after the optimizer has stepped."""
        self.ema.update(self.model)
