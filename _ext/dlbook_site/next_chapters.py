"""The chapters that one can read next: `{next-chapters}`, the end of each chapter, and the map.

What a reader has read, the reader's browser keeps alone (`_static/review_chapter.mjs`), so the page finds
the next chapters itself (`_static/next.mjs`), from one small file with each chapter's title, hours and needs.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from . import gathered, ways

STORE = "next"
FILE = "_static/chapters.js"


class NextChapters(SphinxDirective):
    """A place for the chapters to read next; it stays empty without a script."""

    option_spec = {"begin": lambda text: True}

    def run(self):
        gathered.mark(self.env, self.env.docname, STORE)
        return [nodes.raw("", place(begin="begin" in self.options), format="html")]


def place(page="", begin=False):
    """The place, as HTML. page: the chapter that it ends; begin: whether it speaks before any is read."""
    told = f' data-page="{page}" role="status"' if page else ""
    return f'<div class="dlbook-next"{" data-begin" * begin}{told}></div>\n'


def script(env):
    """The file: for each chapter, in the book's order, its title, its hours and the chapters that it needs.

    >>> from types import SimpleNamespace as Part
    >>> script(Part(srcdir=".", external_site_map=Part(root=Part(subtrees=[]))))
    'window.dlbookChapters = {};\\n'
    """
    known, hours = ways.heads(env), ways.hours(env)
    rows = {
        page: [head.title, ways.in_hours(hours[page]), [need for need in head.needs if need in known]]
        for page, head in known.items()
    }
    return f"window.dlbookChapters = {json.dumps(rows, ensure_ascii=False, separators=(',', ':'))};\n"


def write(app, env):
    """Write the file after all pages are read and before any is written: a link to it names its content."""
    if app.builder.format != "html":
        return
    target, text = Path(app.outdir, FILE), script(env)
    if not target.is_file() or target.read_text("utf8") != text:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf8")


def add_scripts(app, pagename, templatename, context, doctree):
    """Load the scripts where there is a place for them."""
    if gathered.gathers(app.env, pagename, STORE) or gathered.kept(app.env, "cards").get(pagename):
        for name in ("kept.mjs", "review_chapter.mjs", "chapters.js"):
            app.add_js_file(name, defer="defer", priority=400 if name == "kept.mjs" else 450)
        app.add_js_file("next.mjs", defer="defer")


def connect(app):
    """Register the directive and what is made of it."""
    app.add_directive("next-chapters", NextChapters)
    app.connect("env-check-consistency", write)
    app.connect("html-page-context", add_scripts)
