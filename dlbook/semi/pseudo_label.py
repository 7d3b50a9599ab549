"""Pseudo-Label: the network's own most probable class is the target, and its weight grows with time.

Lee 2013, *Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural Networks*,
ICML workshop on challenges in representation learning:

    for each step t:
        y'_m = argmax f(u_m)                                   for each unlabelled image of the batch
        L = 1/n sum_m H(y_m, f(x_m)) + alpha(t) 1/n' sum_m H(y'_m, f(u_m))
        alpha(t) = 0, then a straight line, then alpha_f

The target and the prediction come from the same pass on the same view. That is the difference to FixMatch
that matters, and where confirmation bias comes from: the gradient makes each prediction more of what it
already is.

Departures from the paper

1. No dropout and no denoising pre-training; a ConvNet instead of a one-layer perceptron.
2. The ramp is given in optimizer steps; the paper's T1 = 100 and T2 = 600 count epochs, its alpha_f is 3.

>>> import torch
>>> round(unlabelled_loss(torch.zeros(2, 4)).item(), 4)            # ln 4: the uniform prediction's own argmax
1.3863
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from dlbook.checks import require_at_least, require_in
from dlbook.optim.ema import EMA
from dlbook.semi import SemiBatch
from dlbook.train.method import Method

__all__ = ["PseudoLabel", "PseudoLabelConfig", "ramp", "unlabelled_loss"]


def unlabelled_loss(logits: Tensor) -> Tensor:
    """The second sum of equation (15): cross-entropy with the logits' own largest class, averaged over n'.

    Args:
        logits: `[n', K]`; the gradient flows through the prediction, never through the target.
    """
    return F.cross_entropy(logits, logits.detach().argmax(dim=1))


def ramp(step: int, start: int, end: int, final: float) -> float:
    """Equation (16): alpha is 0 before `start` (T1), `final` (alpha_f) from `end` (T2) on, a straight line
    between.
    """
    if step < start:
        return 0.0
    if step >= end:
        return final
    return final * (step - start) / (end - start)


@dataclass(frozen=True)
class PseudoLabelConfig:
    """The ramp's numbers are the paper's; `start` and `end` are steps here."""

    start: int = 100  # T1
    end: int = 600  # T2
    final: float = 3.0  # alpha_f
    ema_decay: float = 0.999

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(
                f"expected 0 <= start <= end, got {self.start} and {self.end}; both count optimizer steps"
            )
        require_at_least("final", self.final, 0, "0 ignores the unlabelled images")
        require_in("ema_decay", self.ema_decay, 0, 1, "[)", "0.999 averages over the last 1,000 steps")


class PseudoLabel(Method):
    """Train on the labels, and on the network's own guesses of the unlabelled images (`weak`).

    Args:
        model: images -> logits `[B, K]`.
        config: hyper-parameters.
    """

    def __init__(self, model: nn.Module, config: PseudoLabelConfig | None = None) -> None:
        super().__init__()
        self.config = config or PseudoLabelConfig()
        self.model = model
        self.ema = EMA(model, self.config.ema_decay)

    def training_step(self, batch: SemiBatch, step: int) -> dict[str, Tensor]:
        """Equation (15)."""
        supervised = F.cross_entropy(self.model(batch["labelled"]), batch["labels"])
        unlabelled = unlabelled_loss(self.model(batch["weak"]))
        weight = ramp(step, self.config.start, self.config.end, self.config.final)
        return {
            "loss": supervised + weight * unlabelled,
            "supervised": supervised.detach(),
            "unlabelled": unlabelled.detach(),
        }

    @property
    def evaluated(self) -> nn.Module:
        """The average of the weights."""
        return self.ema.module

    def after_step(self, step: int) -> None:
        """Let the average follow, after the optimizer has stepped."""
        self.ema.update(self.model)
