"""The contract between a learning method and everything that trains one.

A method owns its networks (the trained one, an average, a teacher), its loss and its state. Thresholds,
queues and counters are buffers, so that one generic checkpoint holds them. The trainer owns the loop and
knows nothing of the method but this class.

>>> import torch
>>> class Mean(Method):
...     def __init__(self):
...         super().__init__()
...         self.value = nn.Parameter(torch.zeros(()))
...     def training_step(self, batch, step):
...         return {"loss": (batch - self.value).square().mean()}
>>> Mean()(torch.ones(3), step=0)["loss"].item()
1.0
"""

import abc
from typing import Any

from torch import Tensor, nn

__all__ = ["Method"]


class Method(nn.Module, abc.ABC):
    """A learning method as a module; the default rows of each method's file are its paper's."""

    @abc.abstractmethod
    def training_step(self, batch: Any, step: int) -> dict[str, Tensor]:
        """One forward pass of training.

        Args:
            batch: whatever the data source of the recipe gives.
            step: optimizer steps already done, from 0.

        Returns:
            `"loss"`, a scalar with a gradient, and any detached tensors worth watching; the trainer logs the
            scalar ones.
        """

    def after_step(self, step: int) -> None:
        """Called once after `optimizer.step()`: averages of the weights and the like."""

    def param_groups(self) -> list[dict[str, Any]]:
        """What the optimizer trains: by default one group, all parameters that require a gradient."""
        return [{"params": [parameter for parameter in self.parameters() if parameter.requires_grad]}]

    def forward(self, batch: Any, step: int) -> dict[str, Tensor]:
        """The training step, so that DistributedDataParallel can wrap the method itself and synchronise its
        gradients.
        """
        return self.training_step(batch, step)
