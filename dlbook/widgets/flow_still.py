"""The still picture of :class:`Flow`, for readers without JavaScript; a wide form and a narrow one."""

import numpy as np

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape

_WORDS = "width in powers of ten; dashed banks: as wide as at the last block"
_LEGEND = f'<tspan font-weight="400">&#160; {_WORDS}</tspan>'


def draw_flow(figure):
    """Return heading, the river of the starting state, and the description, as HTML."""
    return stage.both(figure, _picture)


class Bed:
    """Where everything stands in a picture of some width; flow.js does the same.

    Args:
        width: of the picture, pixels.
        blocks: their number.
        span: lowest and highest power of ten above the flow at the source.
    """

    def __init__(self, width, blocks, span):
        self.wide = width >= 640
        self.left, self.right = (84, width - 66) if self.wide else (54, width - 20)
        self.gap = (self.right - self.left) / blocks
        self.full, self.top = (264, 108) if self.wide else (180, 96)
        self.middle, self.bottom = self.top + self.full / 2, self.top + self.full
        self.box, self.row, self.span = min(16, self.gap * 0.62), self.top - 34, span

    def x(self, block):
        """Middle of a block, pixels from the left."""
        return self.left + self.gap * (block + 0.5)

    def across(self, exponent):
        """Width of the river, pixels."""
        low, high = self.span
        return 5 + (self.full - 5) * (exponent - low) / (high - low)


def _picture(figure, width):
    spec = figure.spec
    bed = Bed(width, spec["blocks"], spec["range"])
    carried = figure.at_setting()
    logs = np.log10(carried / carried[-1])
    bank = bed.across(0)
    dry = f'x="{bed.left}" y="{bed.middle - bank / 2:.1f}" width="{bed.right - bed.left}" height="{bank:.1f}"'
    parts = [
        f'<rect class="dls-unlit" {dry}/>',
        _water(bed, logs) if np.isfinite(logs).all() else _word(bed, bed.middle, "diverged", 40),
        _gauge(bed),
        _network(figure, bed),
        f'<text class="dls-orange" font-weight="600" x="{bed.left}" y="27">← {escape(spec["carried"])}'
        f"{_LEGEND if bed.wide else ''}</text>",
        f'<text x="{bed.left - 8}" y="{bed.row + 4.5}" text-anchor="end">{escape(spec["mouth"])}</text>',
        f'<text x="{bed.right + 14}" y="{bed.row - 16}" text-anchor="end">{escape(spec["source"])}</text>',
    ]
    for number, name in enumerate(spec["stages"]):
        at = bed.left + (bed.right - bed.left) * (number + 0.5) / len(spec["stages"])
        parts.append(f'<text x="{at:.0f}" y="{bed.bottom + 24}" text-anchor="middle">{escape(name)}</text>')
    return width, bed.bottom + 44, "".join(parts)


def _water(bed, logs):
    """The river between its two shores, lighter where it has left its banks, and how large it has become."""
    xs = [bed.left, *(bed.x(block) for block in range(len(logs))), bed.right]
    halves = bed.across(np.array([logs[0], *logs, logs[-1]])) / 2
    bank = bed.across(0) / 2
    shape = lambda widths: (
        "M"
        + "L".join(
            [f"{x:.1f} {bed.middle - w:.1f}" for x, w in zip(xs, widths, strict=True)]
            + [f"{x:.1f} {bed.middle + w:.1f}" for x, w in zip(xs[::-1], widths[::-1], strict=True)]
        )
    )
    return (
        f'<path class="dls-orange" fill-opacity="0.34" d="{shape(halves)}Z"/>'
        f'<path class="dls-orange" fill-opacity="0.72" d="{shape(np.minimum(halves, bank))}Z"/>'
    )


def _gauge(bed):
    """The banks, and lines of equal width with their powers of ten."""
    low, high = bed.span
    parts = []
    for exponent in range(int(np.ceil(low)), int(np.floor(high)) + 1):
        half = bed.across(exponent) / 2
        lines = "".join(f"M{bed.left} {bed.middle + side * half:.1f}H{bed.right}" for side in (-1, 1))
        look = 'stroke-dasharray="7 5"' if exponent == 0 else 'stroke-opacity="0.25"'
        parts.append(f'<path stroke="var(--t)" {look} d="{lines}"/>')
        if exponent >= 0 and (bed.wide or exponent % 2 == 0):
            at = f'x="{bed.left - 8}" y="{bed.middle - half + 4:.1f}"'
            parts.append(f'<text {at} text-anchor="end">× {stage.power(exponent)}</text>')
    return "".join(parts)


def _network(figure, bed):
    """The blocks above the river, with the arcs and the valves of the starting state."""
    on = lambda pair: bool(pair) and figure.values[pair[0]] == pair[1]
    size, y = bed.box, bed.row
    parts = [f'<path stroke="var(--t)" stroke-width="1.5" d="M{bed.left} {y}H{bed.right}"/>']
    for block in range(figure.spec["blocks"]):
        x = bed.x(block)
        corner = f'x="{x - size / 2:.1f}" y="{y - size / 2:.1f}" width="{size:.1f}" height="{size:.1f}"'
        parts.append(f'<rect {corner} rx="3" fill="var(--n)" stroke="var(--t)" stroke-width="1.5"/>')
        if on(figure.spec["shortcuts"]):
            high, gap = -size * 1.5, bed.gap
            arc = f"M{x - gap / 2:.1f} {y}c0 {high:.1f} {gap:.1f} {high:.1f} {gap:.1f} 0"
            parts.append(f'<path class="dls-line" stroke="var(--t)" d="{arc}"/>')
        if on(figure.spec["valves"]):
            half = min(5, size / 2.4)
            v = y + size / 2 + half + 4
            bow = (
                f"M{x - half:.1f} {v - half:.1f}v{2 * half:.1f}L{x + half:.1f} {v - half:.1f}v{2 * half:.1f}Z"
            )
            parts.append(f'<path fill="var(--t)" d="{bow}"/>')
    return "".join(parts)


def _word(bed, y, text, size):
    at = f'x="{(bed.left + bed.right) / 2:.0f}" y="{y + size / 3:.0f}"'
    return f'<text {at} text-anchor="middle" style="font-size:{size}px">{text}</text>'
