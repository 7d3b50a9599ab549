"""The largest batch that fits: double until it does not, then halve the gap.

Memory is not the only limit worth knowing: past some size the loss no longer falls faster per step
(McCandlish et al. 2018, arXiv:1812.06162). This finds what fits, not what is best.

>>> def step(size):
...     if size > 37:
...         raise MemoryError
>>> find_batch_size(step, most=1000)
37
"""

import gc
from collections.abc import Callable

import torch

__all__ = ["find_batch_size", "fits"]

# What torch says where an allocation fails: CUDA has a class of its own, the CPU a RuntimeError.
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_cpu")


def find_batch_size(step: Callable[[int], object], least: int = 1, most: int = 4096) -> int:
    """The largest size in [least, most] for which `step(size)` does not run out of memory.

    Args:
        step: one whole training step with a batch of that size: forward, backward and the optimizer's step,
            since the optimizer makes its state then. It must work on copies where it should leave no trace.
        least, most: where to look; `most` bounds what a machine without limits answers.

    Raises:
        ValueError: least > most, or `least` does not fit. Other errors of `step` pass through.
    """
    if not 1 <= least <= most:
        raise ValueError(
            f"expected 1 <= least <= most, got least={least} and most={most}; the usual ones are 1 and 4096"
        )
    if not fits(step, least):
        raise ValueError(
            f"expected a batch of {least} to fit into memory, got out of memory; take a smaller model or "
            "image, checkpoint activations, or use bfloat16"
        )
    good, bad = least, most + 1
    while bad - good > 1:
        size = min(2 * good, most) if bad == most + 1 and good < most else (good + bad) // 2
        if fits(step, size):
            good = size
            if good == most:
                break
        else:
            bad = size
    return good


def fits(step: Callable[[int], object], size: int) -> bool:
    """Whether `step(size)` ends without running out of memory; what it held is given back."""
    try:
        step(size)
    except (MemoryError, torch.OutOfMemoryError):
        _give_back()
        return False
    except RuntimeError as error:
        if not any(words in str(error).lower() for words in OUT_OF_MEMORY):
            raise
        _give_back()
        return False
    return True


def _give_back() -> None:
    """What the failed step left behind: cycles hold tensors until they are collected, and torch keeps what it
    has freed.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
