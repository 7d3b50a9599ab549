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
SHOWN = 4  # chapters that are offered; next.mjs has the same number
BEGIN = (
    "When you have read a chapter, say so at its end: then this page shows what you can read next, and "
    "your browser alone keeps it. These chapters need no other:"
)
FILE = "_static/chapters.js"


class NextChapters(SphinxDirective):
    """A place for the chapters to read next; without a script it is not shown."""

    option_spec = {"begin": lambda text: True}

    def run(self):
        gathered.mark(self.env, self.env.docname, STORE)
        return [nodes.raw("", place(), format="html", begin="begin" in self.options)]


def place(page=""):
    """The place, empty, as HTML. page: the chapter at whose end it stands."""
    told = f' data-page="{page}" role="status"' if page else ""
    return f'<div class="dlbook-next"{told}></div>\n'


def begin(app, doctree, docname):
    """Write what a place says before anything is read, where it says something then: where to begin."""
    for node in list(doctree.findall(nodes.raw)):
        if not node.get("begin"):
            continue
        known, hours = ways.heads(app.env), ways.hours(app.env)
        first = [page for page, head in known.items() if not any(need in known for need in head.needs)]
        rows = nodes.bullet_list()
        for page in first[:SHOWN]:
            address = app.builder.get_relative_uri(docname, page)
            link = nodes.reference("", known[page].title, refuri=address, internal=True)
            words = nodes.Text(f" · {ways.in_hours(hours[page])}")
            rows += nodes.list_item("", nodes.paragraph("", "", link, words))
        node.replace_self(nodes.container("", nodes.paragraph("", BEGIN), rows, classes=["dlbook-next"]))


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
    app.connect("doctree-resolved", begin, priority=400)
    app.connect("html-page-context", add_scripts)
