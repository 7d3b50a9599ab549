"""Cross-entropy on labelled images: plain classification, and the baseline of every semi-supervised method.

    logits = f(x_b),  b = 1..B
    target = (1 - s) one_hot(y_b) + s / K          s: label smoothing; or the mixed labels of mixup and CutMix
    loss   = -1/B sum_b sum_k target_k log softmax(logits)_k

Label smoothing: Szegedy et al. 2016, arXiv:1512.00567, section 7. The average of the weights: Polyak &
Juditsky 1992; it is evaluated in place of the trained weights where a decay is given.

**What the baseline needs.** Oliver et al. 2018, arXiv:1804.09170, section 4.2: it gets the same network, the
same optimizer and the same care as the methods that are compared with it. So it is this method on the few
labelled images, in the same weak views, and with the same average of the weights: give `ema_decay`.

>>> import torch
>>> method = CrossEntropy(nn.Linear(3, 2))
>>> out = method.training_step({"images": torch.eye(3), "labels": torch.tensor([0, 1, 0])}, step=0)
>>> sorted(out)
['accuracy', 'loss']
"""

from dataclasses import dataclass
from typing import TypedDict

import torch.nn.functional as F
from torch import Tensor, nn

from dlbook.optim.ema import EMA
from dlbook.train.method import Method

__all__ = ["CrossEntropy", "CrossEntropyConfig", "LabelledBatch"]


class LabelledBatch(TypedDict, total=False):
    """What the method is given in each step: images with labels, or with mixed labels."""

    images: Tensor  # [B, C, H, W]
    labels: Tensor  # [B], classes
    probs: Tensor  # [B, K], rows that sum to 1; used instead of the labels where it is there


@dataclass(frozen=True)
class CrossEntropyConfig:
    """Hyper-parameters; plain classification by default."""

    label_smoothing: float = 0.0  # share of the target that is spread over all classes
    ema_decay: float | None = None  # None keeps no average of the weights

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(
                f"expected 0 <= label_smoothing < 1, got {self.label_smoothing}; 0 is off, 0.1 is common"
            )
        if self.ema_decay is not None and not 0 <= self.ema_decay < 1:
            raise ValueError(
                f"expected 0 <= ema_decay < 1 or None, got {self.ema_decay}; None keeps no average"
            )


class CrossEntropy(Method):
    """Learn the labels of the images.

    Args:
        model: images -> logits [B, K].
        config: hyper-parameters.
    """

    def __init__(self, model: nn.Module, config: CrossEntropyConfig | None = None) -> None:
        super().__init__()
        self.config = config or CrossEntropyConfig()
        self.model = model
        self.ema = EMA(model, self.config.ema_decay) if self.config.ema_decay is not None else None

    @property
    def evaluated(self) -> nn.Module:
        """The average of the weights where there is one, else the trained network."""
        return self.ema.module if self.ema is not None else self.model

    def training_step(self, batch: LabelledBatch, step: int) -> dict[str, Tensor]:
        """Return the loss and, where labels are not mixed, the accuracy on the batch in per cent."""
        logits = self.model(batch["images"])
        if not isinstance(logits, Tensor):
            raise ValueError(
                "expected a network with one head, got one that gives several in training; set model.name "
                "to its row without the others"
            )
        target = batch["probs"] if "probs" in batch else batch["labels"]
        loss = F.cross_entropy(logits.float(), target, label_smoothing=self.config.label_smoothing)
        if "probs" in batch:
            return {"loss": loss}
        hits = logits.argmax(dim=1) == batch["labels"]
        return {"loss": loss, "accuracy": 100 * hits.float().mean()}

    def after_step(self, step: int) -> None:
        """Let the average follow."""
        if self.ema is not None:
            self.ema.update(self.model)
