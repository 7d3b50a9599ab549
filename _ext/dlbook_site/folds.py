"""Folds code: in *Read* all but what teaches, in *Read with code* only what is bookkeeping.

Each fold is a `<details>`, so that it opens by hand without a script. What a cell's tags say:

teach       the code is the idea: it stands open, always
checks      ledger, insertions, comparisons: folded in both, "How this is checked"
hide-input  set-up and code of figures: folded in both
no tag      folded in Read, open in Read with code, as the listings of the package's own code are

The switch stands in the header of a page that has something to open. It is remembered, and is set before the
page is painted.
"""

import ast
import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

HERE = Path(__file__).parent
LISTING = re.compile(r"(?P<file>\S+), lines (?P<lines>[\d–-]+), as it stands in the package:")
OPENED = "fold-code"  # the class of what the switch opens


class Fold(nodes.Element):
    """What is folded, below one line that says what it is. label, words: the line; words may be empty."""


def visit_fold(self, node):
    """Begin the element and write its line."""
    words = f'<span class="fold-words">{self.encode(node["words"])}</span>' if node["words"] else ""
    self.body.append(f'<details class="fold {" ".join(node["classes"])}">')
    self.body.append(
        f'<summary><span class="fold-label">{self.encode(node["label"])}</span>{words}</summary>\n'
    )


def depart_fold(self, node):
    """End the element."""
    self.body.append("</details>\n")


def fold(parts, label, words, kind):
    """Put sibling nodes into one fold, in the place of the first."""
    parent, at = parts[0].parent, parts[0].parent.index(parts[0])
    made = Fold(label=label, words=words, classes=[f"fold-{kind}"])
    for part in parts:
        parent.remove(part)
        made += part
    parent.insert(at, made)


def named(code):
    """What a cell's line says of its code: its first comment, or the names that it defines.

    >>> named("# Ten runs, one a seed.\\nx = 1"), named("def f(): pass\\nclass G: pass"), named("x = 1")
    ('Ten runs, one a seed', 'f, G', '')
    """
    first = code.strip().partition("\n")[0]
    if first.startswith("# "):
        return first[2:].strip().rstrip(".")
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a cell may hold a command of the notebook
        return ""
    return ", ".join(node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef))


def only_lists(code):
    """Whether a cell does nothing but show the package's code, which then says itself where it stands.

    >>> only_lists("book.source(A.relu)"), only_lists("x = 1\\nbook.source(A.relu)")
    (True, False)
    """
    try:
        body = ast.parse(code).body
    except SyntaxError:
        return False
    call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func) == "book.source"


def shown_by(cell):
    """What a cell's output is: "figure", "table" or ""."""
    if "tag_widget" in cell["classes"] or next(cell.findall(nodes.image), None) is not None:
        return "figure"
    return "table" if any("<table" in raw.astext() for raw in cell.findall(nodes.raw)) else ""


def fold_input(cell, source):
    """Fold the code that a cell ran, as its tags ask for."""
    code, shown = source.astext(), shown_by(cell)
    label = f"Code of this {shown}" if shown else "Code"
    if "tag_checks" in cell["classes"]:
        fold([source], "How this is checked", "", "checks")
    elif "tag_hide-input" in cell["classes"]:
        fold([source], label if shown else "Set-up", "", "setup")
    else:
        fold([source], label, named(code), "code")


def fold_listings(output, names):
    """Fold what `book.source` has put out: a paragraph that says where, and the code."""
    for block in list(output.findall(nodes.literal_block)):
        where = block.parent[block.parent.index(block) - 1] if block.parent.index(block) else None
        told = LISTING.search(where.astext()) if isinstance(where, nodes.paragraph) else None
        if told:
            words = f"{names} · {told['file']}" if names else told["file"]
            fold([where, block], "Code of the package", words, "code")


def listed(code):
    """The names that a cell asks the package's code of.

    >>> listed("x = 1\\nbook.source(A._part, A.sigmoid, docstrings=False)")
    '_part, sigmoid'
    """
    found = re.search(r"book\.source\(([^()]*)\)", code)
    names = [name.strip().rpartition(".")[2] for name in found[1].split(",")] if found else []
    return ", ".join(name for name in names if name.isidentifier())


class FoldCode(SphinxPostTransform):
    """Wraps code in folds; after the output's form is chosen, before myst-nb would hide it in its own way."""

    default_priority = 150
    formats = ("html",)

    def run(self, **kwargs):
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code" and cell.children:
                fold_cell(cell)


def fold_cell(cell):
    """Fold one cell's input and the listings in its output."""
    source = cell[0] if cell[0].get("nb_element") == "cell_code_source" else None
    code = source.astext() if source else ""
    teaches = "tag_teach" in cell["classes"]
    output = cell[-1]
    if cell.get("hide_mode") == "input":
        del cell["hide_mode"]
    if source and only_lists(code):
        cell.remove(source)
    elif source and not teaches:
        fold_input(cell, source)
    if not teaches:
        fold_listings(output, listed(code))


def add_switch(app, pagename, templatename, context, doctree):
    """Tell the header whether the page has something that the switch opens."""
    context["has_code_switch"] = f'class="fold {OPENED}"' in (context.get("body") or "")


def prepare(app, config):
    """Put the switch in front of the header's buttons."""
    config.templates_path.append(str(HERE / "templates"))
    config.html_theme_options["article_header_end"] = ["code-switch.html", "article-header-buttons.html"]


def connect(app):
    """Register the fold, the switch and the script that comes before the first paint."""
    app.add_node(Fold, html=(visit_fold, depart_fold))
    app.add_post_transform(FoldCode)
    app.add_js_file(None, body=(HERE / "reading.js").read_text("utf8").strip(), priority=1)
    app.connect("config-inited", prepare)
    app.connect("html-page-context", add_switch)
