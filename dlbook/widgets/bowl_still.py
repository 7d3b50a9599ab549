"""The still picture of :class:`Bowl`: the balls after the last update, and the course of their mean loss."""

import math

import numpy as np

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape

RINGS, SPOKES = (0.25, 0.5, 0.75), 12  # parts of the rim's radius; lines from the ground to the rim


def draw_bowl(figure):
    """Return heading, bowl and course of the starting state, and the description, as HTML."""
    return stage.both(figure, _picture)


class Ground:
    """Where everything stands in a picture of some width; bowl.js does the same.

    Args:
        width: of the picture, pixels.
        spec: curvatures and rim of the bowl, range of the course.
    """

    def __init__(self, width, spec):
        self.wide = width >= 640
        self.room = width * 0.58 if self.wide else width
        reach = [math.sqrt(2 * spec["rim"] / h) for h in spec["curvatures"]]
        self.half = self.room / 2 - (26 if self.wide else 18)
        self.scale = self.half / max(reach)
        self.tilt, self.deep = 0.5, 0.66 * self.half
        back = self.tilt * self.scale * reach[1]
        self.cx, self.cy = self.room / 2, 66 + back + self.deep
        self.spec, self.reach = spec, reach
        under = (self.tilt * self.scale) ** 2 * spec["rim"] / (2 * self.deep * spec["curvatures"][1])
        floor = self.foot = self.cy + under + 42
        if self.wide:
            self.left, self.right, self.top, self.bottom = self.room + 58, width - 26, 66, floor - 44
            self.height = floor
        else:
            self.left, self.right, self.top, self.bottom = 54, width - 16, floor + 34, floor + 184
            self.height = floor + 224

    def height_of(self, loss):
        """Pixels above the ground of the bowl."""
        return self.deep * loss / self.spec["rim"]

    def place(self, x, y):
        """Pixels of a point on the bowl above the weights x and y."""
        a, b = self.spec["curvatures"]
        up = self.height_of(0.5 * (a * x * x + b * y * y))
        return self.cx + self.scale * x, self.cy + self.tilt * self.scale * y - up

    def ring(self, loss):
        """Middle and radii of the ring at one loss, pixels."""
        wide, far = (math.sqrt(2 * loss / h) * self.scale for h in self.spec["curvatures"])
        return self.cx, self.cy - self.height_of(loss), wide, far * self.tilt

    def outline(self):
        """The bowl as it is seen: the front wall hides nothing, so its edge is a parabola under the rim."""
        b = self.spec["curvatures"][1]
        near = min(self.tilt * self.scale / (self.deep / self.spec["rim"] * b), 0.98 * self.reach[1])
        side = self.reach[0] * math.sqrt(1 - (near / self.reach[1]) ** 2)
        points = [self.place(side * k / 20, near) for k in range(-20, 21)]
        x, y, wide, far = self.ring(self.spec["rim"])
        arc = f"A{wide:.1f} {far:.1f} 0 1 0 {points[0][0]:.1f} {points[0][1]:.1f}Z"
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + arc

    def across(self, update, updates):
        """Pixels of an update on the course."""
        return self.left + (self.right - self.left) * update / updates

    def up(self, loss):
        """Pixels of a loss on the course, a logarithm, held inside the panel."""
        low, high = self.spec["range"]
        part = (math.log10(min(max(loss, 1e-9), 1e9)) - low) / (high - low)
        return self.bottom - (self.bottom - self.top) * min(max(part, 0), 1)


def _picture(figure, width):
    spec = figure.spec
    at, rates = Ground(width, spec), figure.rates()
    swarm, losses = figure.swarm(), figure.losses()
    gone = losses[-1] > 4 * spec["rim"]
    parts = [
        f'<path fill="var(--u)" stroke="var(--t)" stroke-width="1.5" d="{at.outline()}"/>',
        _rings(at),
        "" if gone else _floor(at, figure.floor(rates[-1])) + _balls(at, swarm, spec["shown"]),
        _course(at, figure, losses),
        f'<text class="dls-hot" x="20" y="27">{spec["shown"]} balls after {len(rates)} updates</text>',
    ]
    if gone:
        word = f'x="{at.cx:.0f}" y="{at.cy - at.deep * 0.55:.0f}" text-anchor="middle" style="font-size:40px"'
        parts.append(f'<text class="dls-hot" {word}>diverged</text>')
    return width, at.height, "".join(parts)


def _rings(at):
    """The rim, rings of equal loss, and lines from the ground to the rim."""
    drawn = []
    for part in (*RINGS, 1):
        x, y, wide, far = at.ring(part**2 * at.spec["rim"])
        look = f'stroke="var(--t)" stroke-opacity="{0.9 if part == 1 else 0.35}" fill="none"'
        drawn.append(f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{wide:.1f}" ry="{far:.1f}" {look}/>')
    for spoke in range(SPOKES):
        angle = 2 * math.pi * spoke / SPOKES
        ends = [
            at.place(k / 12 * at.reach[0] * math.cos(angle), k / 12 * at.reach[1] * math.sin(angle))
            for k in range(13)
        ]
        line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ends)
        drawn.append(f'<path d="{line}" fill="none" stroke="var(--t)" stroke-opacity="0.2"/>')
    return "".join(drawn)


def _floor(at, loss):
    """The disc at the height of the floor, as wide as the bowl is there."""
    if not loss < 2 * at.spec["rim"]:
        return ""
    x, y, wide, far = at.ring(loss)
    place = f'cx="{x:.1f}" cy="{y:.1f}" rx="{wide:.1f}" ry="{far:.1f}"'
    return (
        f'<ellipse class="dls-orange" fill-opacity="0.4" stroke="var(--o)" stroke-width="2" '
        f'stroke-dasharray="6 4" {place}/><text class="dls-orange" text-anchor="middle" x="{at.cx:.0f}" '
        f'y="{at.foot - 16:.0f}" font-weight="600">floor {loss:.3g}</text>'
    )


def _balls(at, swarm, shown):
    """The balls after the last update; the first is large, and has its last ten updates behind it."""
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="var(--h)" fill-opacity="0.6"/>'
        for x, y in (at.place(*weights) for weights in swarm[-1, 1:shown])
    )
    steps = swarm[-11:, 0]
    ends, middles = ([at.place(*w) for w in points] for points in (steps, (steps[1:] + steps[:-1]) / 2))
    # a straight step between two weights lies on the bowl as a parabola
    line = "M{:.1f} {:.1f}".format(*ends[0]) + "".join(
        f"Q{2 * x - (a + c) / 2:.1f} {2 * y - (b + d) / 2:.1f} {c:.1f} {d:.1f}"
        for (a, b), (x, y), (c, d) in zip(ends, middles, ends[1:], strict=False)
    )
    x, y = ends[-1]
    return (
        f'{dots}<path class="dls-line" stroke="var(--o)" d="{line}"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="var(--h)" stroke="var(--o)" stroke-width="2.5"/>'
    )


def _course(at, figure, losses):
    """The mean loss over the updates, with the floor of the rate of each update."""
    low, high = figure.spec["range"]
    updates = len(losses) - 1
    parts = []
    for exponent in range(low, high + 1):
        y = at.up(10.0**exponent)
        grid = f'd="M{at.left} {y:.1f}H{at.right}" stroke="var(--t)" stroke-opacity="0.25"'
        parts.append(
            f'<path {grid}/><text x="{at.left - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{stage.power(exponent)}</text>"
        )
    line = lambda values: (
        "M" + "L".join(f"{at.across(i, updates):.1f} {at.up(value):.1f}" for i, value in enumerate(values))
    )
    floors = [figure.floor(rate) for rate in figure.rates()]
    if np.isfinite(floors).all():
        dashes = 'stroke-dasharray="6 4" stroke="var(--o)"'
        parts.append(f'<path class="dls-line" {dashes} d="{line([*floors, floors[-1]])}"/>')
    inside = next((i for i, loss in enumerate(losses) if not loss < 10**high), updates)
    parts.append(f'<path class="dls-line" stroke="var(--h)" d="{line(losses[: inside + 1])}"/>')
    for update in (0, updates // 2, updates):
        parts.append(
            f'<text x="{at.across(update, updates):.0f}" y="{at.bottom + 18}" text-anchor="middle">'
            f"{update}</text>"
        )
    name = escape(f"mean loss of {figure.spec['copies']} balls")
    parts.append(
        f'<text class="dls-hot" x="{at.left}" y="{at.top - 14}">{name}</text>'
        f'<text class="dls-orange" x="{at.right}" y="{at.top - 14}" text-anchor="end">- - its floor</text>'
        f'<text x="{(at.left + at.right) / 2:.0f}" y="{at.bottom + 36}" text-anchor="middle">updates</text>'
    )
    return "".join(parts)
