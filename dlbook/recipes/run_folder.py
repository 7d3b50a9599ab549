"""A path inside of a run, where the folder of a run was meant.

Nothing here imports torch, so that a wrong path is told at once.

>>> enclosing_run("runs/none/checkpoints/best.ckpt") is None
True
"""

from pathlib import Path

__all__ = ["enclosing_run", "is_run", "require_folder"]

DEEPEST = 3  # RUN/evaluation/test/figures.json


def is_run(folder: Path) -> bool:
    """Whether a run was begun in a folder."""
    return (folder / "config.yaml").is_file() and (folder / "checkpoints").is_dir()


def enclosing_run(path: str | Path) -> Path | None:
    """Find the run in which a file or folder lies; None if there is none, or the path is a run itself.

    The run is named as the path names it, from the working directory or absolutely.
    """
    path = Path(path).expanduser()
    above = (*path.parents[:DEEPEST], *path.absolute().parents[:DEEPEST])
    return None if is_run(path) or not path.exists() else next(filter(is_run, above), None)


def require_folder(path: str | Path, fix: str = "") -> None:
    """Refuse a path inside a run where the run's folder was asked for.

    Args:
        path: that somebody gave.
        fix: what to do; by default, to give the run's folder.

    Raises:
        ValueError: the path lies in a run.
    """
    if (run := enclosing_run(path)) is not None:
        kind = "a checkpoint in one" if Path(path).suffix == ".ckpt" else "a path inside one"
        raise ValueError(
            f"{path}: expected the folder of a run, got {kind}; "
            f"{fix or f'give {run}, and which of its checkpoints, best or last'}"
        )
