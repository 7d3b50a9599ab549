"""Figures on the page: links that set one, and the narrow form of charts.

A chart brings a second SVG for telephones in the metadata of its output (`dlbook/book/narrow.py`). Both are
images with the same words for those who do not see them; the style sheet shows one.

Links that set a figure: `[set α to 2](#fig=explorer&alpha=2)` moves the figure `fig-activations-explorer`.

MyST takes what begins with `#` for the name of a place and would not find it. On the page the link leads to
the figure, also without JavaScript; `_static/figure_state.mjs` sets what `data-set` says. A link to a figure
that the page does not have is a warning, and with it a fault of the build.
"""

import dataclasses
import functools
import html
import re
from urllib.parse import parse_qs

from docutils import nodes
from docutils.transforms import Transform
from myst_nb.core.render import NbElementRenderer
from sphinx.util import logging

LOG = logging.getLogger(__name__)


class FigureLinks(Transform):
    """Turn the links that set a figure into links to it which say what to set."""

    default_priority = 870  # before myst-parser's own look at what begins with #

    def apply(self):
        """Replace each link."""
        ids = {
            name: figure["ids"][0]
            for figure in self.document.findall(nodes.figure)
            for name in figure["names"]
        }
        page = self.document.settings.env.docname.rpartition("/")[2]
        ids |= {short(name, page): place for name, place in ids.items()}
        for link in list(self.document.findall(nodes.reference)):
            if not link.get("refuri", "").startswith("#fig="):
                continue
            first, _, rest = link["refuri"][1:].partition("&")
            (name,) = parse_qs(first)["fig"]
            if name not in ids:
                LOG.warning("the link %s names no figure of this page", link["refuri"], location=link)
                continue
            link.replace_self(whole(ids[name], rest, link.children))


def short(name, page):
    """Return a figure's name on its own page: `fig-activations-explorer` is `explorer` on `activations`."""
    return re.sub(f"^fig-({re.escape(page)}|[^-]+)-", "", name)


def whole(place, settings, words):
    """Return the nodes of one link."""
    start = f'<a class="set-figure" href="#{place}" data-set="{html.escape(settings)}">'
    return [nodes.raw("", start, format="html"), *words, nodes.raw("", "</a>", format="html")]


def both_forms(render_image):
    """Return myst-nb's method so that it gives the narrow form too, where an output has one."""

    @functools.wraps(render_image)
    def render(self, data):
        found = render_image(self, data)
        narrow = data.output_metadata.get(data.mime_type, {}).get("narrow")
        if narrow:
            (small,) = render_image(self, dataclasses.replace(data, content=narrow, output_metadata={}))
            found[0]["classes"].append("wide-form")
            small["classes"].append("narrow-form")
            found.append(small)
        return found

    return render


def connect(app):
    """Register the transform, and let images have two forms."""
    app.add_transform(FigureLinks)
    if not hasattr(NbElementRenderer.render_image, "__wrapped__"):
        NbElementRenderer.render_image = both_forms(NbElementRenderer.render_image)
