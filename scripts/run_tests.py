"""`make test`: all stages in turn but the weekly ones, or the named ones. A failing stage does not stop the
others; the exit code tells. At the end: where the time went, and what it would be for the whole book.
"""

import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from toc import ROOT, linted, notebooks

WORKERS = os.environ.get("DLBOOK_TEST_WORKERS", "2")
SLOWEST = ["--durations=10", "--durations-min=10"]
PYTEST = [sys.executable, "-m", "pytest", "-q", *SLOWEST, "--dist", "loadfile", "-n", WORKERS]
# A browser waits more than it works, so one more runs beside the others.
BROWSERS = [*PYTEST[:-1], str(int(WORKERS) + 1), "-m", "browser"]
EACH_PAGE = tuple(f"tests/site/test_site_{name}.py" for name in ("pages", "files", "shift", "everybody"))
WHOLE_BOOK = 58  # chapters
LIMIT = 51  # minutes that all stages together may take then, on two cores; set-up takes some four more
ENOUGH = 6  # minutes that each stage in a browser has in any case, on however slow a machine
CHECK_ZOO = [sys.executable, "scripts/check_zoo.py"]


def marked(mark: str) -> list[str]:
    """Test files in which a pytest mark stands; to collect all the others takes every worker a minute."""
    files = (ROOT / "tests").rglob("test_*.py")
    return sorted(str(f.relative_to(ROOT)) for f in files if f"pytest.mark.{mark}" in f.read_text("utf8"))


def forking() -> list[str]:
    """Test files that fork their processes, which torch forbids once something else has started autograd's
    threads: each file has an interpreter to itself.
    """
    return marked("forks")


@dataclass(frozen=True)
class Stage:
    """One part of `make test`.

    commands: run one after the other. together: these at the same time, as many as there are workers.
    grows: the share of its time that grows with the number of chapters. weekly: only where it is named.
    share: the part of the time left that it may take in CI, after which its other tests are left out
    (tests/time_left.py); 0 for a stage that has to be whole.
    """

    commands: tuple[list[str], ...]
    together: tuple[list[str], ...] = ()
    grows: float = 0.0
    weekly: bool = False
    share: float = 0.0


def stages() -> dict[str, Stage]:
    """All stages by name, in their order: the notebooks run first, and the site is built from that run."""
    files = forking()
    apart = tuple([sys.executable, "-m", "pytest", "-q", file] for file in files)
    unit = [*PYTEST, "-m", "not browser", "--doctest-modules", *(f"--ignore={f}" for f in files)]
    ruff = [sys.executable, "-m", "ruff"]
    pages = [str(page.relative_to(ROOT)) for page in linted()]
    lint = (
        [*ruff, "format", "--check", "-q", "."],
        [*ruff, "check", "-q", "."],
        [sys.executable, "scripts/format_cells.py", "--check", *pages],
        [sys.executable, "scripts/lint_chapters.py"],
    )
    return {
        "lint": Stage(lint),
        "unit": Stage(([*unit, "tests", "dlbook"],), apart),
        "zoo": Stage(([*CHECK_ZOO, "--changed"],)),
        "notebooks": Stage(([sys.executable, "scripts/test_notebooks.py"],), grows=1.0),
        # two thirds of the book's pages are the package's reference
        "book": Stage(([sys.executable, "scripts/build_book.py"],), grows=0.35),
        "figures": Stage(
            ([*BROWSERS, *(file for file in marked("browser") if file not in EACH_PAGE)],), share=0.6
        ),
        # the reference and the pages at both ends of the book stay as many; of chapters that nobody
        # changed for a week a third is looked at whole
        "pages": Stage(([*BROWSERS, "--dist", "load", *EACH_PAGE],), grows=0.5, share=1.0),
        "zoo-all": Stage(([*CHECK_ZOO],), weekly=True),
        "zoo-parity": Stage(([*CHECK_ZOO, "--checks", "parity", "inductor"],), weekly=True),
    }


@dataclass(frozen=True)
class Result:
    """How a stage ended: seconds by the clock, and of the processor."""

    passed: bool
    seconds: float
    processor: float


def run(command: list[str]) -> bool:
    """Run one command; whether it passed. Tests of which none was left to run have passed."""
    return subprocess.run(command, cwd=ROOT).returncode in ((0, 5) if "pytest" in command else (0,))


def processor_seconds() -> float:
    """Of all processes that were started from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ends(stage: Stage, start: float, now: float) -> float:
    """When a stage in a browser has to end, in seconds as `start`, when all began, and `now` are."""
    return now + max(60 * ENOUGH, stage.share * (start + 60 * LIMIT - now))


def run_stage(stage: Stage) -> Result:
    """Run all commands of a stage, also after one that failed."""
    start, used = time.monotonic(), processor_seconds()
    passed = [run(command) for command in stage.commands]
    with ThreadPoolExecutor(int(WORKERS)) as pool:
        passed += pool.map(run, stage.together)
    return Result(all(passed), time.monotonic() - start, processor_seconds() - used)


def summary(results: dict[str, Result], known: dict[str, Stage], chapters: int) -> str:
    """A table of the stages; where all ran, also what they would take with the chapters of the whole book."""
    lines = [f"{'stage':<12}{'':<8}{'seconds':>9}{'of the processor':>18}{f'with {WHOLE_BOOK} chapters':>20}"]
    total = processor = later = 0.0
    for name, result in results.items():
        grown = result.seconds * (1 + known[name].grows * (WHOLE_BOOK / chapters - 1))
        if known[name].share:  # in CI it would end, and leave tests out
            grown = min(grown, ends(known[name], 0, later) - later)
        told = "passed" if result.passed else "FAILED"
        lines.append(f"{name:<12}{told:<8}{result.seconds:>9.0f}{result.processor:>18.0f}{grown:>18.0f} s")
        total, processor, later = total + result.seconds, processor + result.processor, later + grown
    lines.append(f"{'all':<12}{'':<8}{total:>9.0f}{processor:>18.0f}{later:>18.0f} s")
    lines.append(
        f"{chapters} pages with code: {total / 60:.0f} minutes; {WHOLE_BOOK} would take {later / 60:.0f} "
        f"of at most {LIMIT}"
    )
    return "\n".join(lines)


def main(wanted: list[str]) -> int:
    """Run the stages and print how each ended."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    known = stages()
    if unknown := set(wanted) - set(known):
        sys.exit(f"unknown stage {sorted(unknown)}: there are {', '.join(known)}")
    results, start = {}, time.time()
    limited = os.environ.get("CI") and not wanted
    for name in wanted or [name for name, stage in known.items() if not stage.weekly]:
        print(f"\n===== {name}", flush=True)
        if limited and known[name].share:
            os.environ["DLBOOK_BROWSER_UNTIL"] = str(ends(known[name], start, time.time()))
            os.environ["DLBOOK_BROWSER_ORDER"] = f"{date.today()}"
        results[name] = run_stage(known[name])
    print(f"\n===== summary\n{summary(results, known, len(notebooks()))}")
    return sum(not result.passed for result in results.values())


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
