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
    """A learning method as a module. Each method's default hyper-parameters are its paper's."""

    @abc.abstractmethod
    def training_step(self, batch: Any, step: int) -> dict[str, Tensor]:
        """Compute one forward pass of training.

        Args:
            batch: whatever the data source of the recipe gives.
            step: optimizer steps already done, from 0.

        Returns:
            `"loss"`, a scalar with a gradient, and any detached tensors worth watching; the trainer logs the
            scalar ones.
        """

    def after_step(self, step: int) -> None:
        """Do what follows an optimizer's step: move a teacher or an average, `encoder.update(net, step)`.

        Args:
            step: the number of the step that was just taken, from 0.
        """

    def param_groups(self) -> list[dict[str, Any]]:
        """Return what the optimizer trains: by default one group, all parameters that require a gradient.

        A group may hold options of its own, such as "lr" and "weight_decay", and may name its schedule:
        ``{"params": predictor, "schedule": "constant"}``. The trainer is given the schedules by these names;
        a group without a name follows "default". A group whose schedule is 0 for the first steps is frozen
        for so long.
        """
        return [{"params": [parameter for parameter in self.parameters() if parameter.requires_grad]}]

    @property
    def evaluated(self) -> nn.Module:
        """The network to evaluate, to predict with and to keep: by default the trained one, `self.model`.

        A method that evaluates something else says so here: an average returns ``self.ema.module``.

        Raises:
            ValueError: the method has no submodule `model`.
        """
        if "model" not in self._modules:
            raise ValueError(
                f"expected {type(self).__name__} to have its trained network as self.model, got "
                f"{sorted(self._modules) or 'no submodules'}; call it model, or define the property evaluated"
            )
        return self.model

    def forward(self, batch: Any, step: int) -> dict[str, Tensor]:
        """Call the training step, so that DistributedDataParallel can wrap the method itself and synchronise
        its gradients.
        """
        return self.training_step(batch, step)
