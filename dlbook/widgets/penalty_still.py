"""The still picture of :class:`Penalty`: ellipses, region, path, and the two weights over λ.

>>> PenaltyLayout(960).wide, PenaltyLayout(380).wide
(True, False)
"""

import math

import numpy as np

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import number

REACH = 1.25  # the square shows a little more than -1 to 1
LEVELS = (0.25, 0.5, 0.75, 1.0, 1.3, 1.7, 2.2)  # of the ellipses, as shares of the root of the loss at 0
COLORS = ("var(--o)", "var(--b)")  # of the two weights


def draw_penalty(figure):
    """Return heading, picture and description of the starting state as HTML."""
    return stage.both(figure, _picture)


class PenaltyLayout(stage.Square):
    """Where everything stands in a picture of some width; penalty_picture.js does the same."""

    reach = REACH

    def __init__(self, width):
        self.width, self.wide = width, width >= 640
        self.side = min(470, width * 0.5) if self.wide else width - 24
        self.left, self.top = (20, 20) if self.wide else (12, 12)
        if self.wide:
            self.x, self.right = self.left + self.side + 66, width - 28
            self.y, self.foot = self.top + 64, self.top + self.side - 48
        else:
            self.x, self.right = 46, width - 16
            self.y, self.foot = self.top + self.side + 66, self.top + self.side + 226
        self.height = (self.top + self.side if self.wide else self.foot + 42) + 20


def region(share, bound):
    """Return the corners of {w: s |w|₁ + (1 − s) |w|² ≤ bound}, one every two degrees, [180, 2]."""
    angles = np.arange(180) * math.pi / 90
    ways = np.stack([np.cos(angles), np.sin(angles)], 1)
    a, b = share * np.abs(ways).sum(1), 1 - share
    reach = bound / a if b == 0 else (-a + np.sqrt(a**2 + 4 * b * bound)) / (2 * b)
    return ways * reach[:, None]


def ellipse(curvature, minimum, loss):
    """Return places around the minimum where the loss has one value, [90, 2]."""
    h, axes = np.linalg.eigh(np.array(curvature))
    angles = np.arange(90) * math.pi / 45
    circle = np.stack([np.cos(angles), np.sin(angles)], 1)
    return np.array(minimum) + (circle * np.sqrt(2 * loss / h)) @ axes.T


def _path(at, points, close=""):
    return stage.path(at.place(x, y) for x, y in points) + close


def _loss(figure, w):
    off = np.array(w) - np.array(figure.minimum)
    return off @ np.array(figure.spec["curvature"]) @ off / 2


def _picture(figure, width):
    at, w, share = PenaltyLayout(width), figure.minimiser(), figure.values["share of L1"]
    bound = share * np.abs(w).sum() + (1 - share) * w @ w
    whole = _loss(figure, (0, 0))
    rings = [ellipse(figure.spec["curvature"], figure.minimum, whole * level**2) for level in LEVELS]
    touching = ellipse(figure.spec["curvature"], figure.minimum, max(_loss(figure, w), 1e-9))
    clip, (cx, cy), (mx, my), (wx, wy) = (
        f"dls-penalty-{width}",
        *(at.place(*p) for p in ((0, 0), figure.minimum, w)),
    )
    square = f'x="{at.left}" y="{at.top}" width="{at.side:.0f}" height="{at.side:.0f}" rx="6"'
    parts = [
        f'<clipPath id="{clip}"><rect {square}/></clipPath><g clip-path="url(#{clip})">',
        f'<path d="{_path(at, region(share, bound), "Z")}" fill="var(--g)" fill-opacity="0.2" '
        'stroke="var(--g)" stroke-width="2.2"/>',
        f'<path d="M{at.left} {cy:.0f}h{at.side:.0f}M{cx:.0f} {at.top}v{at.side:.0f}" stroke="var(--t)" '
        'stroke-opacity="0.5"/>',
        *(
            f'<path d="{_path(at, ring, "Z")}" fill="none" stroke="var(--p)" opacity="0.4"/>'
            for ring in rings
        ),
        f'<path d="{_path(at, touching, "Z")}" class="dls-line" stroke="var(--p)"/>',
        f'<path d="{_path(at, figure.path())}" class="dls-line" stroke="var(--h)"/></g>',
        f'<rect {square} fill="none" stroke="var(--t)" stroke-opacity="0.6"/>',
        f'<circle cx="{mx:.1f}" cy="{my:.1f}" r="7" fill="var(--p)"/>',
        f'<circle cx="{wx:.1f}" cy="{wy:.1f}" r="7" fill="var(--h)" stroke="var(--n)" stroke-width="2"/>',
        _chart(at, figure, w),
    ]
    return width, at.height, "".join(parts)


def _chart(at, figure, w):
    """The two weights over the λ of the slider, each a line, with the chosen λ marked."""
    path, factors = figure.path(), figure.spec["parameters"]["λ"]
    chosen, last = factors.index(figure.values["λ"]), len(factors) - 1
    px = lambda k: at.x + (at.right - at.x) * k / last
    py = lambda v: (at.y + at.foot) / 2 - v * (at.foot - at.y) / 2
    said = ", ".join(f"w{i + 1} = {number(round(float(w[i]), 3))}" for i in range(2))
    parts = [f'<text class="dls-hot" x="{at.x}" y="{at.y - 34}" style="font-size:15px">{said}</text>']
    parts.append(
        f'<path d="M{at.x} {py(0):.1f}H{at.right}M{px(chosen):.1f} {at.y}V{at.foot}" stroke="var(--t)" '
        'opacity="0.6"/>'
    )
    for i, color in enumerate(COLORS):
        line = stage.path((px(k), py(v)) for k, v in enumerate(path[:, i]))
        parts.append(f'<path class="dls-line" stroke="{color}" d="{line}"/>')
        parts.append(f'<circle cx="{px(chosen):.1f}" cy="{py(w[i]):.1f}" r="5" fill="{color}"/>')
    for value in (-1, 0, 1):
        parts.append(f'<text x="{at.x - 8}" y="{py(value) + 4:.0f}" text-anchor="end">{number(value)}</text>')
    for k in (0, last // 3, 2 * last // 3, last):
        label = number(float(f"{factors[k]:.1g}"))
        parts.append(f'<text x="{px(k):.0f}" y="{at.foot + 18}" text-anchor="middle">{label}</text>')
    middle = (at.x + at.right) / 2
    parts.append(f'<text x="{middle:.0f}" y="{at.foot + 37}" text-anchor="middle">λ</text>')
    return "".join(parts)
