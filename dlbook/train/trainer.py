"""The trainer: one visible loop without hooks, and a state from which it resumes bit for bit.

The loop does, for each optimizer step: set the rate, zero the gradients, run the method under autocast as often as gradients
are accumulated, clip, step, `after_step`, log. What it does not do is call back: to evaluate every hundred steps, call `fit`
every hundred steps.

Batches come from a pure function of the number of the micro-batch: `batches(i)` is the same batch whenever it is asked for. The
order of the data is then no state at all, and a resumed run cannot lose its place. What is state goes into `state_dict`: the
method with all its buffers, the optimizer, the step, the log, and torch's random state (for dropout and the like).

>>> from dlbook.train.method import Method
>>> class Mean(Method):
...     def __init__(self):
...         super().__init__()
...         self.value = torch.nn.Parameter(torch.zeros(()))
...     def training_step(self, batch, step):
...         return {"loss": (batch - self.value).square().mean()}
>>> method = Mean()
>>> optimizer = torch.optim.SGD(method.param_groups(), lr=0.5)
>>> trainer = Trainer(method, optimizer, schedule=lambda step: 1.0, batches=lambda number: torch.ones(3))
>>> trainer.fit(1)
>>> method.value.item()
1.0
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from dlbook.train.method import Method

__all__ = ["Trainer"]

Batches = Callable[[int], Any]
Schedule = Callable[[int], float]


class Trainer:
    """Trains a method.

    Args:
        method: what is trained; its outputs are logged where they are scalars.
        optimizer: over `method.param_groups()`; each group's rate when given here is its base rate.
        schedule: step -> factor of the base rates, a pure function.
        batches: number of the micro-batch -> batch, a pure function; step s with accumulation a asks for a s, ..., a s + a - 1.
        accumulate: micro-batches a step; their losses are averaged.
        clip_norm: largest norm of all gradients together; None does not clip.
        precision: torch.float32, or torch.bfloat16 for autocast.

    Raises:
        ValueError: `accumulate` < 1, `clip_norm` <= 0, or another precision.
    """

    def __init__(
        self,
        method: Method,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        batches: Batches,
        *,
        accumulate: int = 1,
        clip_norm: float | None = None,
        precision: torch.dtype = torch.float32,
    ) -> None:
        if accumulate < 1:
            raise ValueError(f"expected accumulate >= 1, got {accumulate}; 1 takes an optimizer step for each batch")
        if clip_norm is not None and clip_norm <= 0:
            raise ValueError(f"expected clip_norm > 0 or None, got {clip_norm}; None leaves the gradients as they are")
        if precision not in (torch.float32, torch.bfloat16):
            raise ValueError(f"expected torch.float32 or torch.bfloat16, got {precision}")
        self.method, self.optimizer, self.schedule, self.batches = method, optimizer, schedule, batches
        self.accumulate, self.clip_norm, self.precision = accumulate, clip_norm, precision
        self.base_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self.step = 0
        self.log: dict[str, list[Tensor]] = {}

    def fit(self, steps: int) -> None:
        """Train until `steps` optimizer steps are done in all; steps already done, here or before a resume, count."""
        device = next(self.method.parameters()).device.type
        self.method.train()
        while self.step < steps:
            for group, rate in zip(self.optimizer.param_groups, self.base_rates, strict=True):
                group["lr"] = rate * self.schedule(self.step)
            self.optimizer.zero_grad(set_to_none=True)
            sums: dict[str, Tensor] = {}
            for part in range(self.accumulate):
                batch = self.batches(self.step * self.accumulate + part)
                with torch.autocast(device, torch.bfloat16, enabled=self.precision is torch.bfloat16):
                    outputs = self.method(batch, self.step)
                (outputs["loss"] / self.accumulate).backward()
                for name, value in outputs.items():
                    if value.ndim == 0:
                        sums[name] = sums.get(name, 0) + value.detach() / self.accumulate
            if self.clip_norm is not None:
                sums["grad_norm"] = clip_grad_norm_(self.method.parameters(), self.clip_norm).detach()
            self.optimizer.step()
            self.method.after_step(self.step)
            self.step += 1
            for name, value in sums.items():
                self.log.setdefault(name, []).append(value)

    def curve(self, name: str) -> Tensor:
        """One logged scalar over the steps, `[steps]`, on the CPU.

        Raises:
            ValueError: nothing of that name was logged.
        """
        if name not in self.log:
            raise ValueError(f"expected one of {sorted(self.log)}, got {name!r}; a method logs the scalars it returns")
        return torch.stack([value.float().cpu() for value in self.log[name]])

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs, as tensors, numbers, strings, lists and dicts."""
        return {
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "base_rates": self.base_rates,
            "step": self.step,
            "log": {name: self.curve(name) for name in self.log},
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken; method, optimizer, schedule and batches are built as for the first run.

        Raises:
            ValueError: parts of the state are missing.
            RuntimeError: the method's parameters or buffers do not fit (torch names them).
        """
        missing = {"method", "optimizer", "base_rates", "step", "log", "random"} - state.keys()
        if missing:
            raise ValueError(f"expected the state of a trainer, got one without {sorted(missing)}; give what state_dict returned")
        self.method.load_state_dict(state["method"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.base_rates = list(state["base_rates"])
        self.step = int(state["step"])
        self.log = {name: list(values.unbind()) for name, values in state["log"].items()}
        torch.set_rng_state(state["random"].cpu())
        if torch.cuda.is_available() and len(state.get("random_cuda", [])) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all([random.cpu() for random in state["random_cuda"]])
