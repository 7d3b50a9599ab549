"""Runs an experiment that is too large for a chapter and keeps its result: `python -m dlbook.book.record NAME
[OPTIONS]`.

The experiment is `experiments/NAME.py`, or `benchmarks/NAME.py` where it measures speed. It has a constant
`SEED` (an integer, or a list of them) and a function `run()` that returns the results: a dict of text to
numbers, texts, lists and such dicts. This command adds commit, device, versions, seconds and date, and writes
`data/recorded/NAME.json`, whole or not at all. `DLBOOK_SCALE=gpu` puts it on the GPU. A script with options
of its own has `arguments(words)`, which reads them, and hands the outcome to `run`.
"""

import os
import platform
import runpy
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from dlbook.book.budget import device
from dlbook.book.recorded_runs import FIELDS, PACKAGE, path_of, write

ROOT = PACKAGE.parent
FOLDERS = (ROOT / "experiments", ROOT / "benchmarks")


def commit(root: Path = ROOT) -> str:
    """Return the commit checked out at `root`, "-dirty" where tracked files differ from it.

    Raises:
        ValueError: if `root` is not in a git checkout.
    """

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + (
            "-dirty" if git("status", "--porcelain", "--untracked-files=no") else ""
        )
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        raise ValueError(
            f"expected a git checkout, so that a result can name its commit, got {root} ({error}); "
            "record from a checkout"
        ) from error


def device_name() -> str:
    """Return the device in words: the GPU's name, or the machine's kind of processor and its cores."""
    if device() == "cuda":
        return torch.cuda.get_device_name()
    return f"CPU ({platform.machine()}, {os.cpu_count()} cores)"


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on."""
    found = {"python": platform.python_version()}
    for package in ("torch", "torchvision", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    if torch.version.cuda and device() == "cuda":
        found["cuda"] = torch.version.cuda
    return found


def script_of(name: str, folders: Sequence[Path] = FOLDERS) -> Path:
    """Return the script of the experiment `name`, from the first folder that has it.

    Raises:
        ValueError: if no folder has it.
    """
    path_of(name)
    for folder in folders:
        if (folder / f"{name}.py").is_file():
            return folder / f"{name}.py"
    there = ", ".join(sorted(file.stem for folder in folders for file in folder.glob("*.py"))) or "none"
    raise ValueError(
        f"expected an experiment of {' or '.join(map(str, folders))}, got {name!r}; there is {there}; or "
        f"write {name}.py, with SEED and run()"
    )


def perform(name: str, folders: Sequence[Path] = FOLDERS, words: Sequence[str] = ()) -> dict[str, Any]:
    """Run the experiment `name` with the options `words` and return its run, with provenance.

    Raises:
        ValueError: if there is no such script, it lacks SEED or run, or it takes no options.
    """
    script = script_of(name, folders)
    made_from = commit()  # before the run, which may take hours
    module = runpy.run_path(str(script), run_name=name)
    if not callable(module.get("run")) or not isinstance(module.get("SEED"), (int, list)):
        raise ValueError(
            f"expected a function run() and an integer or list SEED, got {script} without; add them"
        )
    if words and not callable(module.get("arguments")):
        raise ValueError(
            f"{script}: expected no options, got {' '.join(words)}; leave them out, or give it a "
            "function arguments(words)"
        )
    options = [module["arguments"](list(words))] if words else []
    start = time.perf_counter()
    results = module["run"](*options)
    seconds = round(time.perf_counter() - start, 1)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    values = (name, made_from, device_name(), versions(), module["SEED"], seconds, date, results)
    return dict(zip(FIELDS, values, strict=True))


def main(arguments: list[str]) -> int:
    """Run the named experiment and write its file; return the exit code."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(f"wrote {write(perform(arguments[0], words=arguments[1:]))}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
