"""The still picture of :class:`Layers`, for readers without JavaScript; a wide form and a narrow one."""

import numpy as np

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape

NONE = 255


def draw_layers(figure):
    """Return heading, the columns of the starting state, and the description, as HTML."""
    return stage.both(figure, _picture)


def plan(width, layers, units):
    """Where everything stands in a picture of this width; layers.js does the same."""
    wide = width >= 640
    left, right = (20, 104) if wide else (8, 40)
    column, row, top, middle = (width - left - right) / layers, 15 if wide else 13, 52 if wide else 46, 34
    below = top + units * row + middle
    return {
        "wide": wide,
        "column": column,
        "row": row,
        "w": min(34, column * 0.76),
        "h": row - 4,
        "left": left,
        "right": width - right,
        "tops": (top, below),
        "between": below - middle / 2,
        "height": below + units * row + top,
    }


def _picture(figure, width):
    spec = figure.spec
    chosen = spec["pictures"] and spec["pictures"]["images"][_chosen(figure)]
    shift = 100 if chosen and width >= 640 else 0
    at = plan(width - shift, spec["layers"], spec["units"])
    parts = []
    if shift:
        parts.append(f'<image href="{chosen}" x="14" y="{at["between"] - 42:.0f}" width="84" height="84"/>')
    parts.append(f'<g transform="translate({shift} 0)">{_columns(figure, at)}{_words(figure, at)}</g>')
    return width, at["height"], "".join(parts)


def _chosen(figure):
    name = figure.spec["pictures"]["parameter"]
    return figure.spec["parameters"][name].index(figure.values[name])


def _columns(figure, at):
    """The units of both halves: dark first, then lit by their strength."""
    top = figure.spec["per_decade"] * (figure.spec["decades"][1] - figure.spec["decades"][0])
    levels, rects = figure.levels(), []
    for part, color in enumerate(("blue", "orange")):
        for layer, unit in np.ndindex(levels.shape[1:]):
            level = levels[part, layer, unit]
            if level == NONE and not (levels == NONE).all():
                continue
            place = (
                f'x="{at["left"] + at["column"] * layer:.1f}" y="{at["tops"][part] + at["row"] * unit:.0f}" '
                f'width="{at["w"]:.1f}" height="{at["h"]}" rx="{at["h"] / 2}"'
            )
            lit = 0 if level == NONE else (level / top) ** 1.25
            rects.append(f'<rect class="dls-unlit" {place}/>')
            if lit:
                rects.append(f'<rect class="dls-{color}" {place} fill-opacity="{lit:.2f}"/>')
            if lit > 0.75:
                rects.append(f'<rect class="dls-hot" {place} fill-opacity="{2 * lit - 1.5:.2f}"/>')
    return "".join(rects)


def _words(figure, at):
    """The names of the halves, the layers and the outputs, and what the brightness means."""
    low, high = figure.spec["decades"]
    scale = (
        f'<tspan font-weight="400">&#160; dark {stage.power(low)} or less, '
        f"bright {stage.power(high)} or more</tspan>"
        if at["wide"]
        else ""
    )
    middle = lambda layer: at["left"] + at["column"] * layer + at["w"] / 2
    words = [
        f'<text class="dls-blue" font-weight="600" x="{at["left"]}" y="26">signal → {scale}</text>',
        f'<text class="dls-orange" font-weight="600" x="{at["left"]}" y="{at["height"] - 16}">'
        f"← gradient {scale}</text>",
    ]
    for layer in range(figure.spec["layers"]):
        if layer == 0 or (layer + 1) % (1 if at["wide"] else 5) == 0:
            words.append(
                f'<text x="{middle(layer):.1f}" y="{at["between"] + 4:.0f}" text-anchor="middle">'
                f"{layer + 1}</text>"
            )
    last = at["left"] + at["column"] * (figure.spec["layers"] - 1) + at["w"] + 7
    for unit, name in enumerate(figure.spec["outputs"]):
        for top in at["tops"]:
            y = top + at["row"] * unit + at["h"] - 0.5
            words.append(f'<text x="{last:.1f}" y="{y:.1f}">{escape(name)}</text>')
    words.append(_turn(at, figure.spec["units"]))
    if (figure.levels() == NONE).all():
        words.append(
            f'<text x="{middle(figure.spec["layers"] // 2):.0f}" y="{at["between"] + 12:.0f}" '
            'text-anchor="middle" style="font-size:44px">diverged</text>'
        )
    return "".join(words)


def _turn(at, units):
    """The arrow at the right end: the signal becomes a loss, and the loss a gradient."""
    x, bend = at["right"] + (32 if at["wide"] else 16), 36 if at["wide"] else 16
    up, down = (top + at["row"] * units / 2 for top in at["tops"])
    middle, outer = at["between"], x + bend
    word = (
        f'<text x="{outer:.0f}" y="{middle + 5:.0f}" text-anchor="middle">loss</text>' if at["wide"] else ""
    )
    line = '<path class="dls-line" stroke="var'
    return (
        f'{line}(--b)" d="M{x:.0f} {up:.0f}C{x + bend / 2:.0f} {up:.0f} {outer:.0f} '
        f'{(up + middle) / 2:.0f} {outer:.0f} {middle - 11:.0f}"/>'
        f'{line}(--o)" d="M{outer:.0f} {middle + 11:.0f}C{outer:.0f} {(down + middle) / 2:.0f} '
        f'{x + bend / 2:.0f} {down:.0f} {x:.0f} {down:.0f}m7 -7l-7 7l7 7"/>{word}'
    )
