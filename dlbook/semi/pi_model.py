"""The Pi-model: two noisy passes over each image have to give the same probabilities.

Laine & Aila 2017, *Temporal Ensembling for Semi-Supervised Learning*, arXiv:1610.02242, Algorithm 1:

    for each minibatch B:
        z  = f(g(x))                                 g: random augmentation; f has dropout
        z~ = f(g(x))                                 again, with new noise
        loss = -1/|B| sum_(labelled) log z[y] + w(t) 1/(K |B|) sum_(all) |z - z~|^2    z, z~ after the softmax

Both passes carry a gradient; there is no teacher here. The weight w(t) ramps up, for at the start the
predictions agree on nothing worth keeping.

Departures from the paper

1. Labelled and unlabelled images come as two batches; the labelled term is averaged over the labelled ones.
2. The noise is the augmentation alone, since the digits' ConvNet has no dropout.

>>> import torch
>>> one, other = torch.tensor([[50.0, 0.0]]), torch.tensor([[0.0, 50.0]])    # certain of different classes
>>> consistency_loss(one, other).item()
1.0
"""

import math
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.checks import require_in
from dlbook.optim.ema import EMA
from dlbook.semi import SemiBatch
from dlbook.train.method import Method

__all__ = ["PiModel", "PiModelConfig", "consistency_loss", "ramp_up"]


def consistency_loss(first_logits: Tensor, second_logits: Tensor) -> Tensor:
    """Mean over images and classes of the squared difference of the two probabilities (the second term of
    Algorithm 1).

    Args:
        first_logits, second_logits: `[B, K]` each, two passes over the same images; both carry a gradient.
    """
    return F.mse_loss(first_logits.softmax(dim=1), second_logits.softmax(dim=1))


def ramp_up(step: int, length: int) -> float:
    """exp(-5 (1 - t)^2) with t = step / length, then 1 (section 2.1 and appendix A)."""
    return math.exp(-5 * (1 - min(step / length, 1)) ** 2)


@dataclass(frozen=True)
class PiModelConfig:
    """`weight` is w_max times the share of labelled images, as the paper scales it; `length` is the ramp's,
    in steps.
    """

    weight: float = 10.0
    length: int = 100
    ema_decay: float = 0.999

    def __post_init__(self) -> None:
        if self.length < 1 or self.weight < 0:
            raise ValueError(
                f"expected length >= 1 and weight >= 0, got {self.length} and {self.weight}; length counts "
                "steps, and weight 0 leaves the consistency out"
            )
        require_in("ema_decay", self.ema_decay, 0, 1, "[)", "0.999 averages over the last 1,000 steps")


class PiModel(Method):
    """Train two views of each image to agree, and the labelled ones to be right.

    `first` and `second` of the batch are drawn from one distribution, as in the paper.

    Args:
        model: images -> logits `[B, K]`.
        config: hyper-parameters.
    """

    def __init__(self, model: nn.Module, config: PiModelConfig | None = None) -> None:
        super().__init__()
        self.config = config or PiModelConfig()
        self.model = model
        self.ema = EMA(model, self.config.ema_decay)

    def training_step(self, batch: SemiBatch, step: int) -> dict[str, Tensor]:
        """Algorithm 1."""
        supervised = F.cross_entropy(self.model(batch["labelled"]), batch["labels"])
        consistency = consistency_loss(self.model(batch["first"]), self.model(batch["second"]))
        weight = self.config.weight * ramp_up(step, self.config.length)
        return {
            "loss": supervised + weight * consistency,
            "supervised": supervised.detach(),
            "consistency": consistency.detach(),
        }

    @property
    def evaluated(self) -> nn.Module:
        """The average of the weights."""
        return self.ema.module

    def after_step(self, step: int) -> None:
        """Let the average follow, after the optimizer has stepped."""
        self.ema.update(self.model)
