"""The still picture of :class:`Cortex`: screen, bar, spikes, and what turning and moving the bar would do."""

import math

import numpy as np
from PIL import Image

from dlbook.widgets import encode
from dlbook.widgets import stage_still as stage
from dlbook.widgets.figure import escape

SPIKES = 28  # of a cell at its best
TITLE = "the screen, and the field of a cell"


class Board:
    """Where everything stands in a picture of some width; cortex.js does the same.

    Args:
        width: of the picture, pixels.
    """

    def __init__(self, width):
        self.width, self.wide = width, width >= 640
        self.size = min(340, round(0.37 * width)) if self.wide else width - 40
        self.left, self.top = (24, 40) if self.wide else (20, 40)
        self.start = self.left + self.size + 44 if self.wide else 20
        self.stop = width - 24 if self.wide else width - 20
        self.first = 46 if self.wide else self.top + self.size + 44
        self.row = self.size / 3 + 2 if self.wide else 132
        self.height = self.top + self.size + 26 if self.wide else self.first + 3 * self.row + 4

    def columns(self):
        """Return (left, right) of the spikes, of the curve over angles and of the curve over places."""
        room, gap = self.stop - self.start, 24
        if not self.wide:
            half = (room - gap) / 2
            return [(self.start, self.stop), (self.start, self.start + half), (self.stop - half, self.stop)]
        third = (room - 2 * gap) / 3
        return [(self.start + k * (third + gap), self.start + k * (third + gap) + third) for k in range(3)]

    def lines(self, row):
        """Return the top and the foot of the spikes, and of the curves, in a row."""
        y = self.first + row * self.row
        if self.wide:
            return (y + 30, y + self.row - 34), (y + 24, y + self.row - 24)
        return (y + 14, y + 36), (y + 66, y + 112)


def draw_cortex(figure):
    """Return heading, screen, cells and description as HTML."""
    return stage.both(figure, _picture)


def _picture(figure, width):
    board = Board(width)
    curves = figure.turned(), figure.moved()
    parts = [_screen(figure, board)]
    for row, (name, value) in enumerate(zip(figure.spec["names"], figure.responses(), strict=True)):
        parts.append(_cell(figure, board, row, name, value, [curve[:, row] for curve in curves]))
    return width, board.height, "".join(parts)


def field_picture(filters):
    """Return the field of the first filter as a picture: blue where light excites, red where it inhibits."""
    field = filters[0] / np.abs(filters).max()
    return Image.fromarray(stage.signed(field, 190 * np.abs(field) ** 0.8))


def _screen(figure, board):
    spec, values = figure.spec, figure.values
    unit = board.size / spec["side"]
    x, y = (board.size / 2 + unit * values[axis] for axis in "xy")
    long, wide = unit * spec["length"], unit * spec["width"]
    uri = encode.data_uri(field_picture(figure.filters()))
    fill = "var(--h)" if values["bar"] == "light" else "#000"
    return (
        f'<text class="dls-hot" x="{board.left}" y="{board.top - 14}">{TITLE}</text>'
        f'<svg x="{board.left}" y="{board.top}" width="{board.size}" height="{board.size}">'
        f'<rect class="dls-unlit" width="100%" height="100%" rx="6"/>'
        f'<image href="{uri}" width="{board.size}" height="{board.size}"/>'
        f'<rect x="{-long / 2:.1f}" y="{-wide / 2:.1f}" width="{long:.1f}" height="{wide:.1f}" fill="{fill}" '
        f'fill-opacity="0.85" stroke="var(--t)" '
        f'transform="translate({x:.1f} {y:.1f}) rotate({-values["angle"]})"/></svg>'
    )


def _cell(figure, board, row, name, value, curves):
    """One cell: its name, its spikes, and its answers to the bar turned and moved, with a dot for now."""
    (top, foot), (high, low) = board.lines(row)
    (left, right), *places = board.columns()
    color = "var(--o)" if row == 2 else "var(--b)"
    ticks = "".join(f"M{left + part * (right - left):.1f} {top}V{foot}" for part in spikes(value, row))
    drawn = [
        f'<text class="dls-hot" x="{left:.0f}" y="{top - 8:.0f}">{escape(name)}</text>'
        f'<path d="M{left:.1f} {foot}H{right:.1f}" stroke="var(--t)" stroke-opacity="0.5"/>'
        f'<path d="{ticks or "M0 0"}" stroke="{color}" stroke-width="1.8"/>'
    ]
    at = figure.spec["parameters"]["angle"].index(figure.values["angle"]), None
    for (a, b), curve, now in zip(places, curves, at, strict=True):
        x = [a + (b - a) * k / (len(curve) - 1) for k in range(len(curve))]
        y = [low - (low - high) * min(1.0, v) for v in curve]
        line = "L".join(f"{p:.1f} {q:.1f}" for p, q in zip(x, y, strict=True))
        drawn.append(
            f'<path d="M{a:.1f} {low:.1f}H{b:.1f}" stroke="var(--t)" stroke-opacity="0.5"/>'
            f'<path class="dls-line" d="M{line}" stroke="{color}"/>'
        )
        if now is not None:
            drawn.append(f'<circle cx="{x[now]:.1f}" cy="{y[now]:.1f}" r="5" fill="var(--h)"/>')
        if row == 0 or not board.wide:
            words = "turned in its place" if now is not None else "moved across the middle"
            words = words if board.wide else words.split(" in ")[0].split(" the ")[0]
            drawn.append(f'<text x="{a:.0f}" y="{high - 6:.0f}" font-size="11">{words}</text>')
    return "".join(drawn)


def spikes(value, row):
    """Return where the spikes of an answer stand, from 0 to 1: evenly, each moved a little, ever alike."""
    count = round(SPIKES * min(1.2, value))
    return [(k + 0.5 + 0.35 * math.sin(7.3 * k + 2.1 * row)) / count for k in range(count)]
