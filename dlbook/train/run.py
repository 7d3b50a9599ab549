"""A run's folder: its configuration, its checkpoints, its figures; and how a run that was killed goes on.

    config.yaml                     the resolved configuration; it alone reproduces the run
    network.json                    how the network is built and asked; see dlbook.recipes.run.network
    checkpoints/step-00000500.ckpt  the newest two; the older one goes when the newer one is whole
    checkpoints/best.ckpt           of the best evaluation so far
    checkpoints/*.broken            those that were damaged
    metrics.jsonl                   a line for each evaluation; the checkpoints hold them too
    tensorboard/                    see dlbook.train.loggers

A checkpoint that was cut short or altered is named, set aside under another name, and the one before it is
used; after those of steps comes best.ckpt. Nothing is deleted before what replaces it is safely on the disk,
so that a full disk loses no earlier checkpoint. While a run trains, its folder is locked.

With several processes each makes the same calls; rank 0 alone writes, and what fails there is raised in all.
All read: the folder has to be one that every machine sees.
"""

import json
import shlex
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock

from dlbook.files import write_whole, writing_into
from dlbook.train import checkpoint
from dlbook.train.parallel.distributed import gather_random, is_main, on_main, restore_random
from dlbook.train.trainer import Trainer

__all__ = ["Notice", "Run", "RunError", "locked", "step_of", "warn"]

KEPT = 2
BEST = "best.ckpt"
ASKED = ("output.folder", "name another by output.folder=FOLDER")  # what names a run's folder


class RunError(ValueError):
    """A run's folder is not what was asked for: taken, missing, or without a whole checkpoint."""


class Notice(UserWarning):
    """What somebody should know of a run. The command prints it as a line."""


def warn(line: str) -> None:
    """Give a notice."""
    warnings.warn(Notice(line), stacklevel=3)


@contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Keep a run's folder for this training while the block runs; the system frees it however it ends.

    Args:
        folder: made if it is missing, with all that leads to it.

    Raises:
        RunError: another process trains in it.
        ValueError: it cannot be made, or not be written to.
    """
    folder = Path(folder)
    lock = filelock.FileLock(folder / ".lock", timeout=0)

    def take() -> None:
        with writing_into(folder, *ASKED):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except filelock.Timeout:
                raise RunError(
                    f"{folder}: expected a run that nobody trains, got one that another process is training; "
                    "stop it or wait for its end, or choose another output.folder (nothing was changed)"
                ) from None

    on_main(take)
    try:
        yield
    finally:
        lock.release()


def step_of(path: Path) -> int:
    """The step of a checkpoint, by its name.

    >>> step_of(Path("checkpoints/step-00000500.ckpt"))
    500
    """
    return int(path.stem.removeprefix("step-"))


class Run:
    """One run's folder.

    Args:
        folder: made if it is missing; its parent too.
        metric: the figure whose best value is kept; larger is better.
        resume: go on with what is there; otherwise a folder that holds a run is an error, and nothing in it
            is touched. A folder without any checkpoint holds no run: its first attempt ended before the first
            evaluation, and a new one may take its place.

    Raises:
        RunError: the folder holds a run and `resume` is false.
        ValueError: it cannot be made, or not be written to.
    """

    def __init__(self, folder: str | Path, metric: str = "accuracy", resume: bool = False) -> None:
        self.folder, self.metric = Path(folder), metric
        self.checkpoints = self.folder / "checkpoints"
        self.history: list[dict[str, float]] = []
        on_main(lambda: self._claim(resume))

    def _claim(self, resume: bool) -> None:
        with writing_into(self.folder, *ASKED):
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        if not resume and self.begun():
            raise RunError(
                f"{self.folder}: expected an empty folder, got one that holds a run already; go on with it "
                "by --resume, or choose another output.folder (nothing was changed)"
            )

    def begun(self) -> bool:
        """Whether there is a checkpoint, whole or broken; what a killed process wrote half of is none."""
        return any(path.suffix != ".partial" for path in self.checkpoints.iterdir())

    def files(self) -> list[Path]:
        """The checkpoints of steps, the newest first."""
        return sorted(self.checkpoints.glob("step-*.ckpt"), reverse=True)

    def save(self, trainer: Trainer, figures: dict[str, float] | None = None) -> Path:
        """Write a checkpoint; with the figures of an evaluation also their line, and best.ckpt where they are
        the best.

        Args:
            trainer: what is kept.
            figures: of an evaluation at this step, if there was one.

        Raises:
            OSError: the disk is full; the earlier checkpoints stay.
            ValueError: `metric` is not among the figures.
        """
        if figures is not None:
            if self.metric not in figures:
                raise ValueError(
                    f"expected the metric {self.metric!r} among the figures, got {sorted(figures)}; let the "
                    "evaluation return it, or give Run another metric"
                )
            self.history.append({"step": trainer.step, **figures})
        path = self._write(trainer)
        on_main(lambda: self._tidy(path, trainer.step))
        return path

    def best(self) -> dict[str, float]:
        """The evaluation with the largest metric, the first of equals, with its step; empty before any."""
        return max(self.history, key=lambda row: row[self.metric], default={})

    def resume(self, trainer: Trainer, say: Callable[[str], None] = warn) -> int:
        """Put the newest whole checkpoint into the trainer: of those of steps, else best.ckpt.

        Args:
            trainer: changed in place.
            say: takes a line for each checkpoint that is damaged; by default a warning.

        Returns:
            The step of the checkpoint; 0 where there is none yet.

        Raises:
            RunError: there are checkpoints, and none of them is whole.
        """
        found = on_main(lambda: [path for path in (*self.files(), self.checkpoints / BEST) if path.exists()])
        for number, path in enumerate(found):
            try:
                state = self._read(path, trainer)
            except checkpoint.CheckpointError as error:
                broken, after = path.with_suffix(".broken"), [other.name for other in found[number + 1 :]]
                on_main(lambda path=path, broken=broken: path.rename(broken))
                if is_main():
                    fault = str(error).rpartition(";")[0]
                    say(f"{fault}; renamed {broken.name}; trying {after[0] if after else 'no other'}")
                continue
            self.history = state["history"]
            restore_random(state.get("random", []))
            on_main(lambda path=path: self._settle(path, trainer.step))
            on_main(lambda: self._check_best(say))
            return trainer.step
        if broken := on_main(lambda: len(list(self.checkpoints.glob("*.broken")))):
            raise RunError(
                f"{self.checkpoints}: expected a whole checkpoint, got {broken} broken ones; start again "
                f"in another folder: dlbook train {shlex.quote(str(self.folder))} "
                f"output.folder={shlex.quote(f'{self.folder}-again')}"
            )
        return 0

    def _check_best(self, say: Callable[[str], None]) -> None:
        """Restore a damaged or lost best.ckpt from the checkpoint of its step; where that is gone, say so."""
        best = self.checkpoints / BEST
        try:
            if self.history:
                checkpoint.verify(best)
        except (checkpoint.CheckpointError, FileNotFoundError) as error:
            for path in self.files():
                if step_of(path) == self.best()["step"]:
                    write_whole(best, self._bytes(path))
                    return
            fault = f"{best} is missing" if isinstance(error, OSError) else str(error).rpartition(";")[0]
            say(f"{fault}; until an evaluation is better, ask the newest weights by --checkpoint last")

    def _write(self, trainer: Trainer) -> Path:
        """A checkpoint of this step; also the random states of the other processes."""
        path = self.checkpoints / f"step-{trainer.step:08d}.ckpt"
        random = gather_random()
        on_main(
            lambda: checkpoint.save(
                path, {"trainer": trainer.state_dict(), "history": self.history, "random": random}
            )
        )
        return path

    def _read(self, path: Path, trainer: Trainer) -> dict[str, Any]:
        """Put a checkpoint into the trainer, and return it.

        Raises:
            CheckpointError: it was damaged; in every process, or in none.
        """
        kept: list[dict[str, Any]] = []
        on_main(lambda: kept.append(checkpoint.load(path)))
        state = kept[0] if kept else checkpoint.load(path)
        trainer.load_state_dict(state["trainer"])
        return state

    def _tidy(self, path: Path, step: int) -> None:
        self._settle(path, step)
        for old in self.files()[KEPT:]:
            shutil.rmtree(old) if old.is_dir() else old.unlink()

    def _bytes(self, path: Path) -> bytes:
        """A checkpoint as one file."""
        return path.read_bytes()

    def _settle(self, path: Path, step: int) -> None:
        """Bring best.ckpt and metrics.jsonl in line with the checkpoint; a run killed in between is fixed on
        resuming.
        """
        if self.history and self.best()["step"] == step:
            write_whole(self.checkpoints / BEST, self._bytes(path))
        lines = "".join(json.dumps(row) + "\n" for row in self.history)
        write_whole(self.folder / "metrics.jsonl", lines.encode())


def load_weights(path: str | Path) -> dict[str, Any]:
    """The state of the method in a checkpoint of a run, for evaluation and prediction. Raises as
    `checkpoint.load` does.
    """
    return checkpoint.load(path)["trainer"]["method"]
