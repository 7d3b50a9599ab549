"""The still picture of :class:`Augmented`: the picture with the place that is asked, and the result.

>>> layout = AugmentedLayout(960)
>>> round(layout.side), layout.right > layout.left + layout.side
(400, True)
"""

import numpy as np
from PIL import Image

from dlbook.widgets import augmented_rules as rules
from dlbook.widgets import encode
from dlbook.widgets import stage_still as stage


class AugmentedLayout:
    """Where the two pictures stand in a drawing of some width; augmented.js does the same."""

    def __init__(self, width):
        pad, gap = (24, 44) if width >= 640 else (10, 14)
        self.width, self.top = width, 38
        self.side = min(400, (width - 2 * pad - gap) / 2)
        self.left = (width - 2 * self.side - gap) / 2
        self.right = self.left + self.side + gap
        self.height = self.top + self.side + pad


def draw_augmented(figure):
    """Return heading, both pictures and description as HTML."""
    return stage.both(figure, _drawn)


def frame(kind, strength, side):
    """Return the corners of the result's frame as they lie in the picture, as an SVG path."""
    corners = [(-0.5, -0.5), (-0.5, side - 0.5), (side - 0.5, side - 0.5), (side - 0.5, -0.5)]
    asked = [rules.source(kind, strength, side, corner) for corner in corners]
    return "M" + "L".join(f"{column + 0.5:.2f} {row + 0.5:.2f}" for row, column in asked) + "Z"


def _drawn(figure, width):
    layout, now, side = AugmentedLayout(width), figure.values, len(figure.picture())
    kind, strength = now["augmentation"], now["strength"]
    here = figure.place()
    asked = figure.told()["source"]
    marks = _square(*here)
    if kind in rules.MOVES:
        found = rules.neighbours(*(np.asarray(float(number)) for number in asked), now["interpolation"])
        path = "".join(_square(float(r), float(c)) for r, c, weight in found if weight > 0)
        inside = _line(frame(kind, strength, side), "var(--p)") + _line(path, "var(--h)")
    else:
        inside = _line(marks, "var(--h)")
    left = _box(figure.picture(), layout.left, layout, inside)
    right = _box(figure.shown(), layout.right, layout, _line(marks, "var(--h)"))
    words = "".join(
        f'<text class="dls-hot" x="{x:.0f}" y="{layout.top - 12}">{text}</text>'
        for x, text in ((layout.left, "the picture"), (layout.right, "the result"))
    )
    return width, layout.height, words + left + right


def _square(row, column):
    return f"M{column:g} {row:g}h1v1h-1Z"


def _line(path, colour):
    how = 'fill="none" stroke-width="2" vector-effect="non-scaling-stroke"'
    return f'<path d="{path}" stroke="{colour}" {how}/>'


def _box(picture, x, layout, inside):
    """A picture and lines over it, in its own pixels; what is outside is cut off."""
    side = len(picture)
    uri = encode.data_uri(Image.fromarray(np.floor(picture * 255 + 0.5).astype(np.uint8)))
    place = f'x="{x:.1f}" y="{layout.top}" width="{layout.side:.1f}" height="{layout.side:.1f}"'
    image = f'<image href="{uri}" width="{side}" height="{side}"/>'
    return f'<svg {place} viewBox="0 0 {side} {side}">{image}{inside}</svg>'
