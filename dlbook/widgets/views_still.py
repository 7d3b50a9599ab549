"""The still picture of :class:`Views`: both views with their bars, the threshold, and the label's arrow."""

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape, number


class Desk:
    """Where everything stands in a picture of some width; views.js does the same.

    Args:
        width: of the picture, pixels.
        classes: their number.
    """

    def __init__(self, width, classes):
        self.wide = width >= 640
        self.side = 168 if self.wide else 96
        self.left = 24 if self.wide else 12
        self.start = self.left + self.side + (56 if self.wide else 22)
        self.stop = width - (220 if self.wide else 14)
        self.gap = (self.stop - self.start) / classes
        self.tall = 132 if self.wide else 92
        self.base = [62 + self.tall, 62 + 2 * self.tall + 98]
        self.height = self.base[1] + (34 if self.wide else 84)

    def x(self, place):
        """Middle of the bar of a class."""
        return self.start + self.gap * (place + 0.5)


def draw_views(figure):
    """Return heading, both views with bars and arrow, and the description, as HTML."""
    return stage.both(figure, _picture)


def _picture(figure, width):
    desk, lesson = Desk(width, len(figure.spec["classes"])), figure.lesson()
    parts = []
    titles = ("weak view: gives the label", "strong view: learns it")
    for row, (key, title, uri) in enumerate(zip("qp", titles, figure.pictures(), strict=True)):
        base = desk.base[row]
        edge = desk.start if desk.wide else desk.left
        middle = base - desk.tall / 2 - desk.side / 2
        parts.append(
            '<text class="dls-hot" font-weight="600" paint-order="stroke" stroke="var(--n)" '
            f'stroke-width="6" x="{edge:.0f}" y="{base - desk.tall - 24}">'
            f"{title}</text>"
            f'<image href="{uri}" x="{desk.left}" y="{middle:.0f}" width="{desk.side}" height="{desk.side}"/>'
            + _bars(desk, figure, lesson, key, base)
        )
    y = desk.base[0] - desk.tall * figure.values["τ"]
    parts.append(
        f'<path d="M{desk.start - 6:.0f} {y:.1f}H{desk.stop + 6:.0f}" stroke="var(--h)" stroke-width="1.8" '
        f'stroke-dasharray="6 4"/><text class="dls-hot" x="{desk.start - 10:.0f}" y="{y + 4:.0f}" '
        f'text-anchor="end">τ</text>'
    )
    return width, desk.height, _arrow(desk, figure, lesson) + "".join(parts)


def _bars(desk, figure, lesson, key, base):
    """The bars of one row; the one of the label is green, with its class in bold."""
    drawn = []
    for place, (name, part) in enumerate(zip(figure.spec["classes"], lesson[key], strict=True)):
        chosen = place == lesson["best"] and lesson["label"] is not None
        fill = "#4fd1a5" if chosen else "var(--b)"
        half, high = desk.gap * 0.34, max(1.5, desk.tall * part)
        weight = ' font-weight="700"' if chosen else ""
        drawn.append(
            f'<rect x="{desk.x(place) - half:.1f}" y="{base - high:.1f}" width="{2 * half:.1f}" '
            f'height="{high:.1f}" fill="{fill}"/><text x="{desk.x(place):.1f}" y="{base + 17}" '
            f'text-anchor="middle"{weight}>{escape(name)}</text>'
        )
    return "".join(drawn)


def _arrow(desk, figure, lesson):
    """The label's way from the upper bar to the lower one, or where it ends."""
    x, top = desk.x(lesson["best"]), desk.base[0] + 24
    if lesson["label"] is None:
        words, end = "below τ: no label, loss 0", top + 16
        tip = f"M{x - 8:.1f} {end}h16"
    else:
        words = f"label {lesson['label']}, loss {number(round(lesson['loss'], 3))}"
        end = desk.base[1] - max(1.5, desk.tall * lesson["p"][lesson["best"]]) - 6
        tip = f"M{x - 6:.1f} {end - 8:.1f}l6 8l6 -8"
    place = f'x="{desk.stop + 22}" y="{desk.base[1] - desk.tall / 2:.0f}"'
    if not desk.wide:
        place = f'x="12" y="{desk.height - 22}"'
    return (
        f'<path class="dls-line" stroke="#4fd1a5" d="M{x:.1f} {top}V{end:.1f}{tip}"/>'
        f'<text fill="#4fd1a5" style="fill:#4fd1a5" font-weight="600" {place}>{escape(words)}</text>'
    )
