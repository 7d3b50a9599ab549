"""Where a training step's memory goes: predicted from shapes, and measured.

For P parameters of s bytes, with an optimizer that keeps m tensors a parameter, and activations that the
backward pass needs::

    weights P s  +  gradients P s  +  optimizer m P s  +  activations

Activations are what autograd keeps between the forward and the backward pass; they grow with the batch, the
rest does not.

>>> report = predict(torch.nn.Linear(10, 10, bias=False), torch.ones(4, 10), states=2)
>>> report.weights, report.gradients, report.optimizer, report.activations
(400, 400, 800, 160)
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Memory", "kept_for_backward", "measure", "predict"]


@dataclass(frozen=True)
class Memory:
    """Bytes of one training step, by what they hold; `activations` for a batch of `batch` images."""

    weights: int
    gradients: int
    optimizer: int
    buffers: int
    activations: int
    batch: int

    @property
    def total(self) -> int:
        """All of it at the end of the forward pass of a step after the first."""
        return self.weights + self.gradients + self.optimizer + self.buffers + self.activations

    def at(self, batch: int) -> int:
        """The predicted total for another batch size: activations are proportional to it."""
        return self.total - self.activations + self.activations * batch // self.batch

    def __str__(self) -> str:
        parts = ("weights", "gradients", "optimizer", "buffers", "activations", "total")
        return "\n".join(f"{part:<12}{getattr(self, part) / 2**20:>10.1f} MiB" for part in parts)


def predict(
    model: nn.Module, images: Tensor, states: int = 2, precision: torch.dtype = torch.float32
) -> Memory:
    """Sum up a training step of `model` on `images` without running it: the passes run on the meta device.

    The activations are the distinct storages that autograd saves, without the weights.

    Args:
        model: in the mode in which it will be trained.
        images: [B, C, H, W]; only their shape and type matter.
        states: tensors that the optimizer keeps for each parameter: 0 for plain SGD, 1 with momentum, 2 for
            Adam.
        precision: of autocast.

    Returns:
        The bytes of the step.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    size = lambda tensors: sum(t.numel() * t.element_size() for t in tensors)
    return Memory(
        size(model.parameters()),
        size(trained),
        states * size(trained),
        size(model.buffers()),
        _saved(model, images, precision),
        len(images),
    )


def _saved(model: nn.Module, images: Tensor, precision: torch.dtype) -> int:
    twin, images = copy.deepcopy(model).to("meta").train(), images.to("meta")
    with torch.autocast("cpu", precision, enabled=precision is not torch.float32):
        return kept_for_backward(lambda: twin(images), [*twin.parameters(), *twin.buffers()])


def kept_for_backward(forward: Callable[[], Any], but: Iterable[Tensor] = ()) -> int:
    """Count the bytes that autograd keeps during a forward pass for the backward pass.

    Args:
        forward: runs the pass; on the meta device nothing is computed.
        but: tensors that are not counted, the weights for instance.

    Returns:
        Bytes of the distinct storages; one that several operations keep counts once.
    """
    uncounted = {tensor.untyped_storage()._cdata for tensor in but}
    storages: dict[int, Any] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in uncounted:
            storages[storage._cdata] = storage  # held, so that its address is not used again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        forward()
    return sum(storage.nbytes() for storage in storages.values())


def measure(step: Callable[[], Any]) -> tuple[int, int]:
    """Bytes that torch's allocator gave out while `step()` ran, beyond what was held before: the peak, and
    what is held after it.

    On the GPU where there is one; on the CPU the profiler's record of every allocation is summed up, since an
    operating system's figure lags and rounds. What `step` returns is kept until the figures are taken.
    """
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        result = step()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before, torch.cuda.memory_allocated() - before
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        result = step()
    changes = [
        (event.start_ns(), event.nbytes())
        for event in profile.profiler.kineto_results.events()
        if event.name() == "[memory]"
    ]
    held = peak = 0
    for _, change in sorted(changes):
        held += change
        peak = max(peak, held)
    del result
    return peak, held
