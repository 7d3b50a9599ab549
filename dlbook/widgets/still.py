"""The still picture of :class:`Curves`, an SVG for readers without JavaScript; and what all stills share.

It is drawn like the live figure (`plot.js`): the same colours, markers, axes and dashes. Text and axes take
the colour of the page.

>>> ticks(0.0, 1.0, 4)
[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
"""

import math

import numpy as np

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 720, 250, 58, 14, 28, 24
COLORS = ("#0b62a8", "#c04a00", "#007a58", "#a3378a", "#7d5c00", "#1b7fa8", "#b3243c", "#5b5b66")
_MOST_POINTS = 160
CHARACTER = 8.3  # pixels, of a digit at 13 pixels of height in a wide font, DejaVu Sans


def escape(text):
    """Return `text` safe inside SVG text and attributes."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def ticks(low, high, about=5):
    """Return round numbers in [low, high], `about` or a few more: multiples of 1, 2 or 5 times a power of
    ten.
    """
    span = (high - low) or 1.0
    raw = span / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(m for m, most in ((1, 1.5), (2, 3), (5, 7), (10, 11)) if raw / power < most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.10g}") for k in range(first, last + 1)]


def log_ticks(low, high):
    """Return the powers of ten in [low, high]; fewer than two: also 2 and 5 times them."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, (last - first) // 6)
    marks = [10.0**k for k in range(first, last + 1, every)]
    inside = [v for v in marks if low * 0.999 <= v <= high * 1.001]
    if len(inside) < 2:
        inside = [
            m * 10.0**k for k in range(first, last + 1) for m in (1, 2, 5) if low <= m * 10.0**k <= high
        ]
    return inside


def number(value):
    """Return a short text for an axis or a legend, as the live figure writes it.

    >>> number(0.25), number(0.0001), number(-0.00003), number(1200)
    ('0.25', '1e−4', '−3e−5', '1200')
    """
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}".replace("-", "−")
    return f"{float(f'{value:.4g}') + 0.0:.10g}".replace("-", "−")  # 15000, not 1.5e+04


def scale(low, high, start, stop, log):
    """Return the function from data, a number or an array, to pixels."""

    def pixels(value):
        with np.errstate(all="ignore"):
            value = np.log10(value) if log else np.asarray(value, float)
            bottom, top = (math.log10(low), math.log10(high)) if log else (low, high)
            return start + (value - bottom) / ((top - bottom) or 1.0) * (stop - start)

    return pixels


def below(at, y, text):
    """Return a number below an axis, in the middle under `at`; further left where the picture ends."""
    half = CHARACTER / 2 * len(text)
    return f'<text x="{min(at, WIDTH - half):.1f}" y="{y:.1f}" text-anchor="middle">{text}</text>'


def key(sample, name):
    """Return one entry of a legend: a sample of what is drawn, as HTML, and its name."""
    inside = f"{sample} {escape(name)}"
    return f'<span style="display:inline-block;white-space:nowrap;margin-right:1em">{inside}</span>'


def picture(figure, heading, legend, height, body):
    """Return heading, legend, SVG and description of a figure, as HTML."""
    return (
        f"<p><strong>{escape(figure.title)}</strong>{escape(heading)}</p><p>{legend}</p>"
        f'<svg role="img" aria-label="{escape(figure.description)}" viewBox="0 0 {WIDTH} {height}" '
        f'style="width:100%;height:auto;font:13px sans-serif;fill:currentColor">{body}</svg>'
        f"<p>{escape(figure.description)}</p>"
    )


def draw_curves(figure):
    """Return the SVG of a :class:`Curves` in its current state, its title and its description, as HTML."""
    panels = figure.spec["panels"]
    height = PANEL * len(panels) + BOTTOM
    body = "".join(_panel(figure, i) for i in range(len(panels)))
    label = (
        f'<text x="{(WIDTH + LEFT) / 2:.0f}" y="{height - 6}" '
        f'text-anchor="middle">{escape(figure.spec["x_label"])}</text>'
    )
    state = ", ".join(f"{name} = {value}" for name, value in figure.values.items())
    visible = [(i, e["name"]) for i, e in enumerate(figure.spec["curves"]) if e["name"] in figure.visible]
    legend = " ".join(key(_stroke(i), name) for i, name in visible)
    return picture(figure, f" ({state})" if state else "", legend, height, body + label)


def _stroke(number_of_curve):
    """Return the sample of a curve's line in the legend."""
    color = COLORS[number_of_curve % len(COLORS)]
    return (
        f'<span aria-hidden="true" style="display:inline-block;width:1.6em;border-top:3px solid {color};'
        'vertical-align:middle"></span>'
    )


def _panel(figure, panel):
    """Return the axes and the curves of one panel."""
    spec = figure.spec["panels"][panel]
    drawn = [
        (i, e, *figure.curve(e["name"]))
        for i, e in enumerate(figure.spec["curves"])
        if e["panel"] == panel and e["name"] in figure.visible
    ]
    low, high = _limits(
        spec, [packed for _, e, *_ in drawn for packed in (e["values"], e["gradient"]) if packed]
    )
    x = np.array(figure.spec["x"])
    across = scale(x[0], x[-1], LEFT, WIDTH - RIGHT, figure.spec["log_x"])
    up = scale(low, high, PANEL * (panel + 1) - BOTTOM, PANEL * panel + TOP, spec["log"])
    parts = [
        f'<text x="0" y="{PANEL * panel + 14}">{escape(spec["label"])}</text>',
        _axes(figure, spec, x, low, high, across, up),
    ]
    for i, entry, values, gradient in drawn:
        color, jumps = COLORS[i % len(COLORS)], entry["jumps"]
        if gradient is not None:
            points = _points(across(x), up, gradient, low, high, jumps)
            parts.append(_line(points, color, ' stroke-dasharray="6 4"'))
        parts.append(_line(_points(across(x), up, values, low, high, jumps), color))
    return "".join(parts)


def _limits(spec, packed):
    """Range of a panel, over every setting of its visible curves, as in the live figure."""
    if spec["range"]:
        return spec["range"]
    if not packed:
        return (0.1, 1.0) if spec["log"] else (0.0, 1.0)
    low, high = min(p["low"] for p in packed), max(p["high"] for p in packed)
    if spec["log"]:
        return 10**low / 1.2, 10**high * 1.2
    pad = (high - low) * 0.04 or 0.5
    return low - pad, high + pad


def _axes(figure, spec, x, low, high, across, up):
    top, bottom = float(up(high)), float(up(low))
    parts = []
    for value in log_ticks(low, high) if spec["log"] else ticks(low, high):
        y = float(up(value))
        parts.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="currentColor" '
            f'stroke-opacity="{0.5 if value == 0 else 0.15}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>'
        )
    for value in log_ticks(x[0], x[-1]) if figure.spec["log_x"] else ticks(x[0], x[-1], 7):
        at = float(across(value))
        parts.append(
            f'<path d="M{at:.1f} {top:.1f}V{bottom:.1f}" stroke="currentColor" '
            f'stroke-opacity="{0.5 if value == 0 else 0.15}"/>'
            f"{below(at, bottom + 17, number(value))}"
        )
    return "".join(parts)


def _points(xs, up, values, low, high, jumps):
    """Yield the points of a line in pixels; None where values are missing, outside, or jump."""
    step = max(1, len(xs) // _MOST_POINTS)
    for k in sorted({*jumps, *range(0, len(xs), step), len(xs) - 1}):
        inside = np.isfinite(values[k]) and low <= values[k] <= high
        ends = _limits_at(values, k) if k in jumps else None
        if ends and abs(up(ends[0]) - up(ends[1])) > 3:
            yield from ((xs[k], up(ends[0])), None, (xs[k], up(ends[1])))
        else:
            yield (xs[k], up(values[k])) if inside else None


def _limits_at(values, k):
    """Return the limits on both sides of place k, by the two nearest points of each, as plot.js does."""
    if not 2 <= k < len(values) - 2:
        return None
    return 2 * values[k - 1] - values[k - 2], 2 * values[k + 1] - values[k + 2]


def _line(points, color, extra=""):
    """Return a path that breaks where a point is None."""
    path, pen = [], "M"
    for point in points:
        path += [f"{pen}{point[0]:.1f} {point[1]:.1f}"] if point else []
        pen = "L" if point else "M"
    return f'<path d="{"".join(path)}" fill="none" stroke="{color}" stroke-width="2"{extra}/>'
