"""What takes a browser long and is much alike from page to page is not asked of each page at each run. A page whose
source is of the last days is looked at whole; of the others a third, each week another one; and where a page is looked at in
one of several ways, its name and the week say in which. The focus goes through a third of all pages. DLBOOK_EVERY_TURN=1 asks everything (the weekly run).
"""

import datetime
import os
import random
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAYS = 8
PARTS = 3


def turn(path, ways, week=None):
    """The ways in which a page is asked now: one of `ways`, or all.

    week: such as "2026-W48"; None takes this week.

    >>> turn("c.html", [1400, 1920], "2026-W48"), turn("c.html", [1400, 1920], "2026-W49")
    ([1920], [1400])
    """
    if os.environ.get("DLBOOK_EVERY_TURN"):
        return list(ways)
    week = week or "{}-W{}".format(*datetime.date.today().isocalendar()[:2])
    return [random.Random(f"{path} {week}").choice(list(ways))]


def due(path, recent, week=None):
    """Whether a page is looked at now.

    recent: the sources that were changed in the last days; a page without a source of its own is always due.

    >>> due("chapters/a.html", {"chapters/a.md"}), due("search.html", set())
    (True, True)
    """
    source = path.replace(".html", ".md")
    return source in recent or not (ROOT / source).is_file() or 0 in turn(path, range(PARTS), week)


@cache
def recent_sources():
    """Files that were changed in the days before the newest commit, or since; all pages where there is no history."""
    if not (ROOT / ".git").exists():
        return {file.relative_to(ROOT).as_posix() for file in (ROOT / "chapters").rglob("*.md")}
    newest = datetime.datetime.fromisoformat(git("show", "-s", "--format=%cI", "HEAD")[0])
    since = (newest - datetime.timedelta(days=DAYS)).isoformat()
    changed = git("log", f"--since={since}", "--name-only", "--format=") + git("diff", "--name-only", "HEAD")
    return {line for line in changed if line}


def git(*words):
    """The lines that git prints in the repository."""
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
