"""`make test`: all stages in turn but the weekly ones, or the named ones. A stage that fails does not stop
the others; the exit code tells.
"""

import os
import subprocess
import sys
import time

from toc import ROOT, notebooks

PYTEST = [
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "--dist",
    "loadfile",
    "-n",
    os.environ.get("DLBOOK_TEST_WORKERS", "2"),
]

# These fork their processes, which torch forbids once something else has started autograd's threads: each
# file has an interpreter to itself.
FORKING = tuple(
    f"tests/{file}.py"
    for file in (
        "train/test_distributed",
        "train/test_sharded",
        "recipes/test_torchrun",
        "recipes/test_kill_and_resume",
        "recipes/test_classify_search",
    )
)
WEEKLY = {"zoo-parity"}  # many minutes: only where it is named


def stages() -> dict[str, list[list[str]]]:
    """Name of each stage and its commands."""
    chapters = [str(page.relative_to(ROOT)) for page in notebooks()]
    return {
        "unit": [
            [
                *PYTEST,
                "-m",
                "not browser",
                "--doctest-modules",
                *(f"--ignore={file}" for file in FORKING),
                "tests",
                "dlbook",
            ],
            *([sys.executable, "-m", "pytest", "-q", file] for file in FORKING),
        ],
        "zoo": [[sys.executable, "scripts/check_zoo.py"]],
        "lint": [[sys.executable, "scripts/lint_chapters.py", *chapters]],
        "book": [[sys.executable, "scripts/build_book.py"]],
        "notebooks": [[sys.executable, "scripts/test_notebooks.py"]],
        "site-tests": [[*PYTEST, "-m", "browser", "tests"]],
        "zoo-parity": [[sys.executable, "scripts/check_zoo.py", "--checks", "parity", "inductor"]],
    }


def main(wanted: list[str]) -> int:
    """Run the stages and print how each ended."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    known = stages()
    if unknown := set(wanted) - set(known):
        sys.exit(f"unknown stage {sorted(unknown)}: there are {', '.join(known)}")
    results = {}
    for name in wanted or [stage for stage in known if stage not in WEEKLY]:
        print(f"\n===== {name}", flush=True)
        start = time.monotonic()
        codes = [subprocess.run(command, cwd=ROOT).returncode for command in known[name]]
        results[name] = (all(code == 0 for code in codes), time.monotonic() - start)
    print("\n===== summary")
    for name, (passed, seconds) in results.items():
        print(f"{name:<12}{'passed' if passed else 'FAILED':<8}{seconds:7.0f} s")
    return sum(not passed for passed, _ in results.values())


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
