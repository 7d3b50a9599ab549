"""The search: an index of the book's prose, one entry a section, and a page that looks through it.

No code and no ledger is in it, so that "bias" does not find `.bias`. The index is a script that sets a
variable: a page that was opened as a file may load it. Its entries are [page, place, title of the page,
heading, text], and then the terms that the section defines: who looks for one wants its definition.
"""

import json
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

from .api import FOLDER
from .folds import Fold
from .rendering import leave_out

INDEX = "search-index.js"
MOST = 200  # letters that are indexed of a module, class or function of the package
LEFT_OUT = (
    nodes.literal_block,
    nodes.raw,
    nodes.math_block,
    nodes.image,
    nodes.comment,
    nodes.system_message,
    addnodes.desc,
    Fold,
)
LISTS = {"dlbook-claims", "listed-again"}  # what stands elsewhere, gathered on a page
GREEK = dict(zip("alpha beta gamma delta eta lambda mu sigma tau chi".split(), "αβγδηλμστχ", strict=True))
PLAIN = re.compile(r"[^\\{}^_]+")


def in_words(tex):
    """A formula of a line as far as it can be read as words.

    >>> in_words(r"\\alpha=2"), in_words(r"\\frac{1}{2}")
    ('α=2', '…')
    """
    text = re.sub(r"\\(\w+)", lambda command: GREEK.get(command[1], command[0]), tex)
    return text if PLAIN.fullmatch(text) else "…"


def prose(node):
    """The words of a node, without code, listings, ledgers and the sections inside."""
    if isinstance(node, nodes.Text):
        return str(node)
    if isinstance(node, nodes.math):
        return in_words(node.astext())
    if isinstance(node, LEFT_OUT) or LISTS & set(node.get("classes", ())) or is_section(node):
        return ""
    between = "" if isinstance(node, nodes.TextElement) else " "
    return between.join(prose(child) for child in node.children)


def is_section(node):
    """Whether a node is a section of the page, and not the inside of an exercise."""
    return isinstance(node, nodes.section) and isinstance(node.parent, nodes.section | nodes.document)


def entries(doctree, numbers):
    """One entry a section: [place, heading, text, *terms]. numbers: "#place" -> tuple, "" the page's."""
    found = []
    for section in filter(is_section, doctree.findall(nodes.section)):
        place = section["ids"][0] if found else ""
        number = numbers.get(f"#{place}" if place else "", ())
        heading = " ".join([".".join(map(str, number)), prose(section[0])]).strip()
        text = " ".join(" ".join(prose(child) for child in section.children[1:]).split())
        found.append([place, heading, text, *defined(section)])
    return found + list(names(doctree))


def defined(section):
    """The terms that a section defines, without those of the sections inside."""
    for note in section.findall(lambda node: isinstance(node, nodes.Element) and "term" in node.attributes):
        around = note.parent
        while not is_section(around):
            around = around.parent
        if around is section:
            yield note["term"]


def names(doctree):
    """One entry a function or class of the package: its place, its name, the first paragraph on it."""
    for described in doctree.findall(addnodes.desc):
        signature = described[0]
        if described["objtype"] in ("function", "class") and signature["ids"]:
            first = next(described[-1].findall(nodes.paragraph), None)
            text = " ".join(prose(first).split()) if first else ""
            yield [signature["ids"][0], signature["fullname"], text[:MOST]]


def collect(app, doctree, docname):
    """Keep the entries of a page that is about to be written."""
    if app.builder.format == "html":
        numbers = {key: n for key, n in app.env.toc_secnumbers.get(docname, {}).items() if n}
        found = entries(doctree, numbers)
        if docname.startswith(f"{FOLDER}/"):  # of a module its name and what it is, as of its functions
            found[0][2] = found[0][2][:MOST]
        app.builder.dlbook_search[docname] = found


def write(app, exception):
    """Write the index: the pages of this build, and of earlier ones those that it did not have to write."""
    if exception or app.builder.format != "html":
        return
    kept = Path(app.doctreedir, "search.json")
    pages = json.loads(kept.read_text("utf8")) if kept.is_file() else {}
    pages = {
        name: found
        for name, found in (pages | app.builder.dlbook_search).items()
        if name in app.env.found_docs
    }
    kept.write_text(json.dumps(pages), "utf8")
    rows = [
        [f"{name}.html", place, found[0][1], heading, text, *terms]
        for name, found in sorted(pages.items())
        for place, heading, text, *terms in found
    ]
    script = f"window.dlbookSearch = {json.dumps(rows, ensure_ascii=False, separators=(',', ':'))};\n"
    Path(app.outdir, INDEX).write_text(script, "utf8")


def replace_search(app):
    """Leave Sphinx's own index of whole pages out."""
    if app.builder.format == "html":
        app.builder.search, app.builder.dlbook_search = False, {}


def drop_highlighting(app, pagename, templatename, context, doctree):
    """Sphinx's script that marks words on a page offers to hide them above every title."""
    leave_out(context, "sphinx_highlight")


def connect(app):
    """Put the page of the search in the place of Sphinx's."""
    app.connect(
        "config-inited", lambda app, config: config.html_additional_pages.update(search="search-page.html")
    )
    app.connect("builder-inited", replace_search)
    app.connect("doctree-resolved", collect, priority=900)
    app.connect("html-page-context", drop_highlighting, priority=900)
    app.connect("build-finished", write)
