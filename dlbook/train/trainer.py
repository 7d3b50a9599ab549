"""The trainer: one visible loop without hooks, and a state from which it resumes bit for bit.

The loop does, for each optimizer step: set the rate, zero the gradients, run the method under autocast as
often as gradients are accumulated, clip, step, `after_step`, log. What it does not do is call back: to
evaluate every hundred steps, call `fit` every hundred steps. Where a gradient overflows in float16 the
optimizer's step is skipped, and `after_step` with it: an average does not move while the weights stand still.
The number of the step, the schedule and the data go on.

Batches come from a pure function of the number of the micro-batch: `batches(i)` is the same batch whenever it
is asked for. The order of the data is then no state at all, and a resumed run cannot lose its place. What is
state goes into `state_dict`: the method with all its buffers, the optimizer, the step, the log, and torch's
random state (for dropout and the like).

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
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm

from dlbook.train.log import Log
from dlbook.train.method import Method

__all__ = ["NonFiniteLoss", "Trainer"]

Batches = Callable[[int], Any]
Schedule = Callable[[int], float]


class NonFiniteLoss(FloatingPointError):
    """The loss became NaN or infinite: `step` and `batch`, the numbers of the step and of the micro-batch;
    `value`.

    why: what somebody who looked found; without it, where to look.
    """

    def __init__(self, step: int, batch: int, value: float, why: str = "") -> None:
        advice = (
            "look at that batch with dlbook.measure.health, lower the rate, clip the gradients, or "
            "leave float16 for bfloat16"
        )
        super().__init__(
            f"step {step}: expected a finite loss, got {value} on batch {batch}; {why or advice}"
        )
        self.step, self.batch, self.value = step, batch, value


class Trainer:
    """Trains a method.

    Args:
        method: what is trained; its outputs are logged where they are scalars.
        optimizer: over `method.param_groups()`; each group's rate when given here is its base rate.
        schedule: step -> factor of the base rates, a pure function.
        batches: number of the micro-batch -> batch, a pure function; step s with accumulation a asks for a s,
            ..., a s + a - 1.
        accumulate: micro-batches a step; their losses are averaged.
        clip_norm: largest norm of all gradients together; None does not clip.
        precision: torch.float32; torch.bfloat16 or torch.float16 for autocast, the latter with its loss
            scaled against underflow.
        forward: what is called instead of the method: the method compiled, or wrapped by
            DistributedDataParallel.

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
        forward: Callable[[Any, int], dict[str, Tensor]] | None = None,
    ) -> None:
        if accumulate < 1:
            raise ValueError(
                f"expected accumulate >= 1, got {accumulate}; 1 takes an optimizer step for each batch"
            )
        if clip_norm is not None and clip_norm <= 0:
            raise ValueError(
                f"expected clip_norm > 0 or None, got {clip_norm}; None leaves the gradients as they are"
            )
        if precision not in (torch.float32, torch.bfloat16, torch.float16):
            raise ValueError(f"expected torch.float32, torch.bfloat16 or torch.float16, got {precision}")
        self.method, self.optimizer, self.schedule, self.batches = method, optimizer, schedule, batches
        self.accumulate, self.clip_norm, self.precision = accumulate, clip_norm, precision
        self.forward = method if forward is None else forward  # a compiled module has no truth value
        self.device = next(method.parameters()).device.type
        self.scaler = torch.amp.GradScaler(
            self.device, enabled=precision is torch.float16
        )  # disabled, it passes everything through
        self.base_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self.step = 0
        self.log = Log()

    def fit(self, steps: int, progress: bool = False) -> None:
        """Train until `steps` optimizer steps are done in all; steps already done, here or before a resume,
        count.

        progress: show a bar. Raises NonFiniteLoss at the first loss that is not finite, before it enters the
            weights (on a GPU up
        to 20 steps later: to look at a loss means to wait for it).
        """
        self.method.train()
        bar = tqdm(total=steps, initial=self.step, disable=not progress, unit="step", dynamic_ncols=True)
        while self.step < steps:
            for group, rate in zip(self.optimizer.param_groups, self.base_rates, strict=True):
                group["lr"] = rate * self.schedule(self.step)
            self.optimizer.zero_grad(set_to_none=True)
            sums: dict[str, Tensor] = {}
            for part in range(self.accumulate):
                batch = self.batches(self.step * self.accumulate + part)
                with (
                    self._synchronise(part),
                    torch.autocast(self.device, self.precision, enabled=self.precision is not torch.float32),
                ):
                    outputs = self.forward(batch, self.step)
                self._require_finite(outputs["loss"], part, steps)
                self.scaler.scale(outputs["loss"] / self.accumulate).backward()
                for name, value in outputs.items():
                    if value.ndim == 0:
                        sums[name] = sums.get(name, 0) + value.detach() / self.accumulate
            if self.clip_norm is not None:
                self.scaler.unscale_(self.optimizer)
                norm = clip_grad_norm_(self.method.parameters(), self.clip_norm).detach()
                sums["grad_norm"] = (
                    norm.full_tensor() if hasattr(norm, "full_tensor") else norm
                )  # of all shards together
            scale = self.scaler.get_scale()  # 1 without float16
            self.scaler.step(self.optimizer)  # float16: not taken where a gradient overflowed,
            self.scaler.update()  # and the scale is halved
            if self.scaler.get_scale() >= scale:
                self.method.after_step(self.step)
            self.step += 1
            for name, value in sums.items():
                self.log.append(name, value)
            bar.update()
        bar.close()

    def _synchronise(self, part: int) -> AbstractContextManager:
        """Processes exchange gradients after the last micro-batch of a step only."""
        waits = part < self.accumulate - 1 and hasattr(self.forward, "no_sync")
        return self.forward.no_sync() if waits else nullcontext()

    def _require_finite(self, loss: Tensor, part: int, steps: int) -> None:
        looks = self.device == "cpu" or self.step % 20 == 0 or self.step == steps - 1
        if looks and not loss.isfinite():
            raise NonFiniteLoss(self.step, self.step * self.accumulate + part, loss.item())

    def curve(self, name: str) -> Tensor:
        """One logged scalar over the steps, `[steps]`, on the CPU.

        Raises:
            ValueError: nothing of that name was logged.
        """
        if name not in self.log:
            raise ValueError(
                f"expected one of {sorted(self.log)}, got {name!r}; a method logs the scalars it returns"
            )
        return self.log[name].to("cpu", torch.float32, copy=True)

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs, as tensors, numbers, strings, lists and dicts."""
        return {
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "base_rates": self.base_rates,
            "step": self.step,
            "scaler": self.scaler.state_dict(),
            "log": {name: self.curve(name) for name in self.log},
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken; method, optimizer, schedule and batches are built as for the
        first run.

        Raises:
            ValueError: parts of the state are missing.
            RuntimeError: the method's parameters or buffers do not fit (torch names them).
        """
        missing = {"method", "optimizer", "base_rates", "step", "log", "random"} - state.keys()
        if missing:
            raise ValueError(
                f"expected the state of a trainer, got one without {sorted(missing)}; give what "
                "state_dict returned"
            )
        self.method.load_state_dict(state["method"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.base_rates = list(state["base_rates"])
        self.step = int(state["step"])
        self.scaler.load_state_dict(state.get("scaler", {}))
        self.log = Log(state["log"])
        torch.set_rng_state(state["random"].cpu())
        if torch.cuda.is_available() and len(state.get("random_cuda", [])) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all([random.cpu() for random in state["random_cuda"]])
