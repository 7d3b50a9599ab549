"""Records what each chapter takes: `python scripts/record_run_times.py [CHAPTER ...]`.

A chapter is given by its slug (fixmatch) or by its path (chapters/semi/fixmatch.md).

The chapters run one after the other, each in a kernel of its own. Processor seconds, peak memory, the
machine, the date and the commit go into chapters/run_times.json. The pages show them, and `make book`
estimates by them. No arguments means all chapters.
"""

import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

from chapter_cache import open_cache
from execute import BUILD, begin, own_ipython, read_json
from processes import end, processors
from toc import ROOT, RUN_TIMES, notebooks

sys.path.insert(0, str(ROOT))
from dlbook.files import write_whole


def processor_name() -> str:
    """What the machine calls its processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf8").splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def commit() -> str:
    """The commit that was run, with -dirty where the package or the chapters differ from it."""
    git = lambda *words: subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    changed = git(
        "status", "--porcelain", "--", "dlbook", "chapters/*/*.md", "index.md", "data", "requirements.txt"
    )
    return git("rev-parse", "--short=10", "HEAD") + ("-dirty" if changed else "")


def measure(chapter: Path, cache) -> dict:
    """Run one chapter and return its record. Stops the program if it fails."""
    run = begin(cache, chapter)
    try:
        run.process.wait()
    finally:
        end(run.process)
    outcome = run.outcome()
    if "error" in outcome:
        sys.exit(
            f"{chapter}: {outcome['error']}; run it alone: "
            f"python scripts/execute.py {chapter.relative_to(ROOT)}"
        )
    return {
        "processor_seconds": round(outcome["processor_seconds"], 1),
        "peak_mebibytes": round(outcome["peak_mebibytes"]),
        "processor": processor_name(),
        "cores": processors(),
        "date": date.today().isoformat(),
        "commit": commit(),
    }


def find_chapter(name: str) -> Path:
    """Find the page with code that a slug or a path names.

    Args:
        name: a slug such as fixmatch, or a path from the current folder or from the root of the book.

    Raises:
        ValueError: for a name that fits no page with code, or more than one.
    """
    paths = {Path(name).resolve(), (ROOT / name).resolve()}
    fitting = [page for page in notebooks() if page.resolve() in paths or page.stem == name]
    if len(fitting) != 1:
        found = ", ".join(str(page.relative_to(ROOT)) for page in fitting) or "no such page"
        raise ValueError(
            f"expected the slug or path of one page with code, got {name!r} ({found}); "
            "give a path that _toc.yml lists, such as chapters/semi/fixmatch.md"
        )
    return fitting[0]


def main(wanted: list[Path]) -> None:
    """Record the wanted chapters, each as soon as it has run."""
    os.environ["OMP_NUM_THREADS"] = "1"
    own_ipython(BUILD / "ipython")
    cache = open_cache(notebooks())
    for chapter in wanted or notebooks():
        page = chapter.relative_to(ROOT).with_suffix("").as_posix()
        record = measure(chapter, cache)
        known = read_json(RUN_TIMES).get("chapters", {}) | {page: record}
        order = [p.relative_to(ROOT).with_suffix("").as_posix() for p in notebooks()]
        kept = {page: known[page] for page in order if page in known}
        write_whole(RUN_TIMES, json.dumps({"chapters": kept}, indent=1) + "\n")
        print(
            f"{page}: {record['processor_seconds']} processor seconds, {record['peak_mebibytes']} MiB",
            flush=True,
        )


if __name__ == "__main__":
    try:
        chapters = [find_chapter(argument) for argument in sys.argv[1:]]
    except ValueError as error:
        sys.exit(f"{Path(__file__).name}: {error}")
    main(chapters)
