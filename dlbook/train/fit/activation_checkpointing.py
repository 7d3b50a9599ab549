"""Activation checkpointing: keep the inputs of blocks only, and compute what is inside again on the way back.

Chen, Xu, Zhang, Guestrin 2016, *Training Deep Nets with Sublinear Memory Cost*, arXiv:1604.06174, section
4.1. With n equal blocks the activations of one block and n inputs are held at a time, for one more forward
pass.

`torch.utils.checkpoint` does the work and puts the random state back, so that dropout draws the same masks.
What it does not know is batch normalisation: computed twice, it would update its running statistics twice.
Here the second pass leaves them alone.

A block becomes an instance of a subclass of its own class, whose forward does this. torch's
`checkpoint_wrapper` would put a module around it instead, and then every parameter in it has another name: an
average could no longer find the weight that it follows, nor `freeze` the layer that it is given.

>>> model = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Sequential(nn.Linear(2, 1)))
>>> checkpoint_blocks(model)
2
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint

__all__ = ["blocks", "checkpoint_blocks"]


def blocks(model: nn.Module) -> list[nn.Module]:
    """Return the blocks of a network: the outermost modules with children and parameters that stand in an
    nn.Sequential or nn.ModuleList.
    """
    found: list[nn.Module] = []

    def look(module: nn.Module) -> None:
        for child in module.children():
            is_row = isinstance(module, (nn.Sequential, nn.ModuleList))
            is_block = (
                is_row
                and not isinstance(child, nn.ModuleList)
                and any(True for _ in child.children())
                and _computes(child)
            )
            if is_block and not _is_row_of_blocks(child):
                found.append(child)
            else:
                look(child)

    look(model)
    return found


def checkpoint_blocks(model: nn.Module) -> int:
    """Make every block of a network forget its inner activations in training, in place.

    Args:
        model: a network with repeated blocks in an nn.Sequential or nn.ModuleList.

    Returns:
        How many blocks there are.

    Raises:
        ValueError: there are none, as in a network without repeated parts.
    """
    found = blocks(model)
    if not found:
        raise ValueError(
            "expected a network of blocks in an nn.Sequential or nn.ModuleList, got none; "
            "checkpoint it as a whole by hand"
        )
    for block in found:
        if not hasattr(block, "recomputes"):
            block.__class__ = _recomputing(type(block))
    return len(found)


@functools.cache
def _recomputing(kind: type[nn.Module]) -> type[nn.Module]:
    """Make the subclass of `kind` that keeps its inputs only, in training."""

    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if not self.training:
            return kind.forward(self, *args, **kwargs)
        contexts = functools.partial(_first_and_second_pass, self)
        inner = functools.partial(kind.forward, self)
        return checkpoint(inner, *args, use_reentrant=False, context_fn=contexts, **kwargs)

    return type(kind.__name__, (kind,), {"forward": forward, "recomputes": True})


def _first_and_second_pass(block: nn.Module) -> tuple[Any, Any]:
    """Return the contexts of the two passes: the second one must not count the batch again."""
    return nullcontext(), _statistics_left_alone(block)


@contextmanager
def _statistics_left_alone(block: nn.Module) -> Iterator[None]:
    norms = [
        m for m in block.modules() if isinstance(m, nn.modules.batchnorm._NormBase) and m.track_running_stats
    ]
    before = [(norm.momentum, norm.num_batches_tracked.clone()) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0  # weight of the new batch: none
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum = momentum
            norm.num_batches_tracked.copy_(count)


def _computes(module: nn.Module) -> bool:
    return any(True for _ in module.parameters())


def _is_row_of_blocks(module: nn.Module) -> bool:
    """A stage: a plain row whose members are themselves composed."""
    return type(module) is nn.Sequential and any(
        any(True for _ in child.children()) and _computes(child) for child in module.children()
    )
