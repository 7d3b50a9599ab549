"""`make book` on a small book: one chapter's failure does not take the book away, what has not changed costs
nothing, and Ctrl-C at any time ends with one sentence.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from bs4 import BeautifulSoup

from tests.scripts.test_execution import CHAPTER

ROOT = Path(__file__).resolve().parents[2]
SOUND, FAILING = CHAPTER.format(first="x = 3", second="print(x * 14)"), "assert x == 4, 'three is not four'"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A copy of what builds the site, with two chapters and a page without code."""
    house = tmp_path_factory.mktemp("book")
    for folder in ("scripts", "dlbook", "_ext", "_static", "data"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("_config.yml", "requirements.txt"):
        shutil.copy(ROOT / name, house)
    for name, text in {
        "_toc.yml": "format: jb-book\nroot: index\nchapters: [{file: a}, {file: b}]\n",
        "references.bib": "@misc{nobody2026, title={T}, author={A}, year={2026}}\n",
        "index.md": "# The cover\n\nSee [](a.md) and [](b.md). Run time: {run-time}`index`.\n",
        "a.md": CHAPTER.format(first="x = 3", second="print(x * 13)"),
        "b.md": SOUND,
    }.items():
        (house / name).write_text(text)
    return house


def start(book: Path) -> subprocess.Popen:
    env = os.environ | {"PYTHONPATH": str(book)}
    words = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "scripts/build_book.py"], cwd=book, env=env, **words)


def build(book: Path) -> tuple[int, str, str, float]:
    """Exit code, output, errors and processor seconds of one build."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = start(book)
    out, err = running.communicate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return running.returncode, out, err, seconds


def html(book: Path, page: str) -> str:
    """The words of a built page."""
    return BeautifulSoup(
        (book / "_build" / "html" / f"{page}.html").read_text("utf8"), "html.parser"
    ).get_text()


def test_a_failing_chapter_does_not_take_the_book_away(book):
    (book / "b.md").write_text(CHAPTER.format(first="x = 3\nprint(x * 14)", second=FAILING))
    code, out, err, _ = build(book)
    assert code == 1 and "not whole. One chapter failed" in out
    assert err.strip().splitlines() == [
        "FAILED b.md, code cell 2 of 2:",
        "    AssertionError: three is not four",
        "    to see it whole, run this chapter alone: .venv/bin/python scripts/execute.py b.md",
    ]
    assert "Run time: not recorded yet." in html(book, "index")
    assert "39" in html(book, "a") and "did not run to its end" not in html(book, "a")
    told = html(book, "b")
    assert "This chapter did not run to its end on this machine" in told and "Code cell 2 of 2" in told
    assert "three is not four" in told and "scripts/execute.py b.md" in told and "42" in told
    alone = [sys.executable, "scripts/execute.py", "b.md"]
    done = subprocess.run(alone, cwd=book, capture_output=True, text=True)
    assert done.returncode == 1 and FAILING in done.stderr and "FAILED b.md, code cell 2 of 2" in done.stderr


def test_the_next_build_runs_it_again_and_the_box_goes(book):
    (book / "b.md").write_text(SOUND)
    code, out, err, _ = build(book)
    assert code == 0 and "executing 1 of 2 chapters: b.md" in out and err == ""
    assert "did not run to its end" not in html(book, "b") and "42" in html(book, "b")


def test_nothing_changed_is_told_at_once(book):
    code, out, _, seconds = build(book)
    assert code == 0 and out.startswith("Nothing has changed") and len(out.splitlines()) == 1
    assert seconds < 2


@pytest.mark.parametrize(
    "name", ["_config.yml", "_static/custom.css", "references.bib", "requirements.txt", "a.md"]
)
def test_each_change_is_seen(book, name):
    before = (book / name).read_text("utf8")
    (book / name).write_text(before + "\n", "utf8")
    code = "import build_book as b; print(b.is_built(b.state()))"
    ask = [sys.executable, "-c", code]
    env = os.environ | {"PYTHONPATH": str(book / "scripts")}
    try:
        assert subprocess.run(ask, cwd=book, env=env, capture_output=True, text=True).stdout == "False\n"
    finally:
        (book / name).write_text(before, "utf8")
    assert subprocess.run(ask, cwd=book, env=env, capture_output=True, text=True).stdout == "True\n"


def test_changed_prose_runs_no_chapter(book):
    (book / "a.md").write_text(
        (book / "a.md").read_text("utf8").replace("# A chapter", "# Another name"), "utf8"
    )
    notebook = book / "_build" / "notebooks" / "b.ipynb"
    before = notebook.stat().st_mtime_ns
    code, out, _, _ = build(book)
    assert code == 0 and "executing 0 of 2" in out and "Another name" in html(book, "a")
    assert notebook.stat().st_mtime_ns == before
    assert "Another name" in (book / "_build" / "notebooks" / "a.ipynb").read_text("utf8")


def interrupt(running: subprocess.Popen, ready) -> tuple[str, str, list[psutil.Process]]:
    """Press Ctrl-C once `ready()` holds; return the output, the errors, and the processes that were there."""
    while not ready():
        assert running.poll() is None
        time.sleep(0.1)
    family = psutil.Process(running.pid).children(recursive=True)
    assert family
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    return out, err, family


def test_ctrl_c_while_a_chapter_runs(book):
    (book / "a.md").write_text(CHAPTER.format(first="x = 5", second="print(x * 5)"))
    (book / "b.md").write_text(CHAPTER.format(first="import time", second="time.sleep(100)"))
    executed = book / "_build" / "executed.json"
    (book / "_build" / "running" / "b.cell").unlink(missing_ok=True)

    def ready() -> bool:
        cell = book / "_build" / "running" / "b.cell"
        code = json.loads(executed.read_text()).get("a.md", [""])[0]
        return cell.exists() and cell.read_text() == "2 2" and code != before

    before = json.loads(executed.read_text())["a.md"][0]
    running = start(book)
    _, err, family = interrupt(running, ready)
    assert running.returncode == 130 and "Traceback" not in err
    assert err.strip() == "Stopped. What was done is kept: 'make book' goes on from there."
    psutil.wait_procs(family, timeout=10)
    assert not [process for process in family if process.is_running()]
    (book / "b.md").write_text(SOUND)
    code, out, _, _ = build(book)
    assert code == 0 and "25" in html(book, "a") and "a.md" not in out  # what had ended was kept


def test_ctrl_c_while_pages_are_built(book):
    (book / "_static" / "custom.css").write_text("/* every page is new */\n")
    (book / "_build" / "html.log").unlink()
    log = book / "_build" / "html.log"
    running = start(book)
    _, err, _ = interrupt(running, lambda: log.exists() and log.stat().st_size > 0)
    assert running.returncode == 130 and err.strip().startswith("Stopped.") and "Traceback" not in err
    code, out, _, _ = build(book)
    assert code == 0 and "executing 0 of 2" in out


@pytest.mark.parametrize("word", ["--help", "--fast"])
def test_asking_for_help_does_not_build(word):
    asked = [sys.executable, ROOT / "scripts" / "build_book.py", word]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60)
    assert (
        told.returncode == (0 if word == "--help" else 2)
        and "usage: build_book.py" in told.stdout + told.stderr
    )
