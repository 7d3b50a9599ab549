"""A slow copy of a network that follows its weights: the key encoder, target or teacher of many papers.

    phi <- m phi + (1 - m) theta          after each step of the optimizer

theta are the weights of the network that is trained, phi those of its copy, and m is the decay, which the
papers call momentum. They differ in three things, and each has an argument here:

    paper                                          decay                       mode          buffers
    MoCo, He et al. 2019, arXiv:1911.05722         0.999                       as its owner  its own
    BYOL, Grill et al. 2020, arXiv:2006.07733      0.996 -> 1, half a cosine   as its owner  its own
    DINO, Caron et al. 2021, arXiv:2104.14294      0.996 -> 1, half a cosine   as its owner  its own
    mean teacher, Tarvainen & Valpola 2017         0.99, later 0.999           as its owner  its own
    average to evaluate, dlbook.optim.EMA          0.999 or so                 evaluation    copied

`buffers` matters for batch normalisation. A teacher that runs in training mode normalises by its own batches,
and collects its own running statistics: "own". An average that is only evaluated never sees a batch in
training mode, so it needs the statistics of the trained network ("copied") or their average ("averaged").

The copy is a submodule of the method, so a checkpoint of the method holds it too. Use it in this order:
copy, forward, backward, optimizer's step, then `update(network, step)` in the method's `after_step`.

**Weights with 16 bits.** A weight in bfloat16 has about three digits. With m = 0.999 a step changes it by
less than its last digit, so the sum is rounded back and the average never moves. The average is therefore
kept in float32, beside the network, and the network's weights are its rounded values.

>>> student = nn.Linear(1, 1, bias=False)
>>> teacher = MomentumEncoder(student, decay=lambda step: 1 - 0.5 / (1 + step))
>>> before = teacher.module.weight.item()
>>> with torch.no_grad():
...     _ = student.weight.add_(1.0)
>>> teacher.update(student, step=0)
>>> round(teacher.module.weight.item() - before, 4), teacher(torch.ones(1, 1)).requires_grad
(0.5, False)
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dlbook.checks import require_one_of

__all__ = ["MomentumEncoder"]

BUFFERS = ("own", "copied", "averaged")
SIXTEEN_BITS = (torch.bfloat16, torch.float16)


class MomentumEncoder(nn.Module):
    """A slow copy of `module`; call it like the module itself. No gradient reaches it or passes through it.

    Args:
        module: the network to follow. It is copied whole: no weight and no buffer is shared.
        decay: m in [0, 1], or a function from the step to it; 0 copies the latest weights, 1 keeps the first.
        buffers: "own": the copy's buffers are left to the copy; "copied": taken from the network at each
            update; "averaged": like the weights, but whole numbers (counters) are copied.
        evaluation: stay in evaluation mode, whatever mode the owner is in.

    Raises:
        ValueError: a decay outside [0, 1], also at step 0 of a schedule; another word for `buffers`.
    """

    def __init__(
        self,
        module: nn.Module,
        decay: float | Callable[[int], float],
        *,
        buffers: str = "own",
        evaluation: bool = False,
    ) -> None:
        super().__init__()
        require_one_of("buffers", buffers, BUFFERS)
        self.decay, self.buffer_rule, self.evaluation = decay, buffers, evaluation
        _require_decay(decay(0) if callable(decay) else decay)
        self.module = copy.deepcopy(module).requires_grad_(False)
        self._keep_exact()
        self.train(module.training)

    def decay_at(self, step: int | None = None) -> float:
        """Return m of the update after step `step`, counted from 0.

        Raises:
            ValueError: the decay is a schedule and no step is given, or it leaves [0, 1] there.
        """
        if not callable(self.decay):
            return self.decay
        if step is None:
            raise ValueError(
                "expected the step, since the decay is a schedule, got none; call update(network, step)"
            )
        return _require_decay(self.decay(step), f" at step {step}")

    @torch.no_grad()
    def update(self, module: nn.Module, step: int | None = None) -> None:
        """Move towards the weights of `module`; call it once after each step of the optimizer.

        Args:
            module: the network that was copied.
            step: the number of the step that was just taken, from 0; a number as decay does not need it.

        Raises:
            ValueError: `module` has other weights or buffers than the copied one.
        """
        share = 1 - self.decay_at(step)
        slow, fast = self._averaged(self.module), self._averaged(module)
        _require_same(slow, fast)
        for name, average in slow.items():
            exact = self._buffers.get(_exact(name), average)
            exact.lerp_(fast[name].to(exact.dtype), share)
            if exact is not average:
                average.copy_(exact)
        if self.buffer_rule != "own":
            mine, theirs = dict(self.module.named_buffers()), dict(module.named_buffers())
            _require_same(mine, theirs)
            for name in mine.keys() - slow.keys():
                mine[name].copy_(theirs[name])

    def train(self, mode: bool = True) -> "MomentumEncoder":
        """Follow the owner's mode, or stay in evaluation mode if that was asked for."""
        return super().train(mode and not self.evaluation)

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return the copy's output, without a gradient."""
        return self.module(*args, **kwargs)

    def _averaged(self, module: nn.Module) -> dict[str, Tensor]:
        """Name the tensors that follow by the equation."""
        found: dict[str, Tensor] = dict(module.named_parameters())
        if self.buffer_rule == "averaged":
            found |= {name: value for name, value in module.named_buffers() if value.is_floating_point()}
        return found

    def _keep_exact(self) -> None:
        """Keep a float32 buffer beside each tensor with 16 bits that follows, and beside no other."""
        low = {
            _exact(name): value
            for name, value in self._averaged(self.module).items()
            if value.dtype in SIXTEEN_BITS
        }
        for name in [name for name in self._buffers if name.startswith(_exact("")) and name not in low]:
            del self._buffers[name]
        for name, value in low.items():
            self.register_buffer(name, self._buffers.get(name, value.detach()).float())

    def _apply(self, *args: Any, **kwargs: Any) -> "MomentumEncoder":
        """Move or cast as every module does; a cast to 16 bits must not take the float32 averages along."""
        super()._apply(*args, **kwargs)
        self._keep_exact()
        return self


def _exact(name: str) -> str:
    """Name the float32 buffer of a weight; a buffer's own name may hold no dot."""
    return "exact/" + name.replace(".", "/")


def _require_decay(decay: float, where: str = "") -> float:
    if not 0 <= decay <= 1:
        raise ValueError(
            f"expected a decay in [0, 1]{where}, got {decay}; 0.999 averages over about the last 1,000 steps"
        )
    return decay


def _require_same(slow: dict[str, Tensor], fast: dict[str, Tensor]) -> None:
    if odd := sorted(slow.keys() ^ fast.keys()):
        raise ValueError(
            f"expected the network that was copied, got one that differs in {odd[0]!r}; give the network "
            "itself, not what DistributedDataParallel or torch.compile made of it, or copy the new one"
        )
