"""Runs every chapter under nbval, as a reader of a hosted notebook would: outside the repository, from the
wheel alone.

Each notebook has its own processes, the network off, one torch thread, and a limit of seconds and of memory.
At the end a table of both is printed. Arguments name chapters (parts of their paths); none means all.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
from execute import own_ipython
from make_notebooks import make_notebooks
from toc import ROOT

GPU = os.environ.get("DLBOOK_SCALE") == "gpu"
SECONDS = 900 if GPU else 90
MEBIBYTES = 16 * 1024 if GPU else 1536
WORKERS = 1 if GPU else 2


@dataclass(frozen=True)
class Run:
    """What one notebook took, and why it failed, if it did."""

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
    """The wheel before the checkout, no network, one thread."""
    offline = package.parent / "offline"
    if not offline.exists():
        shutil.copytree(ROOT / "tests" / "notebooks" / "offline", offline)
    own_ipython(package.parent / "ipython")
    return os.environ | {
        "PYTHONPATH": f"{package}{os.pathsep}{offline}",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def kernel_memory(process: psutil.Process) -> float:
    """MiB of the processes below pytest: the kernel and what it starts."""
    total = 0
    for child in process.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            pass
    return total / 2**20


def run_notebook(
    notebook: Path, env: dict[str, str], seconds: float = SECONDS, mebibytes: float = MEBIBYTES
) -> Run:
    """Execute one notebook under nbval and watch it."""
    command = [
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
        f"--nbval-cell-timeout={int(seconds)}",
        "-c",
        os.devnull,
        f"--rootdir={notebook.parent}",
        notebook.name,
    ]
    start, peak, failure = time.monotonic(), 0.0, ""
    with tempfile.TemporaryFile("w+") as log:
        process = psutil.Popen(command, cwd=notebook.parent, env=env, stdout=log, stderr=subprocess.STDOUT)
        while process.poll() is None and not failure:
            time.sleep(0.1)
            peak = max(peak, kernel_memory(process))
            if time.monotonic() - start > seconds:
                failure = f"took more than {seconds:.0f} s"
            elif peak > mebibytes:
                failure = f"took {peak:.0f} MiB of memory, more than {mebibytes:.0f}"
        if failure:
            for child in [*process.children(recursive=True), process]:
                child.kill()
        process.wait()
        log.seek(0)
        output = log.read()
    if not failure and process.returncode:
        failure = "a cell failed"
    return Run(notebook.stem, time.monotonic() - start, peak, failure, output)


def report(runs: list[Run]) -> int:
    """Print each failure whole, then the table; return how many failed."""
    failed = [run for run in runs if run.failure]
    for run in failed:
        print(f"\nFAILED {run.name}: {run.failure}\n{run.output}")
    print(f"\n{'chapter':<24}{'seconds':>9}{'peak MiB':>10}   (limits: {SECONDS} s, {MEBIBYTES} MiB)")
    for run in runs:
        print(f"{run.name:<24}{run.seconds:>9.1f}{run.mebibytes:>10.0f}   {run.failure or 'passed'}")
    return len(failed)


def main(wanted: list[str]) -> int:
    """Make the notebooks of the wanted chapters, run them two at a time, report."""
    with tempfile.TemporaryDirectory(prefix="dlbook-notebooks-") as scratch:
        package = Path(scratch) / "package"
        install_wheel(package)
        made = make_notebooks(Path(scratch) / "notebooks")
        made = [path for path in made if not wanted or any(part in str(path) for part in wanted)]
        if not made:
            print(f"no chapter's path has any of {wanted} in it; they are listed in _toc.yml")
            return 1
        env = environment(package)
        with ThreadPoolExecutor(WORKERS) as pool:
            return report(list(pool.map(lambda path: run_notebook(path, env), made)))


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
