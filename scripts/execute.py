"""Executes the chapters that changed, some at once, into the cache that the book is built from.

`python scripts/execute.py` runs all that changed; with paths of chapters, those alone, and shows their errors
whole. No cell has a limit of time: a slow machine gets its book later. A chapter that fails is kept up to the
cell that failed, and told; the others go on.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from processes import end, interrupt_on_sigterm, processors, start
from progress import Progress, duration
from run_times import recorded_seconds, seconds_left
from toc import ROOT, code_hash, fingerprint, notebooks

BUILD = ROOT / "_build"
EXECUTED = (
    BUILD / "executed.json"
)  # chapter -> hash of its code and fingerprint of its imports, when it last ran
FAILURES = BUILD / "failures.json"  # page -> what happened; the site shows it on the page


@dataclass
class Running:
    """One chapter that is being executed."""

    chapter: Path
    file: Path
    process: subprocess.Popen
    state: list[str]
    since: float

    def cell(self) -> str:
        """Which cell runs, as "cell 3 of 40"."""
        try:
            number, count = self.file.with_suffix(".cell").read_text().split()
        except (OSError, ValueError):
            return "starts"
        return f"cell {number} of {count}"

    def outcome(self) -> dict:
        """How it went, after the process has ended."""
        try:
            return json.loads(self.file.with_suffix(".json").read_text("utf8"))
        except (OSError, ValueError):
            words = self.file.with_suffix(".log").read_text("utf8", "replace").strip()
            return {
                "error": words.splitlines()[-1] if words else "the kernel did not start",
                "traceback": words,
            }


def name_of(chapter: Path) -> str:
    """The path of a chapter as it is told."""
    return chapter.relative_to(ROOT).as_posix()


def read_json(file: Path) -> dict:
    """What a file of the last build says; {} if there was none, or it is damaged."""
    try:
        return json.loads(file.read_text("utf8"))
    except (OSError, ValueError):
        return {}


def write_json(file: Path, content: dict) -> None:
    """Write a file whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    part.write_text(json.dumps(content, indent=1), "utf8")
    os.replace(part, file)


def state_of(chapter: Path) -> list[str]:
    """What tells whether a chapter has to run again."""
    return [code_hash(chapter), fingerprint(chapter)]


def own_ipython(folder: Path) -> None:
    """Give kernels an IPython folder of the book's own: a reader's start-up files must not change a chapter's
    results.
    """
    profile = folder / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(
        "c = get_config()\nc.IPKernelApp.log_level = 40  # errors only\n", "utf8"
    )
    os.environ["IPYTHONDIR"] = str(folder)


def begin(cache, chapter: Path) -> Running:
    """Start the execution of a chapter."""
    import nbformat
    from chapter_cache import source_of

    file = BUILD / "running" / chapter.relative_to(ROOT).with_suffix(".ipynb")
    file.parent.mkdir(parents=True, exist_ok=True)
    for ending in (".cell", ".json"):
        file.with_suffix(ending).unlink(missing_ok=True)
    nbformat.write(source_of(cache, chapter), file)
    command = [sys.executable, str(ROOT / "scripts" / "run_chapter.py"), str(file), str(chapter.parent)]
    process = start(command, file.with_suffix(".log"))
    return Running(chapter, file, process, state_of(chapter), time.monotonic())


def failure_of(outcome: dict, name: str) -> dict[str, str] | None:
    """What is told of a chapter that failed: where, which error, how to run it alone; None if it did not."""
    if "error" not in outcome:
        return None
    where = "the kernel, outside any cell"
    if "cell" in outcome:
        where = f"code cell {outcome['cell']} of {outcome['cells']}"
    alone = f".venv/bin/python scripts/execute.py {name}"
    return {"where": where, "error": outcome["error"], "traceback": outcome["traceback"], "alone": alone}


class Batch:
    """Chapters that run, the longest first, as many at once as there are processors."""

    def __init__(self, cache, chapters: list[Path], progress: Progress) -> None:
        self.cache, self.progress, self.recorded = cache, progress, recorded_seconds()
        self.waiting = sorted(chapters, key=lambda chapter: -self.recorded.get(name_of(chapter), 0))
        self.workers = 1 if os.environ.get("DLBOOK_SCALE") == "gpu" else processors()
        self.running: list[Running] = []
        self.took: dict[str, float] = {}
        self.failed: dict[str, dict] = {}
        self.executed = read_json(EXECUTED)
        self.count = len(chapters)

    def run(self) -> dict[str, dict]:
        """Run all; return the failures by name. However it ends, no process of it stays."""
        try:
            while self.waiting or self.running:
                while self.waiting and len(self.running) < self.workers:
                    self.running.append(begin(self.cache, self.waiting.pop(0)))
                time.sleep(0.2)
                for run in [run for run in self.running if run.process.poll() is not None]:
                    self.running.remove(run)
                    self.finish(run)
                shown = ", ".join(f"{run.chapter.stem} ({run.cell()})" for run in self.running)
                self.progress.status(f"[{len(self.took)}/{self.count}] {self.left()}; running {shown}")
        finally:
            for run in self.running:
                end(run.process)
        return self.failed

    def finish(self, run: Running) -> None:
        """Keep what an ended chapter gave, mark its page to be written again, and say how it went."""
        import nbformat
        from chapter_cache import forget_page, keep

        outcome, name = run.outcome(), name_of(run.chapter)
        failure = failure_of(outcome, name)
        fingerprint_then = "failed" if failure else run.state[1]
        notebook = nbformat.read(run.file, as_version=4)
        keep(self.cache, run.chapter, notebook, outcome.get("processor_seconds", 0.0), fingerprint_then)
        forget_page(run.chapter)
        self.executed.pop(name, None)
        if failure:
            self.failed[name] = failure
        else:
            self.executed[name] = run.state
        write_json(EXECUTED, self.executed)
        self.took[name] = time.monotonic() - run.since
        words = f"failed in {failure['where']}" if failure else "done"
        more = f"; {self.left()}" if self.waiting or self.running else ""
        self.progress.line(
            f"[{len(self.took)}/{self.count}] {name}: {words} after {duration(self.took[name])}{more}"
        )

    def left(self) -> str:
        """How long it will still take, in words."""
        running = {name_of(run.chapter): time.monotonic() - run.since for run in self.running}
        waiting = [name_of(chapter) for chapter in self.waiting]
        return (
            f"about {duration(seconds_left(self.recorded, waiting, running, self.took, self.workers))} left"
        )


def execute(wanted: list[Path] | None = None) -> dict[str, dict]:
    """Execute what has changed, or the wanted chapters; return the failures of all chapters by name.

    A failure has "where", "error", "traceback" and "alone", the command that runs the chapter alone.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # several chapters at once: one thread each
    own_ipython(BUILD / "ipython")
    chapters, progress = notebooks(), Progress()
    executed = read_json(EXECUTED)
    waiting = wanted or [c for c in chapters if executed.get(name_of(c)) != state_of(c)]
    if not waiting and (BUILD / ".jupyter_cache").is_dir():
        progress.line(f"executing 0 of {len(chapters)} chapters: none has changed")
        return {}
    from chapter_cache import is_kept, open_cache  # here, since it takes a second

    cache = open_cache(chapters)
    if not wanted:
        waiting = [chapter for chapter in chapters if not is_kept(cache, chapter)]
    names, recorded = list(map(name_of, waiting)), recorded_seconds()
    told = f": {', '.join(names)}" if waiting else ""
    if waiting and recorded:
        told += f" (about {duration(seconds_left(recorded, names, {}, {}, processors()))})"
    progress.line(f"executing {len(waiting)} of {len(chapters)} chapters{told}")
    failed = Batch(cache, waiting, progress).run()
    progress.clear()
    ran = set(map(name_of, waiting))
    earlier = {name: told for name, told in read_json(FAILURES).items() if wanted and name not in ran}
    write_json(FAILURES, earlier | failed)
    write_json(
        EXECUTED,
        {name_of(c): state_of(c) for c in chapters if name_of(c) not in failed and is_kept(cache, c)},
    )
    return failed


def report(failed: dict[str, dict], whole: bool = False) -> None:
    """Say which chapters failed, in which cell, with which error, and how to run each alone."""
    for name, told in failed.items():
        if whole and told["traceback"]:
            print(f"\n{told['traceback']}", file=sys.stderr)
        error = told["error"].strip().replace("\n", "\n    ")
        print(f"\nFAILED {name}, {told['where']}:\n    {error}", file=sys.stderr)
        if not whole:
            print(f"    to see it whole, run this chapter alone: {told['alone']}", file=sys.stderr)


if __name__ == "__main__":
    interrupt_on_sigterm()
    try:
        pages = [Path(argument).resolve() for argument in sys.argv[1:]]
        if unknown := [str(page) for page in pages if page not in notebooks()]:
            sys.exit(f"no chapter with code: {', '.join(unknown)}; _toc.yml lists the chapters")
        failures = execute(pages)
        report(failures, whole=bool(pages))
    except KeyboardInterrupt:
        sys.exit("\nStopped; what was executed is kept, and the next run goes on from there.")
    sys.exit(1 if failures else 0)
