"""Exponential moving average of a module's weights.

Tarvainen & Valpola 2017, *Mean teachers are better role models*, arXiv:1703.01780, section 2:

    theta'_t = alpha * theta'_(t-1) + (1 - alpha) * theta_t          after each step of the optimizer

The averaged module is a full copy, kept in evaluation mode, and no gradient ever reaches it. It lives inside
the method as a submodule, so a checkpoint of the method holds it too.

**Departures from the paper.**

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

import copy

import torch
from torch import Tensor, nn

__all__ = ["EMA"]


class EMA(nn.Module):
    """A slow copy of `module` that follows its weights; call it like the module itself.

    Args:
        module: the network to follow; it is deep-copied, never aliased.
        decay: alpha in [0, 1]; 0 copies the latest weights, 1 keeps the first ones.
        warm_up: begin with a plain mean, as described above.

    Raises:
        ValueError: `decay` lies outside [0, 1].
    """

    def __init__(self, module: nn.Module, decay: float = 0.999, warm_up: bool = True) -> None:
        super().__init__()
        if not 0 <= decay <= 1:
            raise ValueError(
                f"expected 0 <= decay <= 1, got {decay}; 0.999 averages over about the last 1,000 steps"
            )
        self.decay, self.warm_up = decay, warm_up
        self.module = copy.deepcopy(module).requires_grad_(False).eval()
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def decay_now(self) -> float:
        """alpha of the next update."""
        if not self.warm_up:
            return self.decay
        return min(self.decay, 1 - 1 / (int(self.updates) + 1))

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Move towards the weights of `module`; call it after `optimizer.step()`.

        Raises:
            ValueError: `module` has other parameters than the copied one.
        """
        slow, fast = dict(self.module.named_parameters()), dict(module.named_parameters())
        if slow.keys() != fast.keys():
            odd = sorted(slow.keys() ^ fast.keys())
            raise ValueError(
                f"expected the module that was copied, got one that differs in {odd[0]!r}; make a new EMA"
            )
        alpha = self.decay_now()
        for name, weight in slow.items():
            weight.lerp_(fast[name], 1 - alpha)
        for mine, theirs in zip(self.module.buffers(), module.buffers(), strict=True):
            mine.copy_(theirs)
        self.updates += 1

    def train(self, mode: bool = True) -> "EMA":
        """Stay in evaluation mode whatever the owner's mode is: the average is there to be evaluated."""
        return super().train(False)

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor:
        """The averaged module's output."""
        return self.module(*args, **kwargs)
