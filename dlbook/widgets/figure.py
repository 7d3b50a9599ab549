"""What the book's interactive figures share: one module text, the limit on their state, the still picture.

A figure's mime bundle holds three forms: `text/plain`, the widget view, and `text/html` with a still picture
of the starting state followed by the widget view's script tag. JupyterLab, Colab and VS Code take the view.
The site takes the HTML, because `_config.yml` sets `nb_mime_priority_overrides: [[html, text/html, 5]]`: the
still picture stands on the page until `_static/host.mjs` has started the figure, and stays there for readers
without JavaScript.
"""

import html
import json
import re
from pathlib import Path

import anywidget
import traitlets

from dlbook.browser.bundle import joined, without_comments
from dlbook.widgets import parameters as grid
from dlbook.widgets.reserve import BROAD, NARROW, TABLE, WIDE

STATE_LIMIT = 60 * 1024
_HERE = Path(__file__).parent
_OVERHEAD = 1024  # bytes of the traits that every widget has (model name, module, version ...)
_STILL = "This picture stands still; with JavaScript it is interactive."
_VIEW = "application/vnd.jupyter.widget-view+json"


def module_text(*names, wanted=None):
    """Join the JavaScript files `names` into the text of one ES module: no imports between them, no comment
    lines; with `wanted`, only what these names need.
    """
    return joined([_HERE / name for name in names], wanted)


def style_text(*names):
    """Join the CSS files `names`, without the comments and spaces that the browser does not need."""
    text = "\n".join((_HERE / name).read_text("utf8") for name in names)
    text = without_comments(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    return re.sub(r":\s+", ":", re.sub(r"\s*([{};,])\s*", r"\1", text))


def escape(text):
    """Return `text` safe inside HTML text and attributes."""
    return html.escape(str(text), quote=True)


class Figure(anywidget.AnyWidget):
    """Base of the interactive figures.

    Attributes:
        title: heading of the figure.
        description: one or two sentences for readers who cannot see it.
        spec: the data, as JSON; see the subclasses.
        values: current value of each parameter; set it in Python, or read what the reader chose.
    """

    tabled = False  # whether its numbers stand in a closed table below it, which its module tells

    title = traitlets.Unicode().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)

    def __init__(self, title, description, spec, parts=None, **traits):
        """Check the texts and the size, then open the widget.

        Args:
            title, description: texts; both are needed.
            spec: JSON data.
            parts: `{name of a part: its bytes}`, to say in the error which part is large.

        Raises:
            ValueError: a text is missing, or the state is larger than `STATE_LIMIT`.
        """
        for name, text in (("title", title), ("description", description)):
            if not str(text or "").strip():
                raise ValueError(
                    f"{type(self).__name__}: expected a {name}, got none; give a text that somebody who "
                    "cannot see the figure can use"
                )
        if "parameters" in spec:  # the page's JSON sorts an object's keys: the order travels as a list
            spec.setdefault("order", list(spec["parameters"]))
        self._check_size(spec, parts or {}, len(json.dumps([title, description])))
        self._start = dict(traits)
        super().__init__(title=title, description=description, spec=spec, **traits)

    def _check_size(self, spec, parts, texts):
        code = len(json.dumps(self._esm)) + len(json.dumps(self._css))
        data = len(json.dumps(spec)) + texts
        size = code + data + _OVERHEAD
        if size <= STATE_LIMIT:
            return
        largest = sorted(parts, key=parts.get, reverse=True)[:3]
        named = ", ".join(f"{name!r} {parts[name] / 1024:.1f} KiB" for name in largest)
        raise ValueError(
            f"expected at most {STATE_LIMIT / 1024:.0f} KiB of state in a figure, got {size / 1024:.1f} "
            f"KiB of state in this {type(self).__name__} ({data / 1024:.1f} KiB of it data); largest: "
            f"{named}; {self.how_to_shrink(spec)}"
        )

    def how_to_shrink(self, spec):
        """Return the advice that ends the error about a state that is too large."""
        counts = ", ".join(f"{name} has {len(values)}" for name, values in spec.get("parameters", {}).items())
        return f"give fewer values of a parameter ({counts or 'there are none'})"

    @traitlets.validate("values")
    def _check_values(self, proposal):
        parameters = self.spec.get("parameters", {})
        return grid.settings(parameters, {**self._current(), **proposal["value"]}) if parameters else {}

    def _current(self):
        return self._trait_values.get("values") or {}

    def state_size(self):
        """Return the bytes of the state as the page embeds it, code included."""
        return len(json.dumps(self.get_state()))

    def still(self):
        """Return HTML of the starting state that needs no JavaScript."""
        raise NotImplementedError

    def height(self, inside):
        """Return about how high the live figure is, `inside` pixels wide within its frame."""
        raise NotImplementedError

    def _reserved(self):
        """Return the attribute that keeps the live figure's place: wide, in the column, on a telephone."""
        heights = [self.height(inside) + TABLE * self.tabled for inside in (BROAD, WIDE, NARROW)]
        return ' style="--dlw-broad: {:.0f}px; --dlw-tall: {:.0f}px; --dlw-narrow: {:.0f}px"'.format(*heights)

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        view = json.dumps(data[_VIEW])
        data["text/plain"] = f"{type(self).__name__}: {self.title}. {self.description}"
        data["text/html"] = (
            f'<div class="dlbook-still"{self._reserved()}>{self.still()}'
            f"<noscript><p><em>{_STILL}</em></p></noscript></div>\n"
            f'<script type="{_VIEW}">{view}</script>'
        )
        return data, metadata
