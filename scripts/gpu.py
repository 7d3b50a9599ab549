"""`make gpu MINUTES=10`: what a GPU is needed for, the most valuable first, until the minutes are over.

For a machine with one CUDA GPU where nothing can be fetched. It has Python 3.12 and torch 2.11; what else is
missing comes from a folder of wheels (WHEELS=FOLDER; `python scripts/gpu.py --fetch FOLDER` fills one where
there is a network), and is installed into `_build/gpu-packages`, not into the machine's own Python.

Each job has a limit of time, the rest of the minutes at most. Its result is written as soon as it ends, to
`data/recorded/gpu-<job>.json` (OUT=FOLDER for another place): whatever ends the run loses the one job that is
running. What does not fit into the minutes is named at the end. `--rehearse` takes tiny budgets on the CPU.
"""

import argparse
import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

from gpu_jobs import JOBS, REHEARSAL, Job

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "_build" / "gpu-packages"
# Module -> what pip calls its package: what the jobs need beside torch, torchvision and numpy.
NEEDED = {
    "anywidget": "anywidget",
    "hatchling": "hatchling",
    "hypothesis": "hypothesis",
    "ipykernel": "ipykernel",
    "ipywidgets": "ipywidgets",
    "jupyter_cache": "jupyter-cache",
    "jupytext": "jupytext",
    "matplotlib": "matplotlib",
    "myst_nb": "myst-nb",
    "nbval": "nbval",
    "omegaconf": "omegaconf",
    "optuna": "optuna",
    "psutil": "psutil",
    "pydantic": "pydantic",
    "pytest": "pytest",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "timm": "timm",
    "torchmetrics": "torchmetrics",
    "tqdm": "tqdm",
    "typer": "typer",
}
# The machine has its own: torch and what comes with it. Of the rest only what the jobs do without.
LEFT_OUT = ("torch-", "torchvision-", "nvidia_", "triton-", "cuda_", "numpy-", "pillow-", "sympy-")
LEFT_OUT += ("networkx-", "mpmath-", "setuptools-", "hf_xet-", "debugpy-")


@dataclass(frozen=True)
class Plan:
    """The jobs that will be run, in their order, and those for which there is no time."""

    chosen: tuple[Job, ...]
    left: tuple[Job, ...]


def plan(jobs: tuple[Job, ...], seconds: float) -> Plan:
    """Take the jobs in their order as long as their expected seconds fit; a smaller one may fit later."""
    chosen, left, free = [], [], seconds
    for job in jobs:
        if job.seconds <= free:
            chosen.append(job)
            free -= job.seconds
        else:
            left.append(job)
    return Plan(tuple(chosen), tuple(left))


def run_job(job: Job, limit: float, out: Path, cifar: str = "") -> dict:
    """Run one job in a process group of its own, stop it at the limit, and return what it gave."""
    start = time.monotonic()
    environment = os.environ | job.environment | {"PYTHONPATH": python_path()}
    with open(out / f"gpu-{job.name}.log", "w+", encoding="utf8") as log:
        command = [sys.executable, *(w.replace("OUT", str(out)).replace("CIFAR", cifar) for w in job.command)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(timeout=limit)
            ended = "passed" if code == 0 else f"failed with exit code {code}"
        except subprocess.TimeoutExpired:
            ended = f"stopped after {limit:.0f} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.seek(0)
        lines = log.read().splitlines()
    return {"ended": ended, "seconds": time.monotonic() - start, "last_lines": lines[-job.lines :]}


def python_path() -> str:
    """The checkout, its scripts, and the packages that were installed for this run."""
    return os.pathsep.join(map(str, (ROOT, ROOT / "scripts", PACKAGES)))


def write_result(job: Job, result: dict, out: Path, commit: str, seed: int = 0) -> Path:
    """Write a job's result as a recorded run, with all that it takes to believe it."""
    from dlbook.book import record, recorded_runs

    results = {"ended": result["ended"], "last_lines": "\n".join(result["last_lines"]) or "nothing"}
    made = out / job.file if job.file else None
    if made is not None and made.is_file():
        found = json.loads(made.read_text("utf8"))
        results |= found.get("results", found)
    run = {
        "name": f"gpu-{job.name}",
        "commit": commit,
        "device": record.device_name(),
        "versions": record.versions(),
        "seed": seed,
        "seconds": result["seconds"],
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "results": results,
    }
    return recorded_runs.write(run, out / f"gpu-{job.name}.json")


def commit_of(given: str) -> str:
    """The commit that results name: as given, or as git knows it.

    Raises: ValueError where neither says it.
    """
    from dlbook.book import record

    return given or record.commit(ROOT)


def install(wheels: Path | None) -> None:
    """Install what is missing from the folder of wheels, with no network.

    Raises: SystemExit naming what is missing and how to get it.
    """
    sys.path.extend([str(ROOT), str(PACKAGES)])
    missing = [package for module, package in NEEDED.items() if find_spec(module) is None]
    if missing and wheels is None:
        sys.exit(
            f"expected {', '.join(missing)} in this Python, found none; give WHEELS=FOLDER, "
            "and fill the folder by: python scripts/gpu.py --fetch FOLDER"
        )
    if missing:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--find-links", str(wheels)]
        subprocess.run([*pip, "--no-deps", "--target", str(PACKAGES), *files(wheels)], check=True)
        invalidate_caches()  # or this process would not find what has just come


def files(wheels: Path) -> list[str]:
    """The wheels of a folder, but those that the machine has its own of.

    Raises: SystemExit where there is none.
    """
    found = [str(file) for file in sorted(wheels.glob("*.whl")) if not file.name.startswith(LEFT_OUT)]
    if not found:
        sys.exit(f"{wheels}: expected wheels (*.whl), found none; fill it by: --fetch {wheels}")
    return found


def fetch(folder: Path, python: str = "3.12") -> None:
    """Fill a folder with the wheels of `NEEDED` for Linux and a version of Python, without torch."""
    folder.mkdir(parents=True, exist_ok=True)
    platform = ["--python-version", python, "--only-binary", ":all:", "--platform", "manylinux_2_28_x86_64"]
    platform += ["--platform", "manylinux2014_x86_64", "--platform", "any"]
    pip = [sys.executable, "-m", "pip", "download", "-q", "--dest", str(folder), *platform]
    subprocess.run([*pip, *NEEDED.values()], check=True)
    for file in folder.iterdir():
        if file.name.startswith(LEFT_OUT):
            file.unlink()
    print(f"{folder}: {sum(f.stat().st_size for f in folder.iterdir()) / 2**20:.0f} MiB of wheels")


def options_of(words: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "data" / "recorded")
    parser.add_argument("--cifar", default="", help="CIFAR-10: torchvision's folder, or an archive")
    parser.add_argument("--commit", default="", help="where git cannot say it")
    parser.add_argument("--jobs", nargs="+", choices=[job.name for job in JOBS], help="these alone")
    parser.add_argument("--rehearse", action="store_true", help="tiny budgets on the CPU")
    parser.add_argument("--fetch", type=Path, metavar="FOLDER")
    return parser.parse_args(words)


def rehearsed(job: Job) -> Job:
    """The job with its tiny budget, on the CPU."""
    command, environment = REHEARSAL[job.name]
    return replace(job, command=command, environment=environment, seconds=job.seconds / 20)


def wanted(options: argparse.Namespace) -> tuple[Job, ...]:
    """The jobs that were asked for and can be done: without CIFAR-10 none that needs it."""
    jobs = tuple(job for job in JOBS if not options.jobs or job.name in options.jobs)
    if options.rehearse:
        return tuple(map(rehearsed, jobs))
    possible = tuple(job for job in jobs if options.cifar or "CIFAR" not in job.command)
    if len(possible) < len(jobs):
        print("without CIFAR=FOLDER_OR_TAR: no cifar94")
    return possible


def main(words: list[str] | None = None) -> int:
    """Plan, run, record; the exit code is the number of jobs that failed or were stopped."""
    options, start = options_of(words), time.monotonic()
    if options.fetch:
        fetch(options.fetch)
        return 0
    install(options.wheels)
    options.out.mkdir(parents=True, exist_ok=True)
    commit = commit_of(options.commit)
    planned = plan(wanted(options), 60 * options.minutes)
    print("planned: " + ", ".join(f"{job.name} ({job.seconds:.0f} s)" for job in planned.chosen), flush=True)
    bad, left = 0, list(planned.left)
    for job in planned.chosen:
        remaining = 60 * options.minutes - (time.monotonic() - start)
        if remaining < min(job.seconds / 2, 20):
            left.append(job)
            continue
        result = run_job(job, remaining, options.out, options.cifar)
        path = write_result(job, result, options.out, commit)
        bad += result["ended"] != "passed"
        print(f"{job.name:<28}{result['ended']:<28}{result['seconds']:>6.0f} s  {path}", flush=True)
    print("left for another time: " + (", ".join(job.name for job in left) or "nothing"))
    return bad


if __name__ == "__main__":
    sys.exit(main())
