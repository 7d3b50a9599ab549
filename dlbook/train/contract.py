"""What the trainer asks of what it is given, and the sentences it says where something does not fit.

>>> require_options(accumulate=0, clip_norm=None, precision=torch.float32)
Traceback (most recent call last):
ValueError: expected accumulate to be a whole number >= 1, got 0; 1 takes an optimizer step for each batch
"""

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from dlbook.checks import require_positive
from dlbook.train.method import Method

__all__ = [
    "FactorOfStep",
    "require_decay_schedule",
    "require_options",
    "require_outputs",
    "require_parts",
    "schedules_by_name",
]

FactorOfStep = Callable[[int], float]


def require_outputs(outputs: Any) -> dict[str, Tensor]:
    """Return what a training step returned if it is what the contract says.

    Raises:
        ValueError: no dict, no "loss", a loss that is no scalar or has no gradient, or a value that is no
            tensor.
    """
    if fault := _fault_of(outputs):
        got, fix = fault
        raise ValueError(
            f'expected training_step to return {{"loss": a scalar tensor, ...}}, got {got}; {fix}'
        )
    return outputs


def _fault_of(outputs: Any) -> tuple[str, str] | None:
    """Say what was returned instead, and how to fix it; None where all is well."""
    if not isinstance(outputs, dict):
        return _shown(outputs), 'return {"loss": loss}'
    if "loss" not in outputs:
        return f'{list(outputs)} without "loss"', 'give the loss the name "loss"'
    for name, value in outputs.items():
        if not isinstance(value, Tensor):
            return f"{_shown(value)} for {name!r}", "make it a tensor: torch.tensor(value) for a number"
    loss = outputs["loss"]
    if loss.ndim > 0:
        return f"a loss of shape {list(loss.shape)}", "reduce it: loss.mean()"
    if not loss.requires_grad:
        fix = "compute it from parameters that are trained, outside of torch.no_grad() and without detach()"
        return "a loss without a gradient", fix
    return None


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {list(value.shape)}"
    return f"{type(value).__name__} {value!r}" if isinstance(value, (int, float)) else type(value).__name__


def require_parts(method: Any, optimizer: Any, batches: Any) -> None:
    """Raise ValueError unless they are a Method, an optimizer over its parameters, and a function."""
    if not isinstance(method, Method):
        raise ValueError(
            f"expected a dlbook.train.Method, got {type(method).__name__}; write a subclass whose "
            "training_step returns the loss"
        )
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ValueError(
            f"expected an optimizer, got {type(optimizer).__name__}; for instance "
            "AdamW(method.param_groups(), lr=1e-3)"
        )
    own = {id(parameter) for parameter in method.parameters()}
    if any(id(parameter) not in own for group in optimizer.param_groups for parameter in group["params"]):
        raise ValueError(
            "expected an optimizer over the method's parameters, got one with others; build it over "
            "method.param_groups(), after the method is moved, wrapped or sharded"
        )
    if not callable(batches) or isinstance(batches, (type, torch.nn.Module)):
        raise ValueError(
            f"expected a function from the number of a batch to the batch, got {type(batches).__name__}; "
            "make dlbook.train.batches.Batches of the data set, or of a list: "
            "lambda number: rows[number % len(rows)]"
        )


def require_options(accumulate: int, clip_norm: float | None, precision: torch.dtype) -> None:
    """Raise ValueError for an option out of range."""
    require_positive("accumulate", accumulate, "1 takes an optimizer step for each batch")
    if clip_norm is not None and not (isinstance(clip_norm, Real) and clip_norm > 0):
        raise ValueError(
            f"expected clip_norm > 0 or None, got {clip_norm!r}; None leaves the gradients as they are"
        )
    if precision not in (torch.float32, torch.bfloat16, torch.float16):
        raise ValueError(
            f"expected torch.float32, torch.bfloat16 or torch.float16, got {precision}; float32 works "
            "everywhere"
        )


def schedules_by_name(schedules: Any, optimizer: torch.optim.Optimizer) -> dict[str, FactorOfStep]:
    """Return name -> schedule, where a single one is called "default".

    Raises:
        ValueError: one of them is no schedule, or a parameter group names one that is not there.
    """
    named = dict(schedules) if isinstance(schedules, Mapping) else {"default": schedules}
    for name, schedule in named.items():
        _require_schedule(f"for {name!r}", schedule)
    for number, group in enumerate(optimizer.param_groups):
        wanted = group.get("schedule", "default")
        if wanted not in named:
            raise ValueError(
                f"expected a schedule for {wanted!r}, which parameter group {number} follows, got "
                f"{sorted(named)}; add it to the trainer's schedules, or correct the group's name"
            )
    return named


def require_decay_schedule(schedule: Any, optimizer: torch.optim.Optimizer) -> FactorOfStep | None:
    """Return the schedule of the weight decay. Raise ValueError if it is none, or no group has a decay."""
    if schedule is not None:
        _require_schedule("for the weight decay", schedule)
        if not any(group.get("weight_decay", 0.0) for group in optimizer.param_groups):
            raise ValueError(
                "expected a weight decay above 0 for decay_schedule to multiply, got none in any group; "
                "give the optimizer its base value, such as weight_decay=0.04"
            )
    return schedule


def _require_schedule(what: str, schedule: Any) -> None:
    if not callable(schedule):
        raise ValueError(
            f"expected a function from the step to a factor {what}, got {type(schedule).__name__}; take one "
            "of dlbook.optim.schedules, for instance cosine(steps), or lambda step: 1.0"
        )
    factor = schedule(0)
    if isinstance(factor, bool) or not isinstance(factor, Real) or not 0 <= factor < math.inf:
        raise ValueError(f"expected a factor >= 0 {what} at step 0, got {factor!r}; return a Python number")
