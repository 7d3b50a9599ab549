"""The page as it is written: links, descriptions, accessible markup.

Pages are fixed while they are rendered, not afterwards on disk, so that a page which Sphinx does not write
again keeps its file.
"""

import html
import re
from pathlib import Path

from .address import repository
from .rendering import leave_out, while_rendering

SCRIPTS = (
    "reading.mjs",
    "landing.mjs",
    "wide.mjs",
    "margin.mjs",
    "cards.mjs",
    "figure_state.mjs",
    "host.mjs",
)  # the place of a page is known before its figures start and end
DESCRIPTION = re.compile(
    r'<meta content="([^"]*)" name="description"|<meta name="description" content="([^"]*)"'
)

# (what the theme writes, what an accessible page says), tried in this order on every page
FIXES = (
    # 540 kB (gzip) of script that blocks the page; the style sheet draws the same icons from a font
    (re.compile(r'\s*<script src="[^"]*fontawesome\.js[^"]*"></script>'), ""),
    (re.compile(r'<link rel="preload" as="font"[^>]*fontawesome[^>]*>\s*'), ""),
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # the arrow that opens a part of the contents needs a name of its own
    (
        re.compile(
            r'(<a class="(?:current )?reference internal" href="[^"]*">)([^<]*)(</a><details[^>]*><summary)>'
        ),
        r'\1\2\3 aria-label="Sections of \2">',
    ),
    (
        re.compile(r'id="pst-primary-sidebar"'),
        'id="pst-primary-sidebar" role="complementary" aria-label="Book contents"',
    ),
    # a button's visible words have to be part of its name
    (re.compile(r'(<button class="btn search-button-field[^>]*?) ?aria-label="Search"'), r"\1"),
    (re.compile(r'(<button class="[^"]*theme-switch-button[^>]*?) aria-label="Color mode"'), r"\1"),
    # a list whose children are not list items, and a role that is deprecated
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    (re.compile(r' role="doc-biblioentry"'), ""),
    (
        re.compile(
            r'\s*<script type="text/x-thebe-config">.*?</script>\s*<script>kernelName = [^<]*</script>',
            re.DOTALL,
        ),
        "",
    ),
    # colours from the first line on: without JavaScript, and before the theme's script, which runs late
    (re.compile(r'(<html [^>]*data-theme=)"auto"'), r'\1"light"'),
    (
        re.compile(r'localStorage\.getItem\("theme"\) \|\| "auto"'),
        '((mode) => ["light", "dark"].includes(mode) ? mode '
        ': matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")'
        '(localStorage.getItem("mode"))',
    ),
    # exercises: "Exercise 1.1 · Two limits · derive", a space that is not underlined, and each id once
    (
        re.compile(r'(<span class="caption-number">Exercise [\d.]+) ?</span> \((.*) \((\w+)\)\)(?=</p>)'),
        r"\1</span> · \2 · \3",
    ),
    (
        re.compile(r">Solution to(<a [^>]*>) ?(Exercise [\d.]+) \((.*) \((\w+)\)\)(?=</a>)"),
        r">Solution to \1\2 · \3 · \4",
    ),
    (re.compile(r'<section id="(?:exercise|solution)-content">'), "<section>"),
    # a figure may be below the fold: let the browser fetch it when it is near
    (re.compile(r'<img (?![^>]*\bloading=)(?=[^>]*src="[^"]*_images/)'), '<img loading="lazy" '),
)


def fix(page):
    """The page's HTML with the theme's small faults fixed."""
    for pattern, replacement in FIXES:
        page = pattern.sub(replacement, page)
    return page


def fix_while_rendering(app):
    """Fix every page."""
    while_rendering(app, fix)


def describe(app, pagename, templatename, context, doctree):
    """Give OpenGraph the description that the page's front matter gives search engines."""
    found = DESCRIPTION.search(context.get("metatags") or "")
    if found and isinstance(context.get("meta"), dict):
        context["meta"].setdefault("og:description", html.unescape(found[1] or found[2]))


def drop_thebe(app, pagename, templatename, context, doctree):
    """Jupyter Book always loads sphinx-thebe, whose script declares its constants twice."""
    leave_out(context, "thebe", ("script_files", "css_files"))


def point_launch_links(app, pagename, templatename, context, doctree):
    """Colab and Binder open the clean notebook on the notebooks branch, not the source beside the page."""
    here, branch = repository(app), app.config.notebook_branch
    launch = app.config.html_theme_options.get("launch_buttons", {})
    targets = {"Colab": (here.colab, "colab_url"), "Binder": (here.binder, "binderhub_url")}
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button.get("text") in targets:
                link, host = targets[button["text"]]
                button["url"] = link(branch, pagename, launch[host])


def add_scripts(app):
    """Load the page's own scripts, after its text."""
    for name in SCRIPTS:
        if (Path(app.srcdir) / "_static" / name).is_file():
            app.add_js_file(name, defer="defer")


def connect(app):
    """Listen to Sphinx; 900 is after the theme has said its word."""
    app.connect("builder-inited", fix_while_rendering)
    app.connect("builder-inited", add_scripts)
    app.connect("html-page-context", describe, priority=100)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", point_launch_links, priority=900)
