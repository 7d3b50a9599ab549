"""The still picture of :class:`Train`: what torch recorded, the healthy training and each fault."""

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape

HIGH = 4  # the loss that the picture has room for, as in train_picture.js


def draw_training(figure):
    """Return heading, the recorded losses in two widths, and the description, as HTML."""
    return stage.both(figure, _picture, f"loss of {figure.spec['steps']} steps, recorded by torch")


def height(width):
    """Return the height of the live picture of some width, pixels; train_picture.js does the same."""
    return 384 if width >= 640 else 584


def _picture(figure, width):
    """One small square of axes for each fault, over the healthy curve."""
    across = 4 if width >= 640 else 2
    wide, tall = (width - 20) / across, 150
    rows = -(-len(figure.curves) // across)
    parts, healthy = [], next(iter(figure.curves.values()))
    for i, (name, curve) in enumerate(figure.curves.items()):
        left, top = 10 + wide * (i % across), 10 + (tall + 40) * (i // across)
        x = lambda step, left=left: left + 30 + (wide - 44) * step / len(healthy)
        y = lambda loss, top=top: top + 24 + tall * (1 - min(max(loss, 0), HIGH) / HIGH)
        for loss in (0, 2, HIGH):
            parts.append(
                f'<path d="M{x(0):.1f} {y(loss):.1f}H{x(len(healthy)):.1f}" stroke="var(--u)"/>'
                f'<text x="{left + 24:.1f}" y="{y(loss) + 4:.1f}" text-anchor="end">{loss}</text>'
            )
        parts.append(_line(healthy, x, y, 'stroke="var(--t)" stroke-dasharray="3 3"'))
        parts.append(_line(curve, x, y, 'stroke="var(--h)" stroke-width="2.2"'))
        place = f'x="{left + 30:.1f}" y="{top + 14}" font-weight="650"'
        parts.append(f'<text class="dls-hot" {place}>{escape(f"broken: {name}" if i else "healthy")}</text>')
    return width, 10 + (tall + 40) * rows, "".join(parts)


def _line(curve, x, y, look):
    """Return a path; what is not a number stands at the upper edge."""
    points = (f"{x(i + 1):.1f} {y(v if v == v else HIGH):.1f}" for i, v in enumerate(curve))
    return f'<path d="M{"L".join(points)}" fill="none" {look}/>'
