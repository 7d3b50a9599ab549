"""Write figures while a run trains: to TensorBoard, and to Weights & Biases if it is installed and asked for.

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
        """Keep scalars of one step; names with one word before the slash, as in "train/loss", are a group."""

    def close(self) -> None:
        """Flush and close."""


class TensorBoard:
    """Writes event files into `folder`/tensorboard.

    Args:
        folder: of the run.
        step: the last step that a resumed run keeps; what the killed run wrote after it is hidden.
    """

    def __init__(self, folder: str | Path, step: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        self.writer = SummaryWriter(
            str(Path(folder) / "tensorboard"), purge_step=step + 1 if step else None
        )  # hides this step and later ones

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Add one point to each scalar's curve."""
        for name, value in scalars.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush to the disk."""
        self.writer.close()


class WeightsAndBiases:
    """Writes a Weights & Biases run into `folder`, offline unless WANDB_MODE is set.

    Raises:
        ValueError: wandb is not installed.
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
        """Add one point to each scalar's curve."""
        self.run.log(dict(scalars), step=step)

    def close(self) -> None:
        """Finish the run."""
        self.run.finish()


def require_installed() -> None:
    """Raise ValueError if wandb is not installed: to be called before a run's folder is made."""
    if importlib.util.find_spec("wandb") is None:
        raise ValueError(
            "output.wandb: expected the package wandb, got an environment without it; pip install wandb, or "
            "set output.wandb=false"
        )


def make_loggers(
    folder: str | Path,
    config: Mapping[str, Any],
    step: int = 0,
    tensorboard: bool = True,
    wandb: bool = False,
) -> list[Logger]:
    """Make the loggers that are asked for. Raise ValueError if wandb is asked for and not installed."""
    return [
        *([TensorBoard(folder, step)] if tensorboard else []),
        *([WeightsAndBiases(folder, config)] if wandb else []),
    ]
