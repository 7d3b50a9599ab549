"""The still picture of :class:`Shift`: the picture at its place, and the map and the bars of each network."""

import numpy as np
from PIL import Image

from dlbook.widgets import encode
from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape


class ShiftLayout:
    """Where everything stands in a picture of some width; shift.js does the same.

    Args:
        width: of the picture, pixels.
        models: number of networks.
        classes: their classes.
    """

    def __init__(self, width, models, classes):
        wide = width >= 640
        pad, self.gap = (24, 40) if wide else (12, 20)
        self.field = min(340, width * 0.36) if wide else min(240, width - 2 * pad)
        self.left = pad if wide else (width - self.field) / 2
        self.start = self.left + self.field + self.gap if wide else pad
        self.each = (width - pad - self.start - (models - 1) * self.gap) / models
        self.field_top = 30 if wide else 20
        self.top = 62 if wide else 30 + self.field + 82
        self.head = 30 if wide else self.top - 32
        self.side = min(self.each, 206 if wide else 150)
        self.base = self.top + self.side + (108 if wide else 98)
        self.tall = 66 if wide else 56
        self.bar = self.each / classes
        self.height = self.base + 30

    def x(self, model):
        """Left edge of a network's column."""
        return self.start + model * (self.each + self.gap)


def draw_shift(figure):
    """Return heading, field, maps and bars at the starting place, and the description, as HTML."""
    return stage.both(figure, _picture)


def _picture(figure, width):
    spec, (picture, right, down) = figure.spec, figure.values.values()
    desk = ShiftLayout(width, len(spec["names"]), spec["classes"])
    moved = _moved(figure.picture(), right, down)
    edge, box = (desk.field - spec["middle"] * desk.field / spec["field"]) / 2, desk.field
    inner = box - 2 * edge
    parts = [
        f'<image href="{encode.data_uri(Image.fromarray(moved))}" x="{desk.left:.1f}" y="{desk.field_top}" '
        f'width="{box:.1f}" height="{box:.1f}"/>'
        f'<rect x="{desk.left + edge:.1f}" y="{desk.field_top + edge:.1f}" width="{inner:.1f}" '
        f'height="{inner:.1f}" fill="none" stroke="#ef9fd8" stroke-dasharray="5 4"/>'
    ]
    parts += [_column(figure, desk, m, name, picture, right, down) for m, name in enumerate(spec["names"])]
    return width, desk.height, "".join(parts)


def _moved(pixels, right, down):
    """Return a picture moved over a dark ground; what leaves the field is gone."""
    reach = max(abs(right), abs(down))
    padded, side = np.pad(pixels, reach), len(pixels)
    return padded[reach - down : reach - down + side, reach - right : reach - right + side]


def _column(figure, desk, m, name, picture, right, down):
    spec, x, cell = figure.spec, desk.x(m), desk.side / figure.spec["side"]
    where = figure.right(name, picture)
    squares = "".join(
        f'<path d="{_square(x + c * cell, desk.top + r * cell, cell, fine)}" '
        f'fill="{"#62b4ff" if fine else "#ff8896"}"/>'
        for (r, c), fine in np.ndenumerate(where)
    )
    reach = spec["side"] // 2
    marked = (
        f'<rect x="{x + (right + reach) * cell - 1.5:.1f}" y="{desk.top + (down + reach) * cell - 1.5:.1f}" '
        f'width="{cell + 3:.1f}" height="{cell + 3:.1f}" fill="none" stroke="var(--h)" stroke-width="2.5"/>'
    )
    below, edge = desk.top + desk.side + 18, x + desk.side
    words = (
        f'<text class="dls-hot" x="{x:.0f}" y="{desk.head}">{escape(name)}</text>'
        f'<text x="{x:.0f}" y="{desk.head + 19}">{escape(spec["notes"][m])}</text>'
        f'<text class="dls-hot" x="{edge:.0f}" y="{below:.0f}" text-anchor="end">'
        f"{where.sum()} of {where.size} places</text>"
    )
    return words + squares + marked + _bars(figure, desk, x, name, picture, right, down)


def _square(x, y, cell, whole):
    size = cell if whole else 0.42 * cell
    return f"M{x + (cell - size) / 2:.1f} {y + (cell - size) / 2:.1f}h{size:.1f}v{size:.1f}h{-size:.1f}Z"


def _bars(figure, desk, x, name, picture, right, down):
    best, sure = figure.said(name, picture, right, down)
    number = figure.spec["parameters"]["picture"].index(picture)
    colour = "#62b4ff" if best == figure.spec["truths"][number] else "#ff8896"
    high = max(1.5, desk.tall * sure)
    names = "".join(
        f'<text x="{x + desk.bar * (k + 0.5):.1f}" y="{desk.base + 17:.0f}" text-anchor="middle">{k}</text>'
        for k in range(figure.spec["classes"])
    )
    return (
        f'<rect x="{x + desk.bar * (best + 0.14):.1f}" y="{desk.base - high:.1f}" '
        f'width="{0.72 * desk.bar:.1f}" height="{high:.1f}" fill="{colour}"/>{names}'
    )
