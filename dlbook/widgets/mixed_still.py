"""The still picture of :class:`Mixed`: the mixture at the start, and each network's probabilities along λ."""

import numpy as np
from PIL import Image

from dlbook.widgets import encode
from dlbook.widgets import mixed_rule as rules
from dlbook.widgets import stage_still as stage
from dlbook.widgets.figure import escape

KEYS = ("first one's class", "second one's class", "best other", "what the label asks")
STROKES = (
    'stroke="var(--b)"',
    'stroke="var(--o)"',
    'stroke="var(--p)" stroke-dasharray="2 4"',
    'stroke="var(--t)" stroke-dasharray="6 5"',
)


class MixedLayout:
    """Where everything stands in a picture of some width; mixed_picture.js does the same.

    Args:
        width: of the picture, pixels.
        models: number of networks.
    """

    def __init__(self, width, models):
        self.wide = width >= 640
        pad, self.gap = (28, 46) if self.wide else (14, 34)
        self.size = min(280, width * 0.29) if self.wide else 190
        self.left = pad + 14 if self.wide else (width - self.size) / 2
        self.top = 76 if self.wide else 44
        self.first = self.left + self.size + 74 if self.wide else pad + 20
        self.each = (width - pad - self.first - (models - 1) * self.gap) / models
        self.chart = 76 if self.wide else self.top + self.size + 108
        self.high = self.size if self.wide else 150
        self.low = self.chart + self.high
        self.height = self.low + 42

    def x(self, model, weight):
        """Return where λ stands in a network's chart."""
        return self.first + model * (self.each + self.gap) + weight * self.each

    def y(self, p):
        """Return the height of a probability."""
        return self.chart + (1 - p) * self.high


def curves(figure, name):
    """Return what a chart shows along λ: both classes, the best other, what the label asks, [4, 51]."""
    probs, (a, b) = figure.along(name), figure.pair()[1]
    others = [k for k in range(probs.shape[1]) if k not in (a, b)]
    asked = [figure.kept(weight) for weight in figure.spec["parameters"]["λ"]]
    rest = probs[:, others].max(1) if others else np.zeros(len(probs))
    return np.stack([probs[:, a], probs[:, b], rest, asked])


def draw_mixed(figure):
    """Return heading, mixture, charts and description as HTML."""
    return stage.both(figure, _picture)


def _picture(figure, width):
    desk = MixedLayout(width, len(figure.spec["networks"]))
    charts = "".join(_chart(figure, desk, m, name) for m, name in enumerate(figure.spec["networks"]))
    return width, desk.height, _mixture(figure, desk) + _keys(desk) + charts


def _mixture(figure, desk):
    mixed = Image.fromarray(np.rint(255 * figure.mixture()).astype(np.uint8))
    drawn = (
        f'<image href="{encode.data_uri(mixed)}" x="{desk.left:.1f}" y="{desk.top}" width="{desk.size:.1f}" '
        f'height="{desk.size:.1f}"/>'
    )
    how = figure.how()
    if how["rule"] == rules.MIXUP:
        return drawn
    boxes = rules.box(figure.spec["side"], how["weight"], how["row"], how["column"])
    for (top, bottom, left, right), style in zip(
        boxes, ('stroke-dasharray="5 4"', 'stroke-width="2.5"'), strict=True
    ):
        pixel = desk.size / figure.spec["side"]
        drawn += (
            f'<rect x="{desk.left + left * pixel:.1f}" y="{desk.top + top * pixel:.1f}" '
            f'width="{(right - left) * pixel:.1f}" height="{(bottom - top) * pixel:.1f}" fill="none" '
            f'stroke="var(--o)" {style}/>'
        )
    return drawn


def _keys(desk):
    drawn = ""
    for i, (words, stroke) in enumerate(zip(KEYS, STROKES, strict=True)):
        x = 28 + (0, 146, 304, 412)[i] if desk.wide else 8 + 160 * (i % 2)
        y = 24 if desk.wide else desk.chart - 60 + 18 * (i // 2)
        drawn += f'<path class="dls-line" {stroke} d="M{x:.0f} {y - 4:.0f}h18"/>'
        drawn += f'<text x="{x + 24:.0f}" y="{y:.0f}">{words}</text>'
    return drawn


def _chart(figure, desk, m, name):
    left, right = desk.x(m, 0), desk.x(m, 1)
    drawn = (
        f'<rect class="dls-unlit" x="{left:.1f}" y="{desk.chart:.1f}" width="{right - left:.1f}" '
        f'height="{desk.high:.1f}" opacity="0.55"/>'
        f'<text class="dls-hot" x="{left:.0f}" y="{desk.chart - 12:.0f}">{escape(name)}</text>'
        f'<text x="{(left + right) / 2:.0f}" y="{desk.low + 34:.0f}" text-anchor="middle">'
        "λ, share of the first</text>"
    )
    for p, word in ((0, "0"), (0.5, "½"), (1, "1")):
        drawn += f'<text x="{left - 6:.0f}" y="{desk.y(p) + 4:.0f}" text-anchor="end">{word}</text>'
        drawn += f'<text x="{desk.x(m, p):.0f}" y="{desk.low + 17:.0f}" text-anchor="middle">{word}</text>'
    for row, stroke in zip(curves(figure, name), STROKES, strict=True):
        points = [(desk.x(m, k / (len(row) - 1)), desk.y(p)) for k, p in enumerate(row)]
        drawn += f'<path class="dls-line" {stroke} d="{stage.path(points)}"/>'
    x = desk.x(m, figure.values["λ"])
    return drawn + f'<path d="M{x:.1f} {desk.chart:.1f}V{desk.low:.1f}" stroke="var(--h)"/>'
