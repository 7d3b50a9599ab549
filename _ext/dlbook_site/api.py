"""The reference of the package: one page a module, made from its docstrings by Sphinx's own autodoc.

The pages' sources are written to `api/` before Sphinx looks for sources; they are no part of the repository.
`{api-index}` lists all of them, by package.
"""

import ast
import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .address import repository
from .docstrings import as_rst, first_sentence
from .own_scripts import toc

FOLDER = "api"
INDEX = "chapters/front/api.md"  # a book without this page has no reference
PAGE = """:orphan:

.. meta::
   :description: {description}

{title}
{line}

{used}
.. automodule:: {name}
   :members:
   :ignore-module-all:
   :member-order: bysource

.. dropdown:: The source, whole

   .. literalinclude:: /{file}
      :language: python
"""


@cache
def modules(root):
    """The modules of the package that have a page: name -> file, without private ones."""
    found = {}
    for file in sorted((Path(root) / "dlbook").rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not any(part.startswith("_") for part in name.split(".")):
            found[name] = file
    return dict(sorted(found.items()))


def docstring(file):
    """The docstring of a module."""
    return ast.get_docstring(ast.parse(file.read_text("utf8"))) or ""


@cache
def users(root):
    """Module -> the chapters that import it, or names from it, in the book's order."""
    found = defaultdict(list)
    for page in toc.notebooks(Path(root)):
        files = set().union(*(toc.imported_by(cell, Path(root)) for cell in toc.code_cells(page)))
        for file in files:
            found[file].append(page.relative_to(root).with_suffix("").as_posix())
    return found


def source(root, name, file):
    """The page of a module, as reStructuredText."""
    used = ", ".join(f":doc:`/{page}`" for page in users(root).get(file, ()))
    description = first_sentence(docstring(file)) or f"The module {name}."
    return PAGE.format(
        name=name,
        title=name,
        line="=" * len(name),
        file=file.relative_to(root).as_posix(),
        description=f"{name}: {description}"[:240],
        used=f"Used in: {used}.\n" if used and file.name != "__init__.py" else "",
    )


def write_pages(app):
    """Write the page of every module that has changed, and delete those whose module is gone."""
    root = Path(app.srcdir)
    if app.builder.format != "html" or not (root / INDEX).is_file():
        return
    for kept in (modules, users, statements):  # of an earlier build by this process
        kept.cache_clear()
    sys.path.insert(0, str(root))
    wanted = {f"{name}.rst": source(root, name, file) for name, file in modules(root).items()}
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.rst"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        if not (folder / name).is_file() or (folder / name).read_text("utf8") != text:
            (folder / name).write_text(text, "utf8")


class Index(SphinxDirective):
    """A heading for each package, and below it a line for each of its modules: its name and what it is."""

    def run(self):
        root, by_package = Path(self.env.srcdir), defaultdict(list)
        for name, file in modules(root).items():
            self.env.note_dependency(str(file))
            is_package = file.name == "__init__.py" or name.count(".") < 2
            by_package[name if is_package else name.rpartition(".")[0]].append((name, file))
        return [self.section(package, found) for package, found in by_package.items()]

    def section(self, package, found):
        """A package's heading and list."""
        section = nodes.section("", nodes.title("", package), ids=[nodes.make_id(f"package {package}")])
        rows = []
        for name, file in found:
            address = self.env.app.builder.get_relative_uri(self.env.docname, f"{FOLDER}/{name}")
            link = nodes.reference("", "", nodes.literal("", name), refuri=address, internal=True)
            text = worded(first_sentence(docstring(file)))
            rows.append(nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(" · "), *text)))
        section += nodes.bullet_list("", *rows)
        return section


def worded(sentence):
    """A sentence of a docstring as nodes: code between backticks, a title between asterisks.

    >>> [type(node).__name__ for node in worded("Of `x`, in *A Title*.")]
    ['Text', 'literal', 'Text', 'emphasis', 'Text']
    """
    parts = re.split(r"(`+[^`]+`+|\*[^*\s][^*]*\*)", sentence)
    kinds = {"`": nodes.literal, "*": nodes.emphasis}
    return [kinds[p[0]]("", p.strip("`*")) if i % 2 else nodes.Text(p) for i, p in enumerate(parts)]


def link_to_source(app):
    """A function for Sphinx's linkcode: the lines of an object in the repository."""
    root = Path(app.srcdir)

    def resolve(domain, info):
        file = modules(root).get(info.get("module", ""))
        if domain != "py" or file is None or not app.config.html_theme_options.get("repository_url"):
            return None
        here = f"{repository(app).url}/blob/main/{file.relative_to(root).as_posix()}"
        lines = lines_of(file, info["fullname"])
        return f"{here}#L{lines[0]}-L{lines[1]}" if lines else here

    return resolve


def lines_of(file, fullname):
    """First and last line of `Class.method` or of a function or value, or None."""
    scope, inside = None, statements(file)
    for part in fullname.split("."):
        scope = next((node for node in inside if part in names(node)), None)
        inside = getattr(scope, "body", [])
    return (scope.lineno, scope.end_lineno) if scope else None


@cache
def statements(file):
    """The statements of a module; each of its objects asks for them."""
    return ast.parse(file.read_text("utf8")).body


def names(node):
    """The names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def prepare(app, config):
    """Settings that follow from the book's: napoleon reads our sections, and single quotes mean code."""
    config.linkcode_resolve = link_to_source(app)
    config.default_role = "code"
    config.add_module_names = False
    # the contents do not name these pages, so those of an earlier build are left out: bring them back
    config.exclude_patterns = [p for p in config.exclude_patterns if not p.startswith(f"{FOLDER}/")]


def connect(app):
    """Register the directive, and write the pages before Sphinx looks for them."""
    app.add_directive("api-index", Index)
    app.connect("config-inited", prepare, priority=950)
    app.connect("builder-inited", write_pages, priority=100)
    app.connect("autodoc-process-docstring", as_rst, priority=100)
