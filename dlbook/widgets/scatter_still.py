"""The still picture of :class:`Scatter`: an SVG of the starting axes, for readers without JavaScript.

>>> limits([1.0, 100.0], log=True)[0] < 1.0
True
"""

from dlbook.widgets.still import (
    COLORS,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    below,
    escape,
    key,
    log_ticks,
    number,
    picture,
    scale,
    ticks,
)

HEIGHT, FOOT = 420, 44
# Eight outlines as in plot.js, so that a group is known without its colour.
SHAPES = (
    "M-4 0A4 4 0 1 1 4 0A4 4 0 1 1 -4 0Z",
    "M-3.6 -3.6H3.6V3.6H-3.6Z",
    "M0 -4.8 4.4 3.4H-4.4Z",
    "M0 -5 5 0 0 5 -5 0Z",
    "M-4 -4 4 4M4 -4 -4 4",
    "M0 -5V5M-5 0H5",
    "M0 4.8 4.4 -3.4H-4.4Z",
    "M-4 -2H4V2H-4Z",
)


def limits(values, log):
    """Return (low, high) of an axis: the values with some air, as in the live figure."""
    low, high = min(values), max(values)
    if log:
        return low / 1.4, high * 1.4
    pad = (high - low) * 0.05 or 0.5
    return low - pad, high + pad


def label(name, axis):
    """Return an axis's name with its unit."""
    return f"{name} ({axis['unit']})" if axis["unit"] else name


def draw_scatter(figure):
    """Return the SVG of a :class:`Scatter` in its current state, its title, legend and description,
    as HTML.
    """
    points, names = figure.drawn(), (figure.values["across"], figure.values["up"])
    axes = [figure.spec["axes"][name] for name in names]
    body = ""
    if points:
        ranges = [
            limits([p["values"][name] for p in points], axis["log"])
            for name, axis in zip(names, axes, strict=True)
        ]
        across = scale(*ranges[0], LEFT, WIDTH - RIGHT, axes[0]["log"])
        up = scale(*ranges[1], HEIGHT - FOOT, TOP, axes[1]["log"])
        body = _grid(ranges, axes, across, up) + "".join(
            _mark(p, across(p["values"][names[0]]), up(p["values"][names[1]])) for p in points
        )
    x_label = (
        f'<text x="{(WIDTH + LEFT) / 2:.0f}" y="{HEIGHT - 8}" '
        f'text-anchor="middle">{escape(label(names[0], axes[0]))}</text>'
    )
    y_label = f'<text x="0" y="14">{escape(label(names[1], axes[1]))}</text>'
    used = {point["group"] for point in points}
    drawn = [(number_, group) for number_, group in enumerate(figure.spec["groups"]) if number_ in used]
    legend = " ".join(key(_sample(number_), group) for number_, group in drawn)
    return picture(figure, "", legend, HEIGHT, y_label + body + x_label)


def _grid(ranges, axes, across, up):
    """Return grid lines and numbers of both axes."""
    marks = [
        log_ticks(*limit) if axis["log"] else ticks(*limit, 6)
        for limit, axis in zip(ranges, axes, strict=True)
    ]
    line = 'stroke="currentColor" stroke-opacity="0.15"'
    parts = []
    for value in marks[0]:
        x = across(value)
        parts.append(
            f'<path d="M{x:.1f} {TOP}V{HEIGHT - FOOT}" {line}/>{below(x, HEIGHT - FOOT + 17, number(value))}'
        )
    for value in marks[1]:
        y = up(value)
        parts.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" {line}/><text x="{LEFT - 8}" '
            f'y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>'
        )
    return "".join(parts)


def _shape(number_of_group):
    """Return the outline and the colour of a group, as drawn."""
    color = COLORS[number_of_group % 8]
    return (
        f'd="{SHAPES[(number_of_group + number_of_group // 8 * 3) % 8]}" fill="{color}" '
        f'stroke="{color}" stroke-width="1.5"'
    )


def _mark(point, x, y):
    return (
        f'<path {_shape(point["group"])} transform="translate({x:.1f} '
        f'{y:.1f})"><title>{escape(point["name"])}</title></path>'
    )


def _sample(number_of_group):
    """Return the sample of a group's mark in the legend."""
    return (
        '<svg aria-hidden="true" viewBox="-7 -7 14 14" style="width:14px;height:14px;vertical-align:middle">'
        f"<path {_shape(number_of_group)}/></svg>"
    )
