"""The still picture of :class:`Multiples`: all squares at the starting x, in five columns or in three."""

import numpy as np

from dlbook.widgets import encode
from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape, number

TOP, PAD, GAP = 26, 6, 10  # room for the name, inside a square, between squares; pixels


def draw_multiples(figure):
    """Return heading, squares and description, as HTML."""
    forms = [_picture(figure, 960, 5), _picture(figure, 380, 3)]
    return stage.page(figure, f"x = {number(figure.cursor)}", forms)


def _picture(figure, width, columns):
    spec = figure.spec
    side = (width - 2 * GAP - (columns - 1) * GAP) / columns
    tall = side * 0.76
    step = TOP + tall + 42
    parts = []
    for place, entry in enumerate(spec["curves"]):
        x, y = GAP + place % columns * (side + GAP), GAP + place // columns * step
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{_square(figure, entry, side, tall)}</g>')
    rows = -(-len(spec["curves"]) // columns)
    words = (
        f'<tspan class="dls-blue">— {escape(spec["value"])}</tspan>'
        f'<tspan class="dls-orange">&#160;&#160; - - {escape(spec["slope"])}</tspan>'
    )
    parts.append(f'<text x="{GAP}" y="{rows * step + 14:.0f}">{words}</text>')
    return width, rows * step + 28, "".join(parts)


def _square(figure, entry, side, tall):
    """One square: name, curve, slope, the line of x, and both numbers below."""
    spec = figure.spec
    xs, (low, high) = np.array(spec["x"]), spec["range"]
    across = lambda x: PAD + (x - xs[0]) / (xs[-1] - xs[0]) * (side - 2 * PAD)
    up = lambda y: TOP + tall - PAD - (np.clip(y, low, high) - low) / (high - low) * (tall - 2 * PAD)
    values, slopes = (encode.unpack(entry[key]) for key in ("values", "slopes"))
    value, slope = figure.read()[entry["name"]]
    line = lambda row: _line(xs, row, across, up, (low, high), entry["jumps"])
    at = across(figure.cursor)
    size = "" if side > 150 else ' style="font-size:11px"'
    told = number(float(f"{slope:.3g}"))
    if abs(slope) < spec["flat"]:
        words = f"{told}, flat"
        told = words if side > 150 or len(words) <= 8 else "flat"  # a small square has no room for more
    return (
        f'<rect class="dls-unlit" y="{TOP - 4}" width="{side:.1f}" height="{tall + 4:.1f}" rx="5"/>'
        f'<text x="2" y="14"{size}>{escape(entry["name"])}</text>'
        f'<path d="M{PAD} {up(0):.1f}H{side - PAD:.1f}M{across(0):.1f} {TOP}V{TOP + tall:.1f}"'
        f' stroke="var(--t)" stroke-opacity="0.35"/>'
        f'<path d="M{at:.1f} {TOP}V{TOP + tall:.1f}" stroke="var(--t)"/>'
        f'<path class="dls-line" stroke="var(--o)" stroke-dasharray="5 4" d="{line(slopes)}"/>'
        f'<path class="dls-line" stroke="var(--b)" d="{line(values)}"/>'
        f'<circle class="dls-blue" r="4" cx="{at:.1f}" cy="{up(value):.1f}"/>'
        f'<circle class="dls-orange" r="4" cx="{at:.1f}" cy="{up(slope):.1f}"/>'
        f'<text class="dls-blue" x="2" y="{TOP + tall + 17:.0f}"{size}>{number(float(f"{value:.3g}"))}</text>'
        f'<text class="dls-orange" x="{side / 2:.0f}" y="{TOP + tall + 17:.0f}"{size}>'
        f"{told}</text>"
    )


def _line(xs, row, across, up, limits, jumps):
    """Return a path with gaps outside the square, and where the curve jumps."""
    path, pen = "", "M"
    for at, (x, y) in enumerate(zip(xs, row, strict=True)):
        step = max(abs(y - row[max(at - 1, 0)]), abs(y - row[min(at + 1, len(row) - 1)]))
        if not limits[0] <= y <= limits[1] or (at in jumps and step > 0.05):
            pen = "M"
            continue
        path += f"{pen}{across(x):.1f} {up(y):.1f}"
        pen = "L"
    return path or "M0 0"
