"""Where figures go while a run trains: TensorBoard, and Weights & Biases if it is installed and asked for.

Both are offline: TensorBoard writes files into the run's folder, and Weights & Biases keeps its files there
until somebody calls `wandb sync`, unless WANDB_MODE says otherwise.
"""

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Logger", "TensorBoard", "WeightsAndBiases", "make_loggers", "require_installed"]


class Logger(Protocol):
    """Something that scalars can be written to."""

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Keep scalars of one step; a name such as "train/loss" is grouped by what stands before the slash."""

    def close(self) -> None:
        """Flush and close."""


class TensorBoard:
    """Event files in `folder`/tensorboard. `step`: the last that a resumed run keeps; what the killed run
    wrote after it is hidden.
    """

    def __init__(self, folder: str | Path, step: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        self.writer = SummaryWriter(
            str(Path(folder) / "tensorboard"), purge_step=step + 1 if step else None
        )  # hides this step and later ones

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """One point for each scalar."""
        for name, value in scalars.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush to the disk."""
        self.writer.close()


class WeightsAndBiases:
    """A Weights & Biases run in `folder`, offline unless WANDB_MODE is set. Raises ValueError where wandb is
    not installed.
    """

    def __init__(self, folder: str | Path, config: Mapping[str, Any]) -> None:
        require_installed()
        import wandb

        self.run = wandb.init(
            dir=str(folder),
            project="dlbook",
            config=dict(config),
            mode=os.environ.get("WANDB_MODE", "offline"),
            resume="allow",
        )

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """One point for each scalar."""
        self.run.log(dict(scalars), step=step)

    def close(self) -> None:
        """Finish the run."""
        self.run.finish()


def require_installed() -> None:
    """Raises ValueError where wandb is not installed: to be asked before a run's folder is made."""
    if importlib.util.find_spec("wandb") is None:
        raise ValueError(
            "expected the package wandb for output.wandb=true, it is not installed; pip install "
            "wandb, or leave it off"
        )


def make_loggers(
    folder: str | Path,
    config: Mapping[str, Any],
    step: int = 0,
    tensorboard: bool = True,
    wandb: bool = False,
) -> list[Logger]:
    """Those that are asked for. Raises ValueError where wandb is and is not installed."""
    return [
        *([TensorBoard(folder, step)] if tensorboard else []),
        *([WeightsAndBiases(folder, config)] if wandb else []),
    ]
