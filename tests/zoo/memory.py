"""Memory of a row against its peers in torchvision and timm, exactly and without running them.

The models run on the meta device, where each tensor has a size and no values. Every storage that an operation
makes is counted until it is freed, so the figures are those of the program, not of a machine: no noise, no
allocator's rounding. Scratch memory inside of a kernel is not seen; it is the same for both, because they
call the same kernels.
"""

import weakref
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dlbook.models import create
from dlbook.zoo.sizes import input_size
from tests.parity import first_output
from tests.zoo.imports import peer_on_meta, without_chance

BATCH = 8
SLACK = 0.004  # ResNeSt needs up to 0.32 % more in a training step; every other row nothing more


class Storages(TorchDispatchMode):
    """Counts bytes of the storages that operations make: `held` now, `peak` at most."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0
        self._alive: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        known = {
            leaf.untyped_storage()._cdata for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)
        }
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor) and leaf.untyped_storage()._cdata not in known | self._alive:
                self._watch(leaf.untyped_storage())
        return out

    def _watch(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        self._alive.add(key)
        self.held += size
        self.peak = max(self.peak, self.held)
        weakref.finalize(storage, self._free, key, size)

    def _free(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self.held -= size


def forward_peak(model: nn.Module, images: Tensor) -> int:
    """Bytes that an evaluation without gradients holds at most."""
    model.eval()
    with torch.no_grad(), Storages() as storages:
        model(images)
    return storages.peak


def kept_for_backward(model: nn.Module, images: Tensor) -> int:
    """Bytes of activations that a training pass keeps until the backward pass."""
    model.train()
    with Storages() as storages:
        output = first_output(model(images))
        held = storages.held
    return held - output.untyped_storage().nbytes()


def step_peak(model: nn.Module, images: Tensor) -> int:
    """Bytes that forward and backward pass hold at most, the gradients among them."""
    model.train()
    with Storages() as storages:
        first_output(model(images)).sum().backward()
    model.zero_grad()
    return storages.peak


MEASURES: dict[str, Callable[[nn.Module, Tensor], int]] = {
    "forward, peak": forward_peak,
    "kept for backward": kept_for_backward,
    "training step, peak": step_peak,
}


def measure(model: nn.Module, size: tuple[int, int, int], batch: int = BATCH) -> dict[str, int]:
    """All measures of a model on the meta device, for a batch of images of (C, H, W)."""
    images = torch.empty(batch, *size, device="meta")
    return {name: function(model, images) for name, function in MEASURES.items()}


def compare(ours: nn.Module, theirs: nn.Module, size: tuple[int, int, int]) -> list[str]:
    """The measures in which ours needs more than theirs."""
    own, other = measure(ours, size), measure(theirs, size)
    return [
        f"{name}: {own[name]:,} bytes, {own[name] / other[name]:.4f} of the peer's"
        for name in MEASURES
        if own[name] > (1 + SLACK) * other[name]
    ]


def check_memory(name: str) -> list[str]:
    """The row needs no more memory than its peer: in evaluation, between forward and backward pass, and in a
    training step.

    Dropout is off in both: its masks are the recipe's, and the libraries differ in it.
    """
    with torch.device("meta"):
        ours = create(name)
    return compare(without_chance(ours), without_chance(peer_on_meta(name)), input_size(name))


CHECKS = {"memory": check_memory}
