"""The trainer: one visible loop without hooks, and a state from which it resumes bit for bit.

The loop does six things for each optimizer step: set the rates, compute the gradients (the method under
autocast, as often as gradients are accumulated), take the step (clip first), `after_step`, log, advance. It
calls nobody back but `stop`, which may end `fit` between two steps: to evaluate every hundred steps, call
`fit` every hundred steps. Where a gradient overflows in float16 the optimizer's step is skipped, and
`after_step` with it: an average does not move while the weights stand still. The number of the step, the
schedules and the data go on.

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
>>> trainer = Trainer(method, optimizer, lambda step: 1.0, batches=lambda number: torch.ones(3))
>>> trainer.fit(1)
>>> method.value.item()
1.0
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm

from dlbook.train.contract import (
    FactorOfStep,
    require_decay_schedule,
    require_options,
    require_outputs,
    require_parts,
    schedules_by_name,
)
from dlbook.train.log import Log
from dlbook.train.method import Method

__all__ = ["NonFiniteLoss", "Trainer"]

# To look at a loss on a GPU means to wait until the GPU has computed it. A GPU that is waited for in every
# step has nothing to do in between. So there the loss is looked at in every 20th step and in the last one.
LOOK_EVERY = 20


class NonFiniteLoss(FloatingPointError):
    """The loss became NaN or infinite.

    Args:
        step: number of the step.
        batch: number of the micro-batch.
        value: of the loss.
        why: the diagnosis if one was made; "" gives general advice.
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
        optimizer: over `method.param_groups()`; each group's rate and weight decay when given here are its
            base values.
        schedules: step -> factor of the base rates, a pure function; or several by name, where each group
            follows the one that its "schedule" names, and "default" if it names none.
        batches: number of the micro-batch -> batch, a pure function; step s with accumulation a asks for a s,
            ..., a s + a - 1.
        decay_schedule: step -> factor of each group's weight decay, so that a group without decay stays
            without; None leaves it as it is.
        accumulate: micro-batches a step; their losses are averaged.
        clip_norm: largest norm of all gradients together; None does not clip.
        precision: torch.float32; torch.bfloat16 or torch.float16 for autocast, the latter with its loss
            scaled against underflow.
        forward: what is called instead of the method: the method compiled, or distributed over processes.

    Raises:
        ValueError: one of them is not what is described here; the message says how to make it so.
    """

    def __init__(
        self,
        method: Method,
        optimizer: torch.optim.Optimizer,
        schedules: FactorOfStep | Mapping[str, FactorOfStep],
        batches: Callable[[int], Any],
        *,
        decay_schedule: FactorOfStep | None = None,
        accumulate: int = 1,
        clip_norm: float | None = None,
        precision: torch.dtype = torch.float32,
        forward: Callable[[Any, int], dict[str, Tensor]] | None = None,
    ) -> None:
        require_parts(method, optimizer, batches)
        require_options(accumulate, clip_norm, precision)
        self.method, self.optimizer, self.batches = method, optimizer, batches
        self.schedules = schedules_by_name(schedules, optimizer)
        self.decay_schedule = require_decay_schedule(decay_schedule, optimizer)
        self.accumulate, self.clip_norm, self.precision = accumulate, clip_norm, precision
        # `is None` rather than `or`: a compiled module must not be tested for truth.
        self.forward = method if forward is None else forward
        self.device = next(method.parameters()).device.type
        # Without float16 the scaler is disabled and passes everything through.
        self.scaler = torch.amp.GradScaler(self.device, enabled=precision is torch.float16)
        self.base_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self.base_decays = [float(group.get("weight_decay", 0.0)) for group in optimizer.param_groups]
        self.step = 0
        self.log = Log()
        self.stop: Callable[[int], bool] = lambda step: False

    def fit(self, steps: int, progress: bool = False) -> None:
        """Train until `steps` optimizer steps are done in all, or `stop` says so; steps already done, here or
        before a resume, count.

        Args:
            steps: the number of the step to stop before.
            progress: show a bar.

        Raises:
            NonFiniteLoss: at the first loss that is not finite, before it enters the weights; on a GPU up to
                LOOK_EVERY steps later.
            ValueError: the method returns something else than its contract says.
        """
        self.method.train()
        with tqdm(
            total=steps, initial=self.step, disable=not progress, unit="step", dynamic_ncols=True
        ) as bar:
            while self.step < steps and not self.stop(self.step):
                self._set_rates()
                scalars = self._gradients(is_last=self.step == steps - 1)
                if self._take_step(scalars):
                    self.method.after_step(self.step)
                for name, value in scalars.items():
                    self.log.append(name, value)
                self.step += 1
                bar.update()
                if progress and self.step % LOOK_EVERY == 0:
                    bar.set_postfix_str(f"loss {scalars['loss'].item():.3g}", refresh=False)

    def rate_at(self, step: int, group: int = 0) -> float:
        """Return the rate of one of the optimizer's groups in a step, counted from 0."""
        name = self.optimizer.param_groups[group].get("schedule", "default")
        return self.base_rates[group] * self.schedules[name](step)

    def _set_rates(self) -> None:
        """Give every group the rate, and the weight decay, of this step."""
        for number, group in enumerate(self.optimizer.param_groups):
            group["lr"] = self.rate_at(self.step, number)
            if self.decay_schedule is not None and "weight_decay" in group:
                group["weight_decay"] = self.base_decays[number] * self.decay_schedule(self.step)

    def _gradients(self, is_last: bool) -> dict[str, Tensor]:
        """Compute the gradients of this step's micro-batches; return the means of the method's scalars."""
        self.optimizer.zero_grad(set_to_none=True)
        means: dict[str, Tensor] = {}
        for part in range(self.accumulate):
            batch = self.batches(self.step * self.accumulate + part)
            with self._synchronise(part), self._autocast():
                outputs = require_outputs(self.forward(batch, self.step))
            self._require_finite(outputs["loss"], part, is_last)
            self.scaler.scale(outputs["loss"] / self.accumulate).backward()
            for name, value in outputs.items():
                if value.ndim == 0:
                    means[name] = means.get(name, 0) + value.detach() / self.accumulate
        return means

    def _take_step(self, scalars: dict[str, Tensor]) -> bool:
        """Clip the gradients and move the weights; False if float16 overflowed and nothing was moved."""
        if self.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            clip = getattr(
                self.forward, "clip_gradients", self._clip_gradients
            )  # sharded ones need their own
            scalars["grad_norm"] = clip(self.clip_norm)
        scale = self.scaler.get_scale()  # 1 without float16
        self.scaler.step(self.optimizer)
        self.scaler.update()  # halves the scale after an overflow
        return self.scaler.get_scale() >= scale

    def _clip_gradients(self, clip_norm: float) -> Tensor:
        """Scale all gradients down to a norm of at most `clip_norm`; return the norm that they had."""
        return clip_grad_norm_(self.method.parameters(), clip_norm).detach()

    def _autocast(self) -> AbstractContextManager:
        """Compute in the precision that was asked for."""
        return torch.autocast(self.device, self.precision, enabled=self.precision is not torch.float32)

    def _synchronise(self, part: int) -> AbstractContextManager:
        """Let processes exchange gradients after the last micro-batch of a step only."""
        waits = part < self.accumulate - 1 and hasattr(self.forward, "no_sync")
        return self.forward.no_sync() if waits else nullcontext()

    def _require_finite(self, loss: Tensor, part: int, is_last: bool) -> None:
        """Stop at a loss that is no number, in the steps in which the loss is looked at: see LOOK_EVERY."""
        looks = self.device == "cpu" or self.step % LOOK_EVERY == 0 or is_last
        if looks and not loss.isfinite():
            raise NonFiniteLoss(self.step, self.step * self.accumulate + part, loss.item())

    def curve(self, name: str) -> Tensor:
        """Return one logged scalar over the steps, `[steps]`, on the CPU.

        Raises:
            ValueError: nothing of that name was logged.
        """
        if name not in self.log:
            raise ValueError(
                f"expected one of {sorted(self.log)}, got {name!r}; a method logs the scalars it returns"
            )
        return self.log[name].to("cpu", torch.float32, copy=True)

    def state_dict(self) -> dict[str, Any]:
        """Return everything a resumed run needs, as tensors, numbers, strings, lists and dicts."""
        return {
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "base_rates": self.base_rates,
            "base_decays": self.base_decays,
            "step": self.step,
            "scaler": self.scaler.state_dict(),
            "log": {name: values.to("cpu", copy=True) for name, values in self.log.items()},
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "random_mps": torch.mps.get_rng_state() if torch.backends.mps.is_available() else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken; method, optimizer, schedules and batches are built as for
        the first run.

        Raises:
            ValueError: parts of the state are missing, or a group's schedule is.
            RuntimeError: the method's parameters or buffers do not fit (torch names them).
        """
        missing = {"method", "optimizer", "base_rates", "base_decays", "step", "log", "random"} - state.keys()
        if missing:
            raise ValueError(
                f"expected the state of a trainer, got one without {sorted(missing)}; give what "
                "state_dict returned"
            )
        self.method.load_state_dict(state["method"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedules = schedules_by_name(self.schedules, self.optimizer)
        self.base_rates, self.base_decays = list(state["base_rates"]), list(state["base_decays"])
        self.step = int(state["step"])
        self.scaler.load_state_dict(state.get("scaler", {}))
        self.log = Log(state["log"])
        torch.set_rng_state(state["random"].cpu())
        if torch.cuda.is_available() and len(state.get("random_cuda", [])) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all([random.cpu() for random in state["random_cuda"]])
        if torch.backends.mps.is_available() and state.get("random_mps") is not None:
            torch.mps.set_rng_state(state["random_mps"].cpu())
