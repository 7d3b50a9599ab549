"""Exponential moving average of a network's weights, to be evaluated in its place.

Tarvainen & Valpola 2017, *Mean teachers are better role models*, arXiv:1703.01780, section 2:

    theta'_t = alpha * theta'_(t-1) + (1 - alpha) * theta_t          after each step of the optimizer

This is one setting of :class:`dlbook.nn.momentum_encoder.MomentumEncoder`: always in evaluation mode, buffers
copied, and a first phase of its own.

Departures from the paper

1. Buffers (batch normalisation's running statistics) are copied from the trained module, not averaged: they
   are moving averages already, and counters cannot be averaged. The paper's networks leave the choice open.
2. The first updates use alpha = min(decay, 1 - 1/(n + 1)) with n the updates done so far, as the paper's
   published code does. Until the cap is reached the average is the plain mean of all weights seen, and the
   random initial weights have no part in it. `warm_up=False` gives the bare equation.

>>> linear = torch.nn.Linear(1, 1, bias=False)
>>> ema = EMA(linear, decay=0.5, warm_up=False)
>>> before = linear.weight.item()
>>> with torch.no_grad():
...     _ = linear.weight.add_(1.0)
>>> ema.update(linear)
>>> round(ema.module.weight.item() - before, 4)
0.5
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from dlbook.nn.momentum_encoder import MomentumEncoder

__all__ = ["EMA"]


class EMA(MomentumEncoder):
    """A slow copy of `module` that follows its weights and stays in evaluation mode.

    Args:
        module: the network to follow; it is deep-copied, never aliased.
        decay: alpha in [0, 1], or a function from the step to it.
        warm_up: begin with a plain mean, as described above.

    Raises:
        ValueError: `decay` lies outside [0, 1].
    """

    def __init__(
        self, module: nn.Module, decay: float | Callable[[int], float] = 0.999, warm_up: bool = True
    ) -> None:
        super().__init__(module, decay, buffers="copied", evaluation=True)
        self.warm_up = warm_up
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self._count: int | None = None  # `updates` as a Python number: to read it from a GPU means to wait

    def decay_at(self, step: int | None = None) -> float:
        """Return alpha of the next update, which is the one after step `step`."""
        alpha = super().decay_at(step)
        done = int(self.updates) if self._count is None else self._count
        return min(alpha, 1 - 1 / (done + 1)) if self.warm_up else alpha

    def update(self, module: nn.Module, step: int | None = None) -> None:
        """Move towards the weights of `module`; call it after `optimizer.step()`.

        Raises:
            ValueError: `module` has other parameters than the copied one.
        """
        if self._count is None:
            self._count = int(self.updates)
        super().update(module, step)
        self.updates += 1
        self._count += 1

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)
        self._count = None  # read the loaded number at the next update
