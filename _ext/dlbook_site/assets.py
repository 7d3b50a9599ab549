"""Files of the site itself, in the sizes that the pages need: fonts, icons, notebooks, digits, networks."""

import filecmp
import shutil
from pathlib import Path

from dlbook.book.recorded_runs import recorded
from dlbook.browser import digit_networks
from dlbook.browser.digits import script
from dlbook.data import mnist5k

from .formulas import FONTS, mathjax
from .icons import trim_icons

TEXT_FONTS = ("dlbook-serif", "dlbook-sans", "dlbook-serif-italic")


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


def fetch_fonts_first(app, pagename, templatename, context, doctree):
    """Ask for the fonts of the text with the first bytes: one that comes late waits for the next page.

    A page that is a file is refused a font that is asked for so. It says that it is one, for the style sheet.
    """
    link = '<link rel="preload" as="font" type="font/woff2" href="{}" crossorigin>'
    files = [context["pathto"](f"_static/fonts/{name}.woff2", 1) for name in TEXT_FONTS]
    links = "".join(map(link.format, files))
    ask = (
        "location.protocol === 'file:' ? document.documentElement.classList.add('is-file')"
        f" : document.head.insertAdjacentHTML('beforeend', '{links}')"
    )
    context["metatags"] = f"{context.get('metatags') or ''}\n<script>{ask}</script>"


def write_digits(app):
    """Write the digits that figures train on; a page loads them when its reader first asks for a training."""
    digits = mnist5k("train")
    target = Path(app.outdir, "_static/digits.js")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(script(digits.images, digits.labels), "utf8")


def write_networks(app):
    """Write the two trained networks that a figure runs; a page loads them when the figure begins."""
    results = recorded("digit_networks")["results"]
    target = Path(app.outdir, f"_static/{digit_networks.FILE}.js")
    target.write_text(digit_networks.script(digit_networks.named(results)), "utf8")


def finish(app, exception):
    """After the pages: the files beside them."""
    if exception or app.builder.format != "html":
        return
    write_digits(app)
    write_networks(app)
    copy_math_fonts(app)
    trim_icons(app)
    copy_notebooks(app)


def connect(app):
    """Listen to Sphinx."""
    app.connect("html-page-context", fetch_fonts_first)
    app.connect("build-finished", finish, priority=900)
