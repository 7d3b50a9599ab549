"""Runs every chapter under nbval, as a reader of a hosted notebook would: outside the repository, from the
wheel alone; and keeps the outputs, from which the site is built: each chapter is executed once.

Each notebook has its own processes, the network off, one torch thread (or OMP_NUM_THREADS), and a limit of
processor seconds and of memory: a busy machine makes no chapter fail, and a slow one is measured before a
chapter is called too slow. At the end a table of both is printed.
Arguments name chapters (parts of their paths); none means all.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from execute import own_ipython
from kept_outputs import remember
from make_notebooks import make_notebooks
from pace import slowness
from toc import ROOT, notebooks

GPU = os.environ.get("DLBOOK_SCALE") == "gpu"
THREADS = int(os.environ.get("OMP_NUM_THREADS") or 1)
# Processor time. Threads that wait for each other count as working, so each thread has the limit of one.
SECONDS = 900 if GPU else 75 * THREADS
IDLE = 300  # seconds without any work after which a notebook hangs
MEBIBYTES = 16 * 1024 if GPU else 1536
WORKERS = 1 if GPU or THREADS > 1 else 2  # notebooks at a time

# Of freed memory a chapter keeps less than other work, for its limit (imagenet: 1,455 MiB, not 1,618).
KEPT_BLOCKS = {"MALLOC_MMAP_THRESHOLD_": str(2**26), "MALLOC_TRIM_THRESHOLD_": str(2**27)}

KEEPING = threading.Lock()  # the cache is one database
NBVAL = [
    sys.executable,
    "-m",
    "pytest",
    "--nbval-lax",
    "-q",
    "-x",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
]
NBVAL += ["-p", "nbval_keep", "--nbval-cell-timeout=36000"]  # the limits are the meter's


@dataclass(frozen=True)
class NotebookRun:
    """What one notebook took, and why it failed, if it did. seconds: of the processor."""

    name: str
    seconds: float
    mebibytes: float
    failure: str = ""
    output: str = ""


def install_wheel(folder: Path) -> None:
    """Install the package, as its users get it, into `folder`."""
    wheel = folder.parent / "wheel"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheel), str(ROOT)], check=True
    )
    (built,) = wheel.glob("dlbook-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(folder), str(built)], check=True)


def environment(package: Path) -> dict[str, str]:
    """The wheel before the checkout, no network, one thread unless OMP_NUM_THREADS names another number."""
    offline = package.parent / "offline"
    if not offline.exists():
        shutil.copytree(ROOT / "tests" / "notebooks" / "offline", offline)
    own_ipython(package.parent / "ipython")
    given = [Path(part) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    others = [part for part in given if part not in (ROOT, ROOT / "scripts")]  # never the checkout
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (package, offline, ROOT / "scripts", *others))),
        "OMP_NUM_THREADS": str(THREADS),
        "MKL_NUM_THREADS": str(THREADS),
        "PYTHONDONTWRITEBYTECODE": "1",
        **KEPT_BLOCKS,
    }


class Meter:
    """Processor seconds and MiB of the processes below pytest: the kernel and what it starts."""

    def __init__(self, process: psutil.Process) -> None:
        self.process, self.peak, self.pace = process, 0.0, 1.0
        self.spent: dict[int, float] = {}
        self.moved = time.monotonic()

    def look(self) -> None:
        """Add up what the processes hold and have used by now."""
        before, held = self.seconds, 0
        for child in self.process.children(recursive=True):
            try:
                held += child.memory_info().rss
                times = child.cpu_times()
                self.spent[child.pid] = (
                    times.user + times.system + times.children_user + times.children_system
                )
            except psutil.NoSuchProcess:
                pass
        self.peak = max(self.peak, held / 2**20)
        if self.seconds > before:
            self.moved = time.monotonic()

    @property
    def seconds(self) -> float:
        """Of the processor."""
        return sum(self.spent.values())

    def complaint(self, seconds: float, mebibytes: float) -> str:
        """Which limit was passed; empty where none was. A slower machine has more seconds."""
        if self.seconds > seconds * self.pace:
            self.pace = max(self.pace, slowness())
        if self.seconds > seconds * self.pace:
            return (
                f"took more than {seconds * self.pace:.0f} processor seconds ({seconds:.0f} on a machine "
                f"that is {self.pace:.1f} times as fast as this one)"
            )
        if self.peak > mebibytes:
            return f"took {self.peak:.0f} MiB of memory, more than {mebibytes:.0f}"
        if time.monotonic() - self.moved > IDLE:
            return f"did nothing for {IDLE} s: it waits for something that does not come"
        return ""


def run_notebook(
    notebook: Path, env: dict[str, str], seconds: float = SECONDS, mebibytes: float = MEBIBYTES
) -> NotebookRun:
    """Execute one notebook under nbval and watch it; it leaves `name.executed` beside it."""
    command = [*NBVAL, "-c", os.devnull, f"--rootdir={notebook.parent}", notebook.name]
    with tempfile.TemporaryFile("w+") as log:
        process = psutil.Popen(command, cwd=notebook.parent, env=env, stdout=log, stderr=subprocess.STDOUT)
        meter, failure = Meter(process), ""
        while process.poll() is None and not failure:
            time.sleep(0.3)
            meter.look()
            failure = meter.complaint(seconds, mebibytes)
        if failure:
            for child in [*process.children(recursive=True), process]:
                child.kill()
        process.wait()
        log.seek(0)
        output = log.read()
    if not failure and process.returncode:
        failure = "a cell failed"
    return NotebookRun(notebook.stem, meter.seconds, meter.peak, failure, output)


def run_and_keep(notebook: Path, chapter: Path, env: dict[str, str]) -> NotebookRun:
    """Run a chapter's notebook; if it passed, the site is built from its outputs."""
    run = run_notebook(notebook, env)
    if not run.failure:
        with KEEPING:
            remember(chapter, nbformat.read(notebook.with_suffix(".executed"), as_version=4), run.seconds)
    return run


def report(runs: list[NotebookRun]) -> int:
    """Print each failure whole, then the table; return how many failed."""
    failed = [run for run in runs if run.failure]
    for run in failed:
        print(f"\nFAILED {run.name}: {run.failure}\n{run.output}")
    print(
        f"\n{'chapter':<24}{'seconds':>9}{'peak MiB':>10}   "
        f"(limits: {SECONDS} processor seconds, more where the machine is slow; {MEBIBYTES} MiB)"
    )
    for run in runs:
        print(f"{run.name:<24}{run.seconds:>9.1f}{run.mebibytes:>10.0f}   {run.failure or 'passed'}")
    return len(failed)


def main(wanted: list[str]) -> int:
    """Make the notebooks of the wanted chapters, run them two at a time, report."""
    with tempfile.TemporaryDirectory(prefix="dlbook-notebooks-") as scratch:
        package = Path(scratch) / "package"
        install_wheel(package)
        made = make_notebooks(Path(scratch) / "notebooks")
        pairs = [
            (made, chapter)
            for made, chapter in zip(made, notebooks(), strict=True)
            if is_wanted(made, wanted)
        ]
        if not pairs:
            print(f"no chapter's path has any of {wanted} in it; they are listed in _toc.yml")
            return 1
        env = environment(package)
        with ThreadPoolExecutor(WORKERS) as pool:
            return report(list(pool.map(lambda pair: run_and_keep(*pair, env), pairs)))


def is_wanted(path: Path, wanted: list[str]) -> bool:
    """Whether a path has one of the words in it; no words want all."""
    return not wanted or any(part in str(path) for part in wanted)


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
