"""The still picture of :class:`Nudge`: the picture, and what each network makes of it at all places."""

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape, number

COLOURS = (("#ff8896", "5 4"), ("var(--b)", "none"))  # and how the line is dashed


class Bench:
    """Where everything stands in a picture of some width; shift.js does the same.

    Args:
        width: of the picture, pixels.
        spec: of the figure.
    """

    def __init__(self, width, spec):
        self.width, self.wide, rows = width, width >= 760, len(spec["rows"])
        self.left, self.top = (24, 46) if self.wide else (12, 34)
        self.side = 232 if self.wide else 120
        self.start = self.left + self.side + 44 if self.wide else 12
        self.first = 46 if self.wide else self.top + self.side + 40  # the top of the first network's cells
        self.cell = 104 if self.wide else 84  # height of a map
        self.step = 172 if self.wide else 254
        self.bars = (max(600, width - 344) if self.wide else 12, width - (24 if self.wide else 12))
        self.tall = 84 if self.wide else 74
        self.base = self.cell if self.wide else self.cell + 36 + self.tall
        self.gap = (self.bars[1] - self.bars[0]) / len(spec["classes"])
        end = self.first + (rows - 1) * self.step + self.base
        self.chart = (self.start, width - (24 if self.wide else 12), end + 74, end + 74 + 84)
        self.height = self.chart[3] + 46

    def row(self, number):
        """Top of the cells of a network."""
        return self.first + number * self.step

    def places(self, row):
        """Left edge, width and height of each tiles of a row, as wide cells as fit."""
        found, x = [], self.start
        room = (self.bars[0] - 28 if self.wide else self.width - 12) - x
        for tiles in row["tiles"]:
            high, wide = tiles["shape"]
            unit = self.cell / high
            if found:  # the second ones fill the rest of the line
                unit = min(unit, (room - (x - self.start)) / wide)
            found.append((x, unit * wide, unit * high))
            x += unit * wide + 22
        return found

    def along(self, part):
        """Place on the chart of a part of the way from the first shift to the last."""
        return self.chart[0] + part * (self.chart[1] - self.chart[0])


def draw_nudge(figure):
    """Return heading, the picture, the networks' cells and answers, and the description, as HTML."""
    return stage.both(figure, _picture)


def _text(x, y, words, kind="", **style):
    drawn = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{drawn}>{escape(words)}</text>'


def _image(uri, x, y, width, height):
    at = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<image href="{uri}" {at} preserveAspectRatio="none"/>'


def _picture(figure, width):
    desk, spec = Bench(width, figure.spec), figure.spec
    parts = [
        _text(desk.left, desk.top - 12, "drag the picture", "dls-hot"),
        _image(figure.picture(), desk.left, desk.top, desk.side, desk.side),
        f'<rect x="{desk.left}" y="{desk.top}" width="{desk.side}" height="{desk.side}" fill="none" '
        'stroke="#ef9fd8" stroke-width="2"/>',
    ]
    for index, row in enumerate(spec["rows"]):
        parts.append(_network(figure, desk, index, row))
    return width, desk.height, "".join(parts) + _chart(figure, desk)


def _network(figure, desk, index, row):
    top, colour = desk.row(index), COLOURS[index][0]
    parts = [_text(desk.start, top - 12, row["name"], style=f"fill:{colour};font-weight:600")]
    for part, (x, wide, high) in enumerate(desk.places(row)):
        parts.append(_image(figure.cells(index, part), x, top, wide, high))
        parts.append(_text(x, top + high + 17, row["tiles"][part]["label"]))
    picture, shift = figure.at()
    base = top + desk.base
    for place, p in enumerate(row["probabilities"][picture][shift]):
        x, high = desk.bars[0] + desk.gap * (place + 0.5), max(1.5, desk.tall * p)
        truth = place == figure.spec["truths"][picture]
        parts.append(
            f'<rect x="{x - 0.34 * desk.gap:.1f}" y="{base - high:.1f}" width="{0.68 * desk.gap:.1f}" '
            f'height="{high:.1f}" fill="{colour}"/>'
            + _text(
                x,
                base + 17,
                figure.spec["classes"][place],
                text_anchor="middle",
                **({"style": "fill:#4fd1a5;font-weight:700"} if truth else {}),
            )
        )
    return "".join(parts)


def _chart(figure, desk):
    """The probability of the true class at every shift, a line a network, and where the picture is."""
    left, right, top, base = desk.chart
    picture, shift = figure.at()
    shifts, truth = figure.spec["parameters"]["shift"], figure.spec["truths"][picture]
    last = max(1, len(shifts) - 1)
    name = figure.spec["classes"][truth]
    parts = [
        _text(
            left,
            top - 14,
            f"probability of {name}, the right answer: 0 below, 1 above",
            "dls-hot",
        ),
        f'<path d="M{left:.1f} {top}H{right:.1f}M{left:.1f} {base}H{right:.1f}" stroke="var(--u)"/>',
        f'<path d="M{desk.along(shift / last):.1f} {top - 6}V{base + 6}" stroke="var(--h)" '
        'stroke-width="1.5"/>',
    ]
    for (colour, dash), row in zip(COLOURS, figure.spec["rows"], strict=False):
        line = "L".join(
            f"{desk.along(place / last):.1f} {base - (base - top) * p[truth]:.1f}"
            for place, p in enumerate(row["probabilities"][picture])
        )
        parts.append(f'<path class="dls-line" d="M{line}" stroke="{colour}" stroke-dasharray="{dash}"/>')
    for place in range(0, len(shifts), 4):
        words = number(shifts[place])
        parts.append(_text(desk.along(place / last), base + 24, words, text_anchor="middle"))
    return "".join(parts)
