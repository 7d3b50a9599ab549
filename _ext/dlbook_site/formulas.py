"""Formulas are set while the book is built: a page carries them as HTML and MathML, and loads no MathJax.

So they stand at once, also on a slow telephone, and without JavaScript. MathJax (of sphinx-mathjax-offline)
runs in the node that Playwright brings along, so that nothing else has to be installed.
"""

import html
import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import playwright
from sphinx.errors import ExtensionError

from .rendering import leave_out, while_rendering

SCRIPT = Path(__file__).with_name("formulas.js")
FONTS = "_static/mathjax"  # where `assets` puts the fonts, from the root of the site
KIND = r'class="(?:[\w-]+ )*math notranslate nohighlight"'
INLINE = re.compile(rf"(<span {KIND}[^>]*>)\\\((.*?)\\\)(?=</span>)", re.DOTALL)
DISPLAY = re.compile(
    rf'(<div {KIND}[^>]*>\s*(?:<span class="eqno">.*?</span>)?)\\\[(.*?)\\\](?=</div>)', re.DOTALL
)
MARKED = re.compile(
    rf"([(\[“‘]*)(<span {KIND}[^>]*>\\\(.*?\\\)</span>)([,.;:!?)\]”’]*)", re.DOTALL
)  # a browser would end a line between a formula and the comma after it
ROOT = re.compile(r'<html[^>]* data-content_root="([^"]*)"')
ERROR = re.compile(r'data-mjx-error="([^"]*)"')


def mathjax():
    """The folder of MathJax inside the package that carries it."""
    return Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static/mathjax"


def node():
    """The program node that Playwright carries."""
    return shutil.which("node", path=Path(playwright.__file__).parent / "driver")


def render(formulas, fonts=FONTS):
    """Set formulas, `[(TeX, whether it is displayed), ...]`, in one run of MathJax.

    Returns the HTML of each, and the style sheet that they need; it loads fonts from the address `fonts`.
    Raises ExtensionError for TeX that MathJax does not understand.
    """
    task = {"mathjax": str(mathjax()), "fonts": fonts, "formulas": formulas}
    done = subprocess.run(
        [node(), SCRIPT], input=json.dumps(task), capture_output=True, text=True, encoding="utf8"
    )
    if done.returncode:
        raise ExtensionError(f"MathJax did not set the formulas of a page: {done.stderr.strip()[-500:]}")
    result = json.loads(done.stdout)
    for (tex, _), made in zip(formulas, result["set"], strict=True):
        if error := ERROR.search(made):
            raise ExtensionError(f"expected TeX, got {tex.strip()!r}; MathJax says: {error[1]}")
    return result["set"], result["style"]


def typeset(page):
    """The page's HTML with every formula set, and the style sheet of its formulas in its head."""
    patterns = {False: INLINE, True: DISPLAY}
    found = {
        (html.unescape(tex), shown) for shown, pattern in patterns.items() for _, tex in pattern.findall(page)
    }
    if not found:
        return page
    formulas = sorted(found)  # a page repeats its symbols: each is set once
    root = ROOT.search(page)
    made, style = render(formulas, (root[1] if root else "") + FONTS)
    written = dict(zip(formulas, made, strict=True))
    page = MARKED.sub(lambda m: f'<span class="with-mark">{m[0]}</span>' if m[1] or m[3] else m[0], page)
    page = INLINE.sub(lambda m: m[1] + written[html.unescape(m[2]), False], page)
    page = DISPLAY.sub(lambda m: m[1] + written[html.unescape(m[2]), True], page)
    return page.replace("</head>", f"<style>{style}</style>\n</head>", 1)


def typeset_while_rendering(app):
    """Set the formulas of every page."""
    while_rendering(app, typeset)


def drop_mathjax(app, pagename, templatename, context, doctree):
    """Sphinx loads MathJax on each page with formulas; they are set already."""
    leave_out(context, "mathjax")


def connect(app):
    """Listen to Sphinx; 900 is after its own extension has added MathJax."""
    app.connect("builder-inited", typeset_while_rendering)
    app.connect("html-page-context", drop_mathjax, priority=900)
