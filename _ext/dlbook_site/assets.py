"""Fonts of formulas, icons and notebooks, from the site itself, in the sizes that the pages need."""

import filecmp
import shutil
from pathlib import Path

from .formulas import FONTS, mathjax
from .icons import trim_icons


def copy_if_changed(source, target):
    """Copy a file unless the target has the same bytes already."""
    if target.is_file() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def copy_math_fonts(app):
    """Copy the fonts of the formulas; a page loads the two or three that it shows."""
    for font in sorted((mathjax() / "output/chtml/fonts").rglob("*.woff")):
        copy_if_changed(font, Path(app.outdir, FONTS, font.name))


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
    copy_math_fonts(app)
    trim_icons(app)
    copy_notebooks(app)


def connect(app):
    """Listen to Sphinx."""
    app.connect("build-finished", finish, priority=900)
