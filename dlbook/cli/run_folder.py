"""A run's folder as the argument of a command: where a path inside a run is given, the command that works."""

import shlex
import sys
from pathlib import Path

from dlbook.recipes import run_folder

__all__ = ["require_folder"]


def require_folder(path: Path | None) -> None:
    """Refuse a path inside a run, and print the same command with the run's folder.

    Args:
        path: an argument of the command that is being run; None where it was left out.

    Raises:
        ValueError: the path lies in a run.
    """
    if path is None or (run := run_folder.enclosing_run(path)) is None:
        return
    words = [_replaced(word, path, run) for word in sys.argv[1:]]
    if path.suffix == ".ckpt" and not any(word.startswith("--checkpoint") for word in words):
        words += ["--checkpoint", "best" if path.name == "best.ckpt" else "last"]
    run_folder.require_folder(path, f"give the folder: {shlex.join(['dlbook', *words])}")


def _replaced(word: str, path: Path, run: Path) -> str:
    """A word of the command line with the run in the place of the path, also after --run=.

    >>> _replaced("--run=a/checkpoints/best.ckpt", Path("a/checkpoints/best.ckpt"), Path("a"))
    '--run=a'
    """
    option, equals, rest = word.partition("=")
    if Path(word).expanduser() == path:
        return str(run)
    is_option = option.startswith("--") and Path(rest).expanduser() == path
    return f"{option}{equals}{run}" if is_option else word
