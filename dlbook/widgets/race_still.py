"""The still picture of :class:`Race`: the map with all balls after the last update, and both charts.

>>> Chart(960, {}).wide, Chart(380, {}).wide
(True, False)
"""

import math

import numpy as np

from dlbook.widgets import stage_still as stage
from dlbook.widgets.race_rules import METHODS
from dlbook.widgets.still import number

REACH, UNIT = 2.0, 500
COLORS = ("var(--t)", "var(--o)", "#d9b000", "var(--p)", "var(--b)", "var(--g)")
SHAPES = (
    "M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0Z",
    "M-4.5 -4.5H4.5V4.5H-4.5Z",
    "M0 -6 5.4 4.2H-5.4Z",
    "M0 -6.4 6.4 0 0 6.4 -6.4 0Z",
    "M-6 -2H-2V-6H2V-2H6V2H2V6H-2V2H-6Z",
    "M0 6 5.4 -4.2H-5.4Z",
)


def draw_race(figure):
    """Return heading, map, charts and description of the starting state as HTML."""
    values = figure.values
    state = f"{values['surface']}, {values['method']} at the rate {number(values['rate'])}"
    return stage.both(figure, _picture, state)


class Chart(stage.Square):
    """Where everything stands in a picture of some width; race_picture.js does the same."""

    reach = REACH

    def __init__(self, width, spec):
        self.width, self.wide, self.spec = width, width >= 640, spec
        self.side = min(500, width * 0.52) if self.wide else width - 16
        self.left, self.top = (12, 46) if self.wide else (8, 72)
        self.x = self.left + self.side + 62 if self.wide else 46
        self.right = width - (20 if self.wide else 14)
        self.high = (self.side - 136) / 2 if self.wide else 130
        first = self.top + 18 if self.wide else self.top + self.side + 34
        self.panels = (first, first + self.high + 74)
        self.height = (self.top + self.side if self.wide else first + 2 * self.high + 118) + 12

    def up(self, panel, bounds, loss):
        """Pixels of a loss in a chart, a logarithm, held inside it."""
        low, high = bounds
        part = (min(max(math.log10(max(loss, 1e-99)), low), high) - low) / (high - low)
        return self.panels[panel] + self.high * (1 - part)

    def across(self, rate):
        """Pixels of a rate in the lower chart."""
        rates = self.spec["parameters"]["rate"]
        part = math.log(rate / rates[0]) / math.log(rates[-1] / rates[0])
        return self.x + (self.right - self.x) * part


def _picture(figure, width):
    at = Chart(width, figure.spec)
    surface = figure.spec["surfaces"][figure.values["surface"]]
    rings = "".join(f'<path d="{ring}"/>' for ring in reversed(surface["rings"]))
    look = 'fill="#4a7fc1" fill-opacity="0.13" stroke="#4a7fc1" stroke-opacity="0.5" fill-rule="evenodd"'
    frame = f'x="{at.left}" y="{at.top}" width="{at.side:.1f}" height="{at.side:.1f}"'
    shift = f"translate({at.left} {at.top}) scale({at.side / UNIT:.4f})"
    hidden = figure.values["others"] == "hidden"
    rolled = [name for name in METHODS if not hidden or name == figure.values["method"]]
    parts = [
        f'<rect {frame} rx="8" fill="var(--u)" fill-opacity="0.35"/>',
        f'<g transform="{shift}" {look}>{rings}</g>',
        "".join(_name(at, i, name) for i, name in enumerate(METHODS)),
        _axes(at, surface["range"], figure.spec["updates"]),
        f'<svg {frame} viewBox="{at.left} {at.top} {at.side:.1f} {at.side:.1f}">'
        f"{''.join(_roll(at, figure, name) for name in rolled)}</svg>",
        "".join(_lines(at, figure, name, surface["range"]) for name in rolled),
    ]
    return width, at.height, "".join(parts)


def _name(at, index, name):
    """The shape and the name of a method, above the map."""
    each = (at.width - 40) / 6 if at.wide else (at.width - 16) / 3
    x = at.left + 8 + (index if at.wide else index % 3) * each
    y = 24 if at.wide else 24 + 24 * (index // 3)
    return f'{_ball(x, y - 4, index)}<text class="dls-hot" x="{x + 12:.0f}" y="{y}">{name}</text>'


def _ball(x, y, index, size=1.0):
    return (
        f'<path d="{SHAPES[index]}" transform="translate({x:.1f} {y:.1f}) scale({size})" '
        f'fill="{COLORS[index]}" stroke="var(--n)"/>'
    )


def _rate(figure, name):
    return figure.values["rate"] if name == figure.values["method"] else figure.best(name)


def _roll(at, figure, name):
    """The way of a ball on the map."""
    places = figure.places(name, _rate(figure, name))
    points = [at.place(*np.clip(place, -9, 9)) for place in places[np.isfinite(places).all(-1)]]
    index, mine = METHODS.index(name), name == figure.values["method"]
    line = f'<path class="dls-line" stroke="{COLORS[index]}" stroke-opacity="{1 if mine else 0.7}" '
    return f'{line}d="{stage.path(points)}"/>{_ball(*points[-1], index, 1.7 if mine else 1.0)}'


def _lines(at, figure, name, bounds):
    """The losses of a method over the updates, and its loss at the end against the rate."""
    color = COLORS[METHODS.index(name)]
    losses = figure.losses(name, _rate(figure, name))
    wide = (at.right - at.x) / (len(losses) - 1)
    rates = figure.spec["parameters"]["rate"]
    drawn = [
        [(at.x + wide * t, at.up(0, bounds, v)) for t, v in enumerate(losses) if math.isfinite(v)],
        [
            (at.across(rate), at.up(1, bounds, v))
            for rate, v in zip(rates, figure.sweep(name), strict=True)
            if v < 10 ** bounds[1]
        ],
    ]
    return "".join(
        f'<path class="dls-line" stroke="{color}" d="{stage.path(points)}"/>' for points in drawn if points
    )


def _axes(at, bounds, updates):
    low, high = bounds
    parts = []
    for panel, top in enumerate(at.panels):
        for exponent in range(low, high + 1, 2 if at.wide else 4):
            y = at.up(panel, bounds, 10.0**exponent)
            parts.append(
                f'<path d="M{at.x:.0f} {y:.1f}H{at.right}" stroke="var(--t)" stroke-opacity="0.22"/>'
                f'<text x="{at.x - 7:.0f}" y="{y + 4:.1f}" text-anchor="end">{stage.power(exponent)}</text>'
            )
        words = ("loss", f"loss after {updates} updates, by the rate")[panel]
        parts.append(f'<text class="dls-hot" x="{at.x - 38:.0f}" y="{top - 10:.0f}">{words}</text>')
    foot, middle = at.panels[0] + at.high, (at.x + at.right) / 2
    marks = [(at.x, foot + 18, "0"), (at.right, foot + 18, str(updates)), (middle, foot + 34, "updates")]
    rates, foot = at.spec["parameters"]["rate"], at.panels[1] + at.high
    first, last = math.ceil(math.log10(rates[0]) - 1e-9), math.floor(math.log10(rates[-1]) + 1e-9)
    marks += [(at.across(10.0**e), foot + 18, number(10.0**e)) for e in range(first, last + 1)]
    marks.append((middle, foot + 34, "learning rate"))
    return "".join(parts) + "".join(
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{words}</text>' for x, y, words in marks
    )
