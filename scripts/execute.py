"""Executes the chapters that changed, in parallel, into the cache that the book is built from.

The cache knows a notebook by its code alone. So a chapter whose imported modules or data have changed is
taken out of the cache first, and its page is marked to be written again.
"""

import json
import logging
import os
import re
import sys
from pathlib import Path

import jupytext
from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from toc import ROOT, fingerprint, notebooks

BUILD = ROOT / "_build"
CACHE = BUILD / ".jupyter_cache"
FINGERPRINTS = BUILD / "fingerprints.json"
SECONDS_PER_CELL = 600 if os.environ.get("DLBOOK_SCALE") == "gpu" else 120


def drop_stale(cache, chapters: list[Path]) -> dict[str, str]:
    """Forget the outputs of chapters whose code is the same but what they import is not; return the
    fingerprints.
    """
    old = json.loads(FINGERPRINTS.read_text("utf8")) if FINGERPRINTS.exists() else {}
    new = {str(chapter.relative_to(ROOT)): fingerprint(chapter) for chapter in chapters}
    for chapter in chapters:
        name = str(chapter.relative_to(ROOT))
        if old.get(name) == new[name]:
            continue
        try:
            cache.remove_cache(cache.match_cache_notebook(jupytext.read(chapter)).pk)
        except KeyError:
            pass
        (BUILD / ".doctrees" / name).with_suffix(".doctree").unlink(missing_ok=True)
    return new


def told(traceback: str) -> str:
    """The part of a traceback that is the chapter's own: its cell and its error, without colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", traceback)
    return plain[max(0, plain.find("An error occurred while executing the following cell")) :].strip()


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


def failing_cell(chapter: Path, traceback: str) -> str:
    """Name the cell of a chapter that stands in the traceback of its execution."""
    cells = [cell for cell in jupytext.read(chapter).cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells, 1):
        if cell.source.strip() and f"------------------\n{cell.source}\n" in traceback:
            return f"code cell {number} of {len(cells)}"
    return "the kernel, outside any cell"


def execute() -> int:
    """Execute what is not in the cache; print each failure with chapter, cell and error; return how many
    failed.
    """
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two chapters at once: one thread each
    own_ipython(BUILD / "ipython")
    CACHE.mkdir(parents=True, exist_ok=True)
    cache = get_cache(str(CACHE))
    chapters = notebooks()
    known = {str(chapter) for chapter in chapters}
    for record in cache.list_project_records():
        if record.uri not in known:
            cache.remove_nb_from_project(record.pk)
    for chapter in chapters:
        cache.add_nb_to_project(str(chapter), read_data={"name": "myst_nb_md", "type": "plugin"})
    new = drop_stale(cache, chapters)
    waiting = cache.list_unexecuted()
    names = [str(Path(record.uri).relative_to(ROOT)) for record in waiting]
    print(
        f"executing {len(names)} of {len(chapters)} chapters" + (f": {', '.join(names)}" if names else ""),
        flush=True,
    )
    if waiting:
        quiet = logging.getLogger("dlbook.execute")
        quiet.setLevel(logging.CRITICAL)
        load_executor("local-parallel", cache, logger=quiet).run_and_cache(timeout=SECONDS_PER_CELL)
    failed = cache.list_unexecuted()
    for record in failed:
        chapter = Path(record.uri)
        traceback = cache.get_project_record(record.pk).traceback or "it did not run at all"
        print(
            f"\nFAILED {chapter.relative_to(ROOT)}, {failing_cell(chapter, traceback)}:\n{told(traceback)}",
            file=sys.stderr,
        )
        new.pop(str(chapter.relative_to(ROOT)), None)
    FINGERPRINTS.write_text(json.dumps(new, indent=1), "utf8")
    return len(failed)


if __name__ == "__main__":
    sys.exit(1 if execute() else 0)
