"""Ask every row of the zoo every question of tests/zoo/sweep.py, counts.py, imports.py and memory.py:
`python scripts/check_zoo.py`.

Rows run in separate processes, two at a time. Options: --rows NAME ... (default: all), --checks meta counts
compile export numbers bfloat16 imports memory (default: these), or parity (numbers against the peers in
float64, minutes), inductor (compiled C++ on a few small rows), --jobs N. --changed asks only what
`zoo_changes.py` names. A sweep of all rows and all default checks that finds no fault is kept there.
Prints one line for each row with a fault, and the seconds of each check; exits 1 if there is a fault.
"""

import argparse
import os
import sys
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

import zoo_changes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for tests

DEFAULT = ("meta", "counts", "compile", "export", "numbers", "bfloat16", "imports", "memory")
INDUCTOR = ("lenet5_modern", "resnet20_cifar", "efficientnet_lite0")


def start_worker() -> None:
    """One thread a process: the processes share the cores."""
    import torch

    torch.set_num_threads(1)


def checks() -> dict:
    """All checks by name."""
    from tests.zoo import counts, imports, memory, sweep

    return (
        sweep.CHECKS
        | counts.CHECKS
        | imports.CHECKS
        | memory.CHECKS
        | {"inductor": lambda name: sweep.check_compile_cpu(name)}
    )


def ask(task: tuple[str, tuple[str, ...]]) -> tuple[str, dict[str, list[str]], dict[str, float]]:
    """One row and its checks: the faults and the seconds of each."""
    (name, wanted), known, found, seconds = task, checks(), {}, {}
    for check in wanted:
        start = time.perf_counter()
        try:
            found[check] = known[check](name)
        except Exception as error:
            found[check] = [
                f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            ]
        seconds[check] = time.perf_counter() - start
    return name, found, seconds


def plan(rows: list[str], wanted: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Which row is asked what: peers where there are some, inductor where it is cheap."""
    from tests.oracles.peers import PEERS

    asked = dict.fromkeys(("imports", "bfloat16", "parity", "memory"), PEERS) | {"inductor": INDUCTOR}
    planned = [
        (name, tuple(check for check in wanted if name in asked.get(check, rows)))
        for name in dict.fromkeys(rows)
    ]
    return [(name, mine) for name, mine in planned if mine]


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    from dlbook.zoo.rows import entries, require_name

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = {entry.name: (entry.family, entry.parameters) for entry in entries()}
    parser.add_argument("--rows", nargs="+", default=list(sizes), type=require_name)
    parser.add_argument("--checks", nargs="+", default=DEFAULT, choices=list(checks()))
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("DLBOOK_TEST_WORKERS", "2")))
    parser.add_argument("--changed", action="store_true")
    options = parser.parse_args(arguments)
    options.families, options.new = sorted({family for family, _ in sizes.values()}), []
    if options.changed:
        changed = zoo_changes.changed_families(options.families)
        if (
            changed != options.families
        ):  # what makes all of them new is common to them: the weekly run compares
            options.new = [name for name, (family, _) in sizes.items() if family in changed]
        options.rows = zoo_changes.rows_to_ask(sizes, changed)
        print(f"changed since all rows were asked: {', '.join(changed) or 'no family'}", flush=True)
    options.whole = set(options.rows) == set(sizes) and set(options.checks) >= set(DEFAULT)
    return options


def ask_all(planned: list, jobs: int) -> tuple[int, Counter, tuple[float, str]]:
    """Ask the planned rows in `jobs` processes; the faults, the seconds of each check, the slowest row."""
    start = time.perf_counter()
    seconds, faults, slowest = Counter(), 0, (0.0, "")
    with get_context("spawn").Pool(jobs, start_worker, maxtasksperchild=20) as pool:
        for done, (name, found, spent) in enumerate(pool.imap(ask, planned), start=1):
            if done % 20 == 0:
                passed = time.perf_counter() - start
                print(f"{done} of {len(planned)} rows, {passed:.0f} s", file=sys.stderr, flush=True)
            seconds.update(spent)
            slowest = max(slowest, (sum(spent.values()), name))
            for check, told in found.items():
                faults += len(told)
                for sentence in told:
                    print(f"{name:<28} {check:<10} {sentence}", flush=True)
    return faults, seconds, slowest


def main(arguments: list[str] | None = None) -> int:
    """Ask, print, and return the exit code."""
    options = options_of(arguments)
    start = time.perf_counter()
    planned = plan(options.rows, tuple(options.checks)) + plan(options.new, ("parity",))
    faults, seconds, slowest = ask_all(planned, options.jobs)
    spent = ", ".join(f"{check} {value:.0f} s" for check, value in seconds.items())
    print(
        f"{len(planned)} rows, {faults} faults, {time.perf_counter() - start:.0f} s on "
        f"{options.jobs} processes ({spent}; slowest row {slowest[1]} {slowest[0]:.0f} s)"
    )
    if options.whole and not faults:
        zoo_changes.write(options.families)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
