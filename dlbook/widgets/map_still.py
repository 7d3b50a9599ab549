"""The still picture of :class:`Map`: the look at the start; a wrong label is a cross."""

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape

OUT = 28  # pixels from the middle of the stars to the name of their class
STAR = "M0 -8 2.2 -2.6 8 -2.4 3.5 1.2 5 7 0 3.8 -5 7 -3.5 1.2 -8 -2.4 -2.2 -2.6Z"


def draw_map(figure):
    """Return heading, the map at the look of the start in two widths, and the description, as HTML."""
    (step,) = figure.values.values()
    return stage.both(figure, _picture, f"after {step} steps")


def frame(width):
    """Return middle, radii and height of a map of some width, pixels; map.js does the same."""
    tall = 260 if width >= 640 else 180
    return width / 2, 52 + tall, width / 2 - 56, tall, 2 * tall + 124


def _picture(figure, width):
    cx, cy, wide, tall, height = frame(width)
    at = lambda x, y: f"translate({cx + x * wide:.1f} {cy - y * tall:.1f})"
    parts, shown = [], figure.look()
    for (x, y), state in zip(figure.positions[shown] / 127.5 - 1, figure.states[shown], strict=True):
        if state == 2:
            look = 'd="M-5 -5 5 5M5 -5 -5 5" stroke="#ff8896" stroke-width="2.4"'
        else:
            fill, part = ("#4fd1a5", 0.75) if state else ("var(--t)", 0.5)
            look = f'd="M-3 0a3 3 0 1 1 6 0a3 3 0 1 1 -6 0Z" fill="{fill}" fill-opacity="{part}"'
        parts.append(f'<path transform="{at(x, y)}" {look}/>')
    for name, x, y in figure.spec["anchors"]:
        parts.append(
            f'<path transform="{at(x, y)}" d="{STAR}" fill="var(--h)"/><text class="dls-hot" '
            f'transform="{at(x, y)}" x="{OUT * x:g}" y="{6 - OUT * y:g}" text-anchor="middle" '
            f'font-weight="700" style="font-size:18px">{escape(name)}</text>'
        )
    labels, wrong = figure.count(shown)
    words = f"{labels} of {figure.spec['points']} have a label; ✗ {wrong} of them are wrong"
    parts.append(f'<text class="dls-hot" x="14" y="{height - 12}">{words}</text>')
    return width, height, "".join(parts)
