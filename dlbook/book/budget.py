"""Budgets: one notebook serves two cores and a GPU; `DLBOOK_SCALE` says which numbers it takes.

>>> import os
>>> os.environ.pop("DLBOOK_SCALE", None) and None
>>> scale(cpu=200, gpu=20_000)
200
>>> device()
'cpu'
"""

import os
from typing import TypeVar

import torch

T = TypeVar("T")
SCALES = ("cpu", "gpu")


def scale_name() -> str:
    """Return the chosen scale, "cpu" or "gpu", from `DLBOOK_SCALE`; "cpu" where it is not set.

    Raises:
        ValueError: if the variable holds anything else.
    """
    chosen = os.environ.get("DLBOOK_SCALE", "") or "cpu"
    if chosen not in SCALES:
        raise ValueError(
            f"expected DLBOOK_SCALE to be 'cpu' or 'gpu', got {chosen!r}; `export DLBOOK_SCALE=cpu`, or "
            "leave it out"
        )
    return chosen


def scale(*, cpu: T, gpu: T) -> T:
    """Choose a budget (steps, seeds, width ...): `cpu` on two cores, `gpu` where `DLBOOK_SCALE=gpu`.

    Raises:
        ValueError: if `DLBOOK_SCALE` holds an unknown value.
    """
    return gpu if scale_name() == "gpu" else cpu


def device() -> str:
    """Return "cuda" where `DLBOOK_SCALE=gpu`, otherwise "cpu"; a GPU that is merely present is not taken.

    Raises:
        ValueError: if `DLBOOK_SCALE=gpu` and torch finds no CUDA device.
    """
    if scale_name() == "cpu":
        return "cpu"
    if not torch.cuda.is_available():
        raise ValueError(
            "expected a CUDA device for DLBOOK_SCALE=gpu, got none; run on a machine with a GPU and a "
            "CUDA build of torch, or `export DLBOOK_SCALE=cpu`"
        )
    return "cuda"
