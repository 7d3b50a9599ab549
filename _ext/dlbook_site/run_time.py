"""The role `{run-time}`: what the chapter took in the recorded run, on which machine.

`python scripts/record_run_times.py` writes `chapters/run_times.json`. A chapter without a record says so: the
last build's seconds would tell more of the machine's other work than of the chapter.
"""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxRole

from .own_scripts import run_times, toc

FILE = toc.RUN_TIMES.relative_to(toc.ROOT)


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
        return [nodes.Text(run_times.run_time(Path(self.env.srcdir, FILE), page))], []


def connect(app):
    """Register the role; `freshness` makes the pages new when the record changes."""
    app.add_role("run-time", RunTime())
