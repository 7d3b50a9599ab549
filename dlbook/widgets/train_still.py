"""The still picture of :class:`Train`: what torch recorded, the healthy training and each fault.

>>> titled("no batch norm, first weights halved", 170)
['broken: no batch', 'norm, first weights', 'halved']
"""

import textwrap

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape

HIGH = 4  # the loss that the picture has room for, as in train_picture.js
LINE, LETTER = 16, 8.5  # pixels from line to line of a title, and of a bold letter, rather wide


def draw_training(figure):
    """Return heading, the recorded losses in two widths, and the description, as HTML."""
    return stage.both(figure, _picture, f"loss of {figure.spec['steps']} steps, recorded by torch")


def height(width):
    """Return the height of the live picture of some width, pixels; train_picture.js does the same."""
    return 384 if width >= 640 else 584


def titled(name, room):
    """Return the lines of a fault's title that are no wider than `room` pixels."""
    return textwrap.wrap(f"broken: {name}", int(room / LETTER), break_on_hyphens=False)


def _picture(figure, width):
    """One small square of axes for each fault, over the healthy curve, below a title of as many lines as the
    longest needs.
    """
    across = 4 if width >= 640 else 2
    wide, tall = (width - 20) / across, 150
    titles = [titled(name, wide - 10) if i else ["healthy"] for i, name in enumerate(figure.curves)]
    head = 12 + LINE * max(map(len, titles))
    rows = -(-len(titles) // across)
    parts, curves = [], list(figure.curves.values())
    for i, (title, curve) in enumerate(zip(titles, curves, strict=True)):
        left, top = 10 + wide * (i % across), 10 + head + (tall + head + 12) * (i // across)
        x = lambda step, left=left: left + 30 + (wide - 44) * step / len(curves[0])
        y = lambda loss, top=top: top + tall * (1 - min(max(loss, 0), HIGH) / HIGH)
        for loss in (0, 2, HIGH):
            parts.append(
                f'<path d="M{x(0):.1f} {y(loss):.1f}H{x(len(curves[0])):.1f}" stroke="var(--u)"/>'
                f'<text x="{left + 24:.1f}" y="{y(loss) + 4:.1f}" text-anchor="end">{loss}</text>'
            )
        parts.append(_line(curves[0], x, y, 'stroke="var(--t)" stroke-dasharray="3 3"'))
        parts.append(_line(curve, x, y, 'stroke="var(--h)" stroke-width="2.2"'))
        parts.append(_title(title, left + 16, top - 14))
    return width, 10 + (tall + head + 12) * rows, "".join(parts)


def _title(lines, x, y):
    """Return a title whose last line stands at y."""
    spans = "".join(
        f'<tspan x="{x:.1f}" y="{y - LINE * up}">{escape(line)}</tspan>'
        for up, line in zip(range(len(lines) - 1, -1, -1), lines, strict=True)
    )
    return f'<text class="dls-hot" font-weight="650">{spans}</text>'


def _line(curve, x, y, look):
    """Return a path; what is not a number stands at the upper edge."""
    points = (f"{x(i + 1):.1f} {y(v if v == v else HIGH):.1f}" for i, v in enumerate(curve))
    return f'<path d="M{"L".join(points)}" fill="none" {look}/>'
