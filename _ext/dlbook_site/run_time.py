"""The role `{run-time}`: what the chapter took in the recorded run, on which machine.

`python scripts/record_run_times.py` writes `chapters/run_times.json`. A chapter without a record says so: the
last build's seconds would tell more of the machine's other work than of the chapter.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxRole

FILE = "chapters/run_times.json"
NONE = "not recorded yet"


def in_words(record):
    """One chapter's record as its page says it.

    >>> machine = {"cores": 2, "processor": "AMD EPYC", "date": "2026-11-28"}
    >>> in_words({"processor_seconds": 44.6, "peak_mebibytes": 812, **machine})
    '45 processor seconds and 812 MiB of memory, recorded on 2026-11-28 on a machine with 2 cores (AMD EPYC)'
    """
    seconds = max(1, round(record["processor_seconds"]))
    cores = f"{record['cores']} core{'s' * (record['cores'] != 1)}"
    return (
        f"{seconds} processor second{'s' * (seconds != 1)} and {record['peak_mebibytes']} MiB of memory, "
        f"recorded on {record['date']} on a machine with {cores} ({record['processor']})"
    )


def run_time(file, page):
    """The words for a page, by its name without ending."""
    if not file.is_file():
        return NONE
    record = json.loads(file.read_text("utf8"))["chapters"].get(page)
    return in_words(record) if record else NONE


class RunTime(SphinxRole):
    """{run-time}`resnet`, on the page chapters/architectures/resnet."""

    def run(self):
        page = self.env.docname
        slug = page.rpartition("/")[2].replace("_", "-")
        if self.text != slug:
            told = self.inliner.reporter.error(
                f"expected {{run-time}}`{slug}`, got `{self.text}`; a page says its own run time",
                line=self.lineno,
            )
            return [], [told]
        return [nodes.Text(run_time(Path(self.env.srcdir, FILE), page))], []


def connect(app):
    """Register the role; `freshness` makes the pages new when the record changes."""
    app.add_role("run-time", RunTime())
