"""The still picture of :class:`Backprop`: the net and the square of its answers at the start."""

import numpy as np
from PIL import Image

from dlbook.widgets import backprop_net as net
from dlbook.widgets import encode
from dlbook.widgets import stage_still as stage

LOW, HIGH, CELLS = -0.25, 1.25, 60
DARK, LIGHT = np.array([20, 27, 40]), np.array([84, 160, 235])
EDGES = ((0, 2, 0), (1, 2, 1), (0, 3, 3), (1, 3, 4), (2, 4, 6), (3, 4, 7))  # from, to, place in NUMBERS
UNITS = ("x₁", "x₂", "h₁", "h₂", "ŷ")


def draw_net(figure):
    """Return heading, net and square in two widths, and the description, as HTML."""
    shown = ", ".join(f"{name} {figure.values[name]}" for name in ("case", "loss"))
    return stage.both(figure, _picture, shown)


def sheet(width):
    """Return the places of units, chips and square for a width; backprop_draw.js does the same."""
    wide = width >= 640
    side = min(300, width * 0.33) if wide else min(width - 64, 270)
    inner, r, top, gap = (width - side - 50, 32, 112, 200) if wide else (width, 24, 96, 200)
    x1, x2, x3 = (52, inner * 0.46, inner * 0.82) if wide else (34, width / 2, width - 38)
    units = [(x1, top), (x1, top + gap), (x2, top), (x2, top + gap), (x3, top + gap / 2)]
    square = (width - side - 14, 34, side) if wide else ((width - side) / 2, 432, side)
    along = lambda a, b, t: tuple(p + t * (q - p) for p, q in zip(units[a], units[b], strict=True))
    far = (50, 48, 64, 58) if wide else (46, 44, 50, 68)
    chips = [along(0, 2, 0.5), along(1, 2, 0.36), (x2, top - r - far[0])]
    chips += [along(0, 3, 0.36), along(1, 3, 0.5), (x2, top + gap + r + far[1])]
    chips += [along(2, 4, 0.5), along(3, 4, 0.5), (x3, units[4][1] + r + far[2])]
    return {
        "r": r,
        "units": units,
        "chips": chips,
        "chip": (86, 40) if wide else (66, 38),
        "square": square,
        "told": (x3, units[4][1] - r - far[3]),
        "height": max(square[1] + side + 96, top + gap + r + 84),
    }


def _picture(figure, width):
    at, found = sheet(width), figure.numbers()
    parts = [_edge(at, figure.weights, *edge) for edge in EDGES]
    parts += [_chip(at, i, figure.weights[i], found["gradient"][i]) for i in range(9)]
    values = [*figure.inputs, *found["h"], found["y"]]
    deltas = [*found["gradient"][9:], *found["deltas"]]
    parts += [_unit(at, i, value, delta) for i, (value, delta) in enumerate(zip(values, deltas, strict=True))]
    x, y = at["told"]
    for row, words in enumerate((f"target {figure.target():g}", f"loss {short(found['loss'])}")):
        parts.append(f'<text x="{x:.1f}" y="{y + 18 * row:.1f}" text-anchor="middle">{words}</text>')
    return width, at["height"], "".join(parts) + _square(figure, *at["square"])


def short(value):
    """Return a number with three digits behind the point at most."""
    return (
        f"{float(value):.3f}".rstrip("0")
        .rstrip(".")
        .replace("-0", "0" if value > -5e-4 else "−0")
        .replace("-", "−")
    )


def _edge(at, weights, a, b, i):
    (x1, y1), (x2, y2) = at["units"][a], at["units"][b]
    wide, dash = min(9, 1 + 1.1 * abs(weights[i])), ' stroke-dasharray="10 8"' if weights[i] < 0 else ""
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {place} stroke="#38648f" stroke-width="{wide:.1f}" stroke-linecap="round"{dash}/>'


def _chip(at, i, weight, gradient):
    (x, y), (wide, high) = at["chips"][i], at["chip"]
    box = f'x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide}" height="{high}" rx="7"'
    name = f"{net.NUMBERS[i]} {short(weight)}"
    return (
        f'<rect {box} fill="var(--n)" stroke="#4d5b70"/>'
        f'<text class="dls-hot" x="{x:.1f}" y="{y - 4:.1f}" text-anchor="middle">{name}</text>'
        f'<text class="dls-orange" x="{x:.1f}" y="{y + 13:.1f}" text-anchor="middle">{short(gradient)}</text>'
    )


def _unit(at, i, value, delta):
    (x, y), r = at["units"][i], at["r"]
    place = f'x="{x:.1f}" text-anchor="middle"'
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="#1d466e" stroke="var(--b)"/>'
        f'<text class="dls-hot" {place} y="{y + 5:.1f}">{short(value)}</text>'
        f'<text class="dls-blue" {place} y="{y - r - 9:.1f}">{UNITS[i]}</text>'
        f'<text class="dls-orange" {place} y="{y + r + 17:.1f}">{"∂" if i < 2 else "δ"} {short(delta)}</text>'
    )


def _square(figure, left, top, side):
    """Return the answers to all inputs, the cases as dots (filled: 1), and the input as a ring."""
    line = np.linspace(LOW, HIGH, CELLS)
    x, y = np.meshgrid(line, line[::-1])
    answers = net.forward_and_back(figure.weights, (x, y), 0.0, net.SQUARED)["y"][..., None]
    image = Image.fromarray(np.rint(DARK + answers * (LIGHT - DARK)).astype(np.uint8))
    to = lambda a, b: (left + (a - LOW) / (HIGH - LOW) * side, top + side - (b - LOW) / (HIGH - LOW) * side)
    place = f'x="{left:.1f}" y="{top}" width="{side:.1f}" height="{side:.1f}"'
    parts = [f'<image {place} href="{encode.data_uri(image)}"/>']
    parts.append(f'<text x="{left:.1f}" y="{top - 12}">every input, and the answer to it</text>')
    for a, b, target in figure.spec["cases"]:
        (cx, cy), (fill, edge) = to(a, b), ("#fff", "#0b0f17") if target else ("#0b0f17", "#fff")
        parts.append(
            f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="9" fill="{fill}" stroke="{edge}" stroke-width="2.4"/>'
        )
    cx, cy = to(*figure.inputs)
    parts.append(
        f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="15" fill="none" stroke="#dfe7f1" stroke-width="1.5"/>'
    )
    return "".join(parts)
