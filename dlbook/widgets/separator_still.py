"""The still picture of :class:`Separator`: points and line after the last mistake, and the wedge.

>>> Sheet(960).wide, Sheet(380).wide
(True, False)
"""

import math

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import number

REACH = 1.1  # the square shows a little more than -1 to 1
MARKS = ("M-7 -7H7V7H-7Z", "M-7.7 0a7.7 7.7 0 1 0 15.4 0a7.7 7.7 0 1 0 -15.4 0Z")  # by label, as in the page
COLORS = ("var(--p)", "var(--g)")


def draw_separator(figure):
    """Return heading, picture and description of the starting state as HTML."""
    return stage.both(figure, _picture)


class Sheet(stage.Square):
    """Where everything stands in a picture of some width; separator_picture.js does the same."""

    reach = REACH

    def __init__(self, width):
        self.width, self.wide = width, width >= 640
        self.side = min(460, width * 0.46) if self.wide else width - 24
        self.left, self.top = (20, 48) if self.wide else (12, 48)
        if self.wide:
            self.x, self.right = self.left + self.side + 74, width - 26
            self.y, self.foot = self.top + 34, self.top + self.side - 44
        else:
            self.x, self.right = 58, width - 16
            self.y, self.foot = self.top + self.side + 72, self.top + self.side + 252
        self.height = (self.top + self.side if self.wide else self.foot + 40) + 20


def half(weights, sign):
    """Return the corners of the part of the square where sign * (w . x + b) is positive."""
    corners = [(-REACH, -REACH), (REACH, -REACH), (REACH, REACH), (-REACH, REACH)]
    score = lambda p: sign * (weights[0] * p[0] + weights[1] * p[1] + weights[2])
    kept = []
    for p, q in zip(corners, corners[1:] + corners[:1], strict=True):
        a, b = score(p), score(q)
        kept += [p] if a >= 0 else []
        if a * b < 0:
            kept.append(tuple(v + (u - v) * a / (a - b) for v, u in zip(p, q, strict=True)))
    return kept


def _picture(figure, width):
    at, run = Sheet(width), figure.course()
    opens = figure.spec["opens"]
    mistakes = len(run.missed) if opens is None else min(opens, len(run.missed))
    weights = run.weights[mistakes]
    square = f'x="{at.left}" y="{at.top}" width="{at.side:.0f}" height="{at.side:.0f}" rx="6"'
    title = f"{mistakes} mistake{'' if mistakes == 1 else 's'}"
    parts = [
        "".join(_zone(at, weights, sign) for sign in (1, -1)),
        f'<rect {square} fill="none" stroke="var(--t)" stroke-opacity="0.6"/>',
        "".join(_dot(at, weights, *point) for point in figure.points),
        f'<text class="dls-hot" x="{at.left}" y="30" style="font-size:15px">{title}</text>',
        _wedge(at, run.weights[1:], mistakes, *figure.bound()),
    ]
    return width, at.height, "".join(parts)


def _zone(at, weights, sign):
    """One side of the line; where it is the yes side, the line is its edge."""
    corners = half(weights, sign)
    if len(corners) < 3 or not weights.any():
        return ""
    filled = (
        f'<path d="{stage.path([at.place(*p) for p in corners])}Z" fill="{COLORS[sign > 0]}" opacity="0.13"/>'
    )
    on = [p for p in corners if abs(weights[0] * p[0] + weights[1] * p[1] + weights[2]) < 1e-9]
    line = f'<path class="dls-line" stroke="var(--h)" d="{stage.path([at.place(*p) for p in on[:2]])}"/>'
    return filled + (line if sign > 0 and len(on) > 1 else "")


def _dot(at, weights, x, y, label):
    """A point of its class: filled on the right side of the line, hollow on the wrong one."""
    right = (weights[0] * x + weights[1] * y + weights[2] >= 0) == bool(label)
    px, py = at.place(x, y)
    fill = COLORS[label] if right else "var(--n)"
    return (
        f'<path d="{MARKS[label]}" transform="translate({px:.1f} {py:.1f})" fill="{fill}" '
        f'stroke="{COLORS[label]}" stroke-width="2.5"/>'
    )


def _wedge(at, weights, mistakes, radius, margin, most):
    """The squared length of the weights over the first mistakes, both in doublings, inside the proof's
    wedge.
    """
    text = f'<text class="dls-hot" x="{at.x}" y="{at.y - 20}">squared length of the weights</text>'
    said = f"at most {most}" if margin else "no bound"
    end = at.right if at.wide else at.left + at.side
    text += (
        f'<text class="dls-hot" x="{end:.0f}" y="30" text-anchor="end" style="font-size:15px">{said}</text>'
    )
    if not radius:
        return text
    lengths = (weights**2).sum(-1).tolist()
    across = max(3, math.ceil(math.log2(max(most if margin else 0, len(lengths)) + 1)))
    least = min([margin**2 if margin else math.inf, radius**2 / 2, *[v for v in lengths if v > 0]])
    low = math.floor(math.log2(max(least, 1e-6)))
    high = max(low + 3, math.ceil(math.log2(radius**2 * 2**across + 1e-9)))
    px = lambda k: at.x + (at.right - at.x) * math.log2(k) / across
    py = lambda v: at.foot - (at.foot - at.y) * (math.log2(max(v, 2.0**low)) - low) / (high - low)
    tip = radius**2 / margin**2 if margin else 2**across
    upper = [(px(1), py(radius**2)), (px(tip), py(radius**2 * tip))]
    lower = [(px(1), py(margin**2))] if margin else [(px(tip), at.foot), (px(1), at.foot)]
    run = stage.path([(px(k + 1), py(v)) for k, v in enumerate(lengths[:mistakes])]) if mistakes else "M0 0"
    drawn = [
        f'<path d="{stage.path(upper + lower)}Z" fill="var(--t)" fill-opacity="0.15" stroke="var(--t)"/>',
        f'<path class="dls-line" stroke="var(--o)" d="{run}"/>',
    ]
    for power in range(0, across + 1, math.ceil(across / 6)):
        label = f"{min(px(2**power), at.width - 17):.0f}"  # a number of four digits stays inside
        drawn.append(f'<text x="{label}" y="{at.foot + 18}" text-anchor="middle">{number(2**power)}</text>')
    for power in range(low, high + 1, math.ceil((high - low) / 7)):
        y = py(2.0**power)
        length = number(round(2.0**power, 4))  # six characters at most: the narrow form has no room for more
        drawn.append(f'<text x="{at.x - 8}" y="{y + 4:.0f}" text-anchor="end">{length}</text>')
    middle = (at.x + at.right) / 2
    drawn.append(f'<text x="{middle:.0f}" y="{at.foot + 38}" text-anchor="middle">mistakes k</text>')
    return text + "".join(drawn)
