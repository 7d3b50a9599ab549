"""Stochastic weight averaging: Izmailov et al. 2018, *Averaging Weights Leads to Wider Optima and Better
Generalization*, arXiv:1803.05407, algorithm 1.

::

    w_swa <- w;  k <- 1                          # w: trained weights
    for i in 1 .. n:
        w     <- w - alpha(i) grad f(w)          # alpha constant and high, or cyclical
        if mod(i, c) = 0:                        # at the end of each cycle (each epoch, if constant)
            w_swa <- (w_swa k + w) / (k + 1);  k <- k + 1
    statistics of batch normalisation for w_swa from one more pass over the data

Departures from the paper

1. The paper lets w_swa begin with the weights before the first cycle, as one member of the average. Here the
   average begins empty, as torch's does; call `update` once before the first cycle for the paper's.
2. `swa_phase` falls to the rate alpha over some steps, as torch's SWALR does; the paper's experiments fall in
   a similar way.
3. Statistics of batch normalisation are plain means over the batches, and each batch counts alike.

SWA equals ``torch.optim.swa_utils.AveragedModel``, `update_batch_norm` its ``update_bn`` (which leaves
dropout on), and `swa_phase` its ``SWALR``.

>>> linear = torch.nn.Linear(1, 1, bias=False)
>>> swa = SWA(linear)
>>> for value in (1.0, 2.0, 6.0):
...     _ = torch.nn.init.constant_(linear.weight, value); swa.update(linear)
>>> swa.module.weight.item()
3.0
"""

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from dlbook.checks import require_above, require_at_least, require_in, require_one_of

Schedule = Callable[[float], float]


class SWA(nn.Module):
    """Holds the plain mean of a module's weights at each call of `update`; call it like the module itself.

    Before the first `update` it holds the weights as they were given. Its batch normalisation is wrong until
    `update_batch_norm`.

    Args:
        module: deep-copied, never aliased, kept in evaluation mode and without gradients.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = copy.deepcopy(module).requires_grad_(False).eval()
        self.register_buffer("averaged", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take the weights of `module` into the mean.

        Raises:
            ValueError: it has other parameters than the copied one.
        """
        mean, new = dict(self.module.named_parameters()), dict(module.named_parameters())
        if mean.keys() != new.keys():
            odd = sorted(mean.keys() ^ new.keys())
            raise ValueError(
                f"expected the module that was copied, got one that differs in {odd[0]!r}; make a new SWA"
            )
        self.averaged += 1
        for name, weight in mean.items():
            weight.lerp_(new[name].to(weight.device), 1 / int(self.averaged))

    def train(self, mode: bool = True) -> "SWA":
        """Stay in evaluation mode whatever the owner's mode is."""
        return super().train(False)

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor:
        """Return the averaged module's output."""
        return self.module(*args, **kwargs)


@torch.no_grad()
def update_batch_norm(
    model: nn.Module, batches: Iterable[Any], device: torch.device | str | None = None
) -> None:
    """Compute the running statistics of batch normalisation anew, as means over `batches`.

    Only batch normalisation is in training mode meanwhile; dropout and stochastic depth are off, as they will
    be when the statistics are used. Modes and momenta are as before afterwards.

    Args:
        model: an `SWA` or any other module; without batch normalisation nothing is done.
        batches: inputs, or tuples that begin with them.
        device: where to move the inputs.

    Raises:
        ValueError: there is no batch.
    """
    norms = [part for part in model.modules() if _has_statistics(part)]
    if not norms:
        return
    modes = [(part, part.training) for part in model.modules()]
    momenta = [norm.momentum for norm in norms]
    empty = True
    try:
        model.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # cumulative mean
            norm.train()
        for batch in batches:
            empty = False
            inputs = batch[0] if isinstance(batch, (tuple, list)) else batch
            model(inputs if device is None else inputs.to(device))
    finally:
        for part, mode in modes:
            part.training = mode
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
    if empty:
        raise ValueError("expected one batch or more, got none; the statistics are reset: pass the loader")


def _has_statistics(part: nn.Module) -> bool:
    """Say whether a module is a batch normalisation that keeps running statistics."""
    return isinstance(part, nn.modules.batchnorm._BatchNorm) and part.track_running_stats


def swa_phase(before: Schedule, start: int, anneal: int, factor: float, shape: str = "cosine") -> Schedule:
    """Follow `before` until step `start`, then go from its value there to `factor`, which then holds.

    Args:
        before: the schedule of the training so far.
        start: the step from which on SWA averages, >= 0.
        anneal: steps until `factor` is reached, >= 0; at 0 the rate jumps.
        factor: the SWA rate as a factor of the base rate, >= 0.
        shape: "cosine" or "linear".

    Raises:
        ValueError: a value is out of range.
    """
    require_at_least("start", start, 0)
    require_at_least("anneal", anneal, 0)
    require_at_least("factor", factor, 0)
    require_one_of("shape", shape, ("cosine", "linear"))

    def schedule(step: float) -> float:
        if step < start:
            return before(step)
        done = min((step - start) / anneal, 1.0) if anneal else 1.0
        share = 0.5 * (1 - math.cos(math.pi * done)) if shape == "cosine" else done
        return before(start) + (factor - before(start)) * share

    return schedule


def swa_cycles(length: int, low: float) -> Schedule:
    """Fall straight from near 1 to `low` over `length` steps, then again from the top (section 3.2).

    Update t (from 0) of a cycle has 1 - (1 - low) s with s = (t mod length + 1) / length; its last has `low`.
    There SWA averages.

    Args:
        length: > 0 steps.
        low: factor in [0, 1].

    Raises:
        ValueError: a value is out of range.
    """
    require_above("length", length)
    require_in("low", low, 0, 1, fix="it is a factor of the base rate")
    return lambda step: 1 - (1 - low) * (step % length + 1) / length
