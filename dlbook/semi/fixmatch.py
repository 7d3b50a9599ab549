"""FixMatch: pseudo-labels from a weak view, learnt on a strong one, when the network is confident.

Sohn, Berthelot, Li, Zhang, Carlini, Cubuk, Kurakin, Zhang, Raffel 2020, *FixMatch: Simplifying
Semi-Supervised Learning with Consistency and Confidence*, arXiv:2001.07685, Algorithm 1:

    given labelled (x_b, p_b), b = 1..B; unlabelled u_b, b = 1..mu B; weak view alpha, strong view A
    l_s = 1/B  sum_b H(p_b, p_m(y | alpha(x_b)))
    for b = 1..mu B:
        q_b = p_m(y | alpha(u_b))                   no gradient from here on
    l_u = 1/(mu B)  sum_b 1[max q_b >= tau] H(argmax q_b, p_m(y | A(u_b)))
    minimise l_s + lambda_u l_u

Departures from the paper

1. The weak pass of the unlabelled images is a forward of its own without a graph, since no gradient may come
   from it. The paper's code passes all views as one batch. Both passes run in training mode, as the paper's
   do, but batch normalisation sees the weak views and the trained views as two batches.
2. Weight decay is the optimizer's, on all parameters; the paper's code decays convolution and linear kernels
   only.

>>> weak_logits = torch.tensor([[9.0, 0.0], [0.4, 0.0]])                 # confident of class 0; not confident
>>> loss, pseudo_labels, mask = unlabelled_loss(weak_logits, torch.zeros(2, 2), threshold=0.95)
>>> pseudo_labels.tolist(), mask.tolist()
([0, 0], [True, False])
>>> round(loss.item(), 4)                                            # ln 2 from one image, averaged over both
0.3466
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlbook.checks import require_in
from dlbook.optim.ema import EMA
from dlbook.semi import SemiBatch
from dlbook.train.method import Method

__all__ = ["FixMatch", "FixMatchConfig", "supervised_loss", "unlabelled_loss"]


def supervised_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Equation (3): cross-entropy of the labelled weak views, averaged over B.

    Args:
        logits: `[B, K]`.
        labels: `[B]`, class indices.
    """
    return F.cross_entropy(logits, labels)


def unlabelled_loss(
    weak_logits: Tensor, strong_logits: Tensor, threshold: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Equation (4): the strong view learns the weak view's class where the weak view is confident.

    The mean runs over all mu B images. An image below the threshold adds nothing to the sum and still counts
    in the number.

    Args:
        weak_logits: `[mu B, K]`; a constant of the loss.
        strong_logits: `[mu B, K]`; the gradient flows here only.
        threshold: tau in [0, 1], compared with the largest probability (never with a logit).

    Returns:
        The loss (scalar), the pseudo-labels `[mu B]`, and the mask `[mu B]` (bool) of those that count.
    """
    probs = weak_logits.detach().softmax(dim=1)  # q_b
    confidence, pseudo_labels = probs.max(dim=1)  # max q_b; the hard label of q_b
    mask = confidence >= threshold
    losses = F.cross_entropy(strong_logits, pseudo_labels, reduction="none")
    return (losses * mask).mean(), pseudo_labels, mask


@dataclass(frozen=True)
class FixMatchConfig:
    """Section 3.1's values for CIFAR and SVHN. The batch carries B = 64 and mu = 7 by its own sizes."""

    threshold: float = 0.95  # tau
    unlabelled_weight: float = 1.0  # lambda_u
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


class FixMatch(Method):
    """Train on the labelled weak views, and on the strong views where the weak ones are confident.

    Args:
        model: images -> logits `[B, K]`.
        config: hyper-parameters; None takes the paper's.
    """

    def __init__(self, model: nn.Module, config: FixMatchConfig | None = None) -> None:
        super().__init__()
        self.config = config or FixMatchConfig()
        self.model = model
        self.ema = EMA(model, self.config.ema_decay)

    def training_step(self, batch: SemiBatch, step: int) -> dict[str, Tensor]:
        """Algorithm 1, line for line."""
        with torch.no_grad():
            weak_logits = self.model(batch["weak"])
        logits = self.model(torch.cat([batch["labelled"], batch["strong"]]))
        labelled_logits, strong_logits = logits.split([len(batch["labelled"]), len(batch["strong"])])

        supervised = supervised_loss(labelled_logits, batch["labels"])
        unlabelled, pseudo_labels, mask = unlabelled_loss(weak_logits, strong_logits, self.config.threshold)
        return {
            "loss": supervised + self.config.unlabelled_weight * unlabelled,
            "supervised": supervised.detach(),
            "unlabelled": unlabelled.detach(),
            "mask_rate": mask.float().mean(),
            "pseudo_labels": pseudo_labels,
            "mask": mask,
        }

    @property
    def evaluated(self) -> nn.Module:
        """The average of the weights."""
        return self.ema.module

    def after_step(self, step: int) -> None:
        """Let the average follow, after the optimizer has stepped."""
        self.ema.update(self.model)
