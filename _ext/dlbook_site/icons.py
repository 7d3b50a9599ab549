"""The theme's icons, cut down to those that the book's pages show.

The theme carries some two thousand icons (270 kB of fonts, and their rules in the style sheet). A page shows
a dozen.
"""

import hashlib
import re
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FONTS = ("fa-solid-900", "fa-brands-400", "fa-regular-400")
STYLE = "_static/styles/pydata-sphinx-theme.css"
WEBFONTS = "_static/vendor/fontawesome/webfonts"
ICON_CLASS = re.compile(r"fa-[a-z0-9-]+")
ICON_RULE = re.compile(r'((?:\.fa-[\w-]+:+before,?)+)\{content:"\\([0-9a-f]+) ?"\}')
THEME_ICON = re.compile(r'--pst-icon-[\w-]+:"(.)"')
# what only the script or another page size shows
ALWAYS = frozenset(
    {"fa-bars", "fa-expand", "fa-compress", "fa-xmark", "fa-sun", "fa-moon", "fa-circle-half-stroke"}
)


def icons_in(pages):
    """Names of the icon classes in these HTML files."""
    return ALWAYS.union(*(ICON_CLASS.findall(page.read_text("utf8")) for page in pages))


def prune(style, names):
    """The style sheet with the rules of these icons alone, and the code points that it draws.

    >>> prune('.fa-a:before,.fa-b:before{content:"\\\\f001"}.fa-c:before{content:"\\\\f002"}', {"fa-b"})
    ('.fa-a:before,.fa-b:before{content:"\\\\f001"}', {61441})
    """
    points = {ord(character) for character in THEME_ICON.findall(style)}

    def keep(rule):
        if not names.intersection(ICON_CLASS.findall(rule[1])):
            return ""
        points.add(int(rule[2], 16))
        return rule[0]

    return ICON_RULE.sub(keep, style), points


def cut_font(source, points, folder):
    """Write the font's subset as WOFF; returns its name, which changes with its content."""
    key = hashlib.sha256(repr((source.stat().st_size, sorted(points))).encode()).hexdigest()[:8]
    target = folder / f"{source.stem}-{key}.woff"
    if not target.exists():
        font = TTFont(source)
        tool = subset.Subsetter(subset.Options(hinting=False, layout_features=[]))
        tool.populate(unicodes=points)
        tool.subset(font)
        font.flavor = "woff"
        font.save(target)
    return target.name


def trim_icons(app):
    """Serve only the icons that the written pages use."""
    out = Path(app.outdir)
    if not (out / STYLE).is_file() or not (out / WEBFONTS).is_dir():
        return
    style, points = prune((out / STYLE).read_text("utf8"), icons_in(out.rglob("*.html")))
    for font in FONTS:
        name = cut_font(out / WEBFONTS / f"{font}.ttf", points, out / WEBFONTS)
        style = re.sub(
            rf'(url\([^)]*?){font}\.woff2\) format\("woff2"\)', rf'\g<1>{name}) format("woff")', style
        )
    (out / STYLE).write_text(style, "utf8")
