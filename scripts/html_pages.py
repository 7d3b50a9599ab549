"""Builds the HTML from the executed chapters, by Jupyter Book, and shows how far it is."""

import os
import re
import sys
import time
from pathlib import Path

from processes import end, start
from progress import Progress
from toc import ROOT

LOG = ROOT / "_build" / "html.log"
STEP = re.compile(rb"(reading sources|writing output)\.\.\. \[ *(\d+)%\] ([^\s\x1b]+)")
WORDS = {b"reading sources": "reading", b"writing output": "writing"}
WARNING = re.compile(r"^.*(?:WARNING|ERROR|CRITICAL): ", re.M)


def build_html(progress: Progress, strict: bool = True) -> None:
    """Build what has changed into _build/html. strict: stop the program if there is a warning.

    Where a chapter has failed, warnings follow from it (numbers that its prose quotes are not there). Then
    they go to the log alone, and only a build without pages stops the program.
    """
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "--keep-going"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    progress.line("building the HTML")
    process = start([*command, *(["-W"] if strict else [])], LOG, cwd=ROOT, env=environment)
    try:
        while process.poll() is None:
            time.sleep(0.2)
            progress.status(how_far(LOG.read_bytes()))
    finally:
        end(process)
    progress.clear()
    told = LOG.read_text("utf8", "replace")
    if (strict and process.returncode) or not (ROOT / "_build" / "html" / "index.html").is_file():
        warnings = [line for line in told.splitlines() if WARNING.match(line)]
        print("\n".join(warnings or told.splitlines()[-15:]), file=sys.stderr)
        sys.exit(
            "\nThe HTML was not built without faults: see above, and the whole log in "
            f"{LOG.relative_to(ROOT)}."
        )


def how_far(log: bytes) -> str:
    """The last step that Sphinx has written of, in words.

    >>> how_far(b"reading sources... [ 50%] chapters/front/zoo")
    'HTML: reading, 50 %, chapters/front/zoo'
    """
    steps = STEP.findall(log)
    if not steps:
        return "HTML: starting"
    what, percent, page = steps[-1]
    return f"HTML: {WORDS[what]}, {percent.decode()} %, {page.decode('utf8', 'replace')}"
