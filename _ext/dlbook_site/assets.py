"""Mathematics and icons from the site itself, in the sizes that the pages need."""

import filecmp
import importlib.util
import shutil
from pathlib import Path

from .icons import trim_icons

# TeX in, HTML out, MathML for screen readers; no menu, which is two fifths of the usual bundle
MATHJAX_PARTS = (
    "startup.js",
    "core.js",
    "input/tex.js",
    "output/chtml.js",
    "output/chtml/fonts",
    "a11y/assistive-mml.js",
    "input/tex/extensions",
)


def copy_if_changed(source, target):
    """Copy a file unless the target has the same bytes already."""
    if target.is_file() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def copy_mathjax(app):
    """Copy the parts of MathJax that the pages load, with its fonts: a third of what the package carries."""
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    source, target = Path(spec.origin).parent / "static/mathjax", Path(app.outdir) / "_static/mathjax"
    for part in MATHJAX_PARTS:
        files = [source / part] if (source / part).is_file() else sorted((source / part).rglob("*"))
        for file in files:
            if file.is_file():
                copy_if_changed(file, target / file.relative_to(source))


def copy_notebooks(app):
    """Offer the clean notebooks for download where `make book` has written them."""
    source = Path(app.outdir).parent / "notebooks"
    for file in sorted(source.rglob("*.ipynb")) if source.is_dir() else ():
        target = Path(app.outdir) / "_sources" / file.relative_to(source)
        if target.is_file():
            copy_if_changed(file, target)


def finish(app, exception):
    """After the pages: the files beside them."""
    if exception or app.builder.format != "html":
        return
    copy_mathjax(app)
    trim_icons(app)
    copy_notebooks(app)


def connect(app):
    """Listen to Sphinx."""
    app.connect("build-finished", finish, priority=900)
