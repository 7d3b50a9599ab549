"""The method contract, the trainer and its checkpoints.

Their files are imported at the first use: reading a configuration does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlbook.train.checkpoint import CheckpointError, load, save
    from dlbook.train.method import Method
    from dlbook.train.trainer import Trainer

__all__ = ["CheckpointError", "Method", "Trainer", "load", "save"]

_FILES = {
    "CheckpointError": "checkpoint",
    "load": "checkpoint",
    "save": "checkpoint",
    "Method": "method",
    "Trainer": "trainer",
}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
    globals()[name] = found
    return found
