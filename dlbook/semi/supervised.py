"""The baseline that every semi-supervised method has to beat: the same labels, the same views, no unlabelled
images.

No paper; Oliver et al. 2018, *Realistic Evaluation of Deep Semi-Supervised Learning Algorithms*,
arXiv:1804.09170, section 4.2, is the reason why it gets the same network, the same optimizer and the same
care as the methods that are compared with it.

>>> import torch
>>> method = Supervised(nn.Linear(3, 2))
>>> batch = {"labelled": torch.rand(4, 3), "labels": torch.tensor([0, 1, 0, 1])}
>>> sorted(method.training_step(batch, step=0))
['loss']
"""

import torch.nn.functional as F
from torch import Tensor, nn

from dlbook.optim.ema import EMA
from dlbook.train.method import Method

__all__ = ["Supervised"]


class Supervised(Method):
    """Cross-entropy on the labelled images; `ema` is the network to evaluate, as it is for the other methods.

    The batch is a mapping with `labelled` `[B, C, H, W]` and `labels` `[B]`; the rest of it is ignored.
    """

    def __init__(self, model: nn.Module, ema_decay: float = 0.999) -> None:
        super().__init__()
        self.model = model
        self.ema = EMA(model, ema_decay)

    @property
    def evaluated(self) -> nn.Module:
        """The average of the weights."""
        return self.ema.module

    def training_step(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """Cross-entropy, averaged over B."""
        return {"loss": F.cross_entropy(self.model(batch["labelled"]), batch["labels"])}

    def after_step(self, step: int) -> None:
        """Let the average follow, after the optimizer has stepped."""
        self.ema.update(self.model)
