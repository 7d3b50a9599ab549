"""The still picture of :class:`Unit`: photograph with its window, the inside of one cell, the output."""

import numpy as np
from PIL import Image

from dlbook.widgets import encode, unit_values
from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape

PLUM = "#ef9fd8"
GAP, TOP = 24, 40  # pixels between the pictures, and above them


def draw_unit(figure):
    """Return heading, the three pictures at the starting state, and the description, as HTML."""
    shown = unit_values.CONTROLS[figure.values["operation"]]
    state = ", ".join(f"{name} {figure.values[name]}" for name in shown if name != "operation")
    return stage.both(figure, _picture, f"{figure.values['operation']}: {state}")


def _picture(figure, width):
    wide = width >= 640
    side = (width - 4 * GAP) / 3 if wide else (width - 3 * GAP) / 2
    shape, values = figure.geometry(), figure.output()
    second = 3 * GAP + 2 * side if wide else 2 * GAP + side
    zoom = (2 * GAP + side, TOP, side) if wide else (GAP, 2 * TOP + side + 8, width - 2 * GAP)
    parts = [
        _titled(GAP, f"photograph, {figure.spec['side']} × {figure.spec['side']}"),
        _input(figure, shape, GAP, side),
        _titled(second, f"output, {shape['cells']} × {shape['cells']}"),
        _output(figure, shape, values, second, side),
        _inside(figure, shape, values, *zoom),
    ]
    height = TOP + side + GAP if wide else zoom[1] + zoom[2] + 2 * GAP
    return width, height, "".join(parts)


def _titled(x, words, y=26):
    return f'<text x="{x:.0f}" y="{y:.0f}">{escape(words)}</text>'


def _image(pixels, x, side):
    uri = encode.data_uri(Image.fromarray(pixels))
    return f'<image href="{uri}" x="{x:.1f}" y="{TOP}" width="{side:.1f}" height="{side:.1f}"/>'


def _frame(x, y, side, color):
    at = f'x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"'
    return (
        f'<rect {at} fill="none" stroke="#0b0f17" stroke-width="5"/>'
        f'<rect {at} fill="none" stroke="{color}" stroke-width="2.5"/>'
    )


def chosen(figure):
    """Return the photograph that is shown, values in [0, 1]."""
    names = figure.spec["parameters"]["photograph"]
    return figure.pictures()[names.index(figure.values["photograph"])]


def _input(figure, shape, x, side):
    unit = side / figure.spec["side"]
    row, column = (shape["stride"] * place - shape["padding"] for place in figure.place())
    reach = shape["dilation"] * (shape["window"] - 1) + 1
    picture = _image(np.rint(255 * chosen(figure)).astype(np.uint8), x, side)
    return picture + _frame(x + unit * column, TOP + unit * row, unit * reach, PLUM)


def coloured(values):
    """Return signed values as RGBA: blue above zero, red below, clear at zero, as unit_board.js does."""
    part = np.abs(values) / (np.abs(values).max() or 1)
    return stage.signed(values, 255 * part**0.8)


def _output(figure, shape, values, x, side):
    unit, (row, column) = side / shape["cells"], figure.place()
    ground = f'<rect class="dls-unlit" x="{x:.1f}" y="{TOP}" width="{side:.1f}" height="{side:.1f}"/>'
    grey = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    signed = figure.values["operation"] in unit_values.SIGNED
    picture = ground + _image(coloured(values) if signed else grey, x, side)
    return picture + _frame(x + unit * column, TOP + unit * row, unit, "#fff")


def _inside(figure, shape, values, x, y, side):
    """The window of the cell with its products, or the steps of another operation, in words."""
    operation, place = figure.values["operation"], figure.place()
    if operation in (unit_values.NORM, unit_values.ATTENTION):
        lines = _steps(figure, values, place)
        return "".join(
            _titled(x, line, y + 20 + 24 * number).replace("<text", '<text class="dls-hot"')
            for number, line in enumerate(lines)
        )
    pad = -np.inf if operation == unit_values.MAXIMUM else 0.0
    seen = unit_values.windows(chosen(figure), shape, pad)[:, place[0], place[1]]
    weights = {
        unit_values.CONVOLUTION: np.ravel(figure.spec["kernels"][figure.values["kernel"]]),
        unit_values.AVERAGE: np.full(seen.size, 1 / seen.size),
    }.get(operation)
    how = f"sum of the {seen.size} products" if weights is not None else f"largest of {seen.size}"
    return (
        _titled(x, "window × weights" if weights is not None else "window", y - 14)
        + _cells(seen, weights, x, y, side - 36)
        + f'<text class="dls-hot" x="{x:.0f}" y="{y + side - 8:.0f}" font-weight="600" '
        f'style="font-size:16px">{how}: {text(values[place], 3)}</text>'
    )


def _steps(figure, values, place):
    if figure.values["operation"] == unit_values.ATTENTION:
        count = figure.spec["side"] // figure.spec["patch"]
        weights, _ = unit_values.attend(chosen(figure), figure.spec["patch"], figure.values["sharpness"])
        row = weights[place[0] * count + place[1]]
        best = [f"row {p // count + 1}, column {p % count + 1}: {row[p]:.0%}" for p in row.argsort()[:-6:-1]]
        return ["weights of the framed patch:", *best]
    x, all_pixels = chosen(figure)[place], figure.pictures()
    return [
        f"x = {text(x, 3)}",
        f"μ = {text(all_pixels.mean(), 3)}, σ² = {text(all_pixels.var(), 3)}",
        f"(x − μ) / √(σ² + ε) = {text((x - all_pixels.mean()) / np.sqrt(all_pixels.var() + 1e-5), 3)}",
        f"γ · that + β = {text(values[place], 3)}",
    ]


def text(value, digits=2):
    """Return a number with a true minus sign; "outside" where there is none."""
    return f"{value:.{digits}f}".replace("-", "−") if np.isfinite(value) else "–"


def _cells(seen, weights, x, y, side):
    """The cells of a window: pixel, weight and product below each other."""
    count = round(len(seen) ** 0.5)
    step = side / count
    parts = []
    for place, value in enumerate(seen):
        left, top = x + step * (place % count), y + step * (place // count)
        grey = 0 if not np.isfinite(value) else round(255 * value)
        ink, box = "#000" if grey > 117 else "#fff", f'x="{left:.1f}" y="{top:.1f}" width="{step - 4:.1f}"'
        word = _centred(left + step / 2)
        parts += [
            f'<rect class="dls-unlit" {box} height="{step - 4:.1f}"/>',
            f'<rect fill="rgb({grey},{grey},{grey})" {box} height="{step / 3 - 2:.1f}"/>',
            word(top + step / 6 + 4, text(value), f'style="fill:{ink}"'),
        ]
        if weights is not None:
            product = text(value * weights[place])
            parts.append(word(top + step / 2 + 3, f"× {_weight(weights[place])}"))
            parts.append(word(top + 5 * step / 6 - 2, product, 'class="dls-hot" font-weight="600"'))
    return "".join(parts)


def _weight(value):
    return text(value, 0 if float(value).is_integer() else 2)


def _centred(x):
    """Return the function that writes words in the middle under x."""
    return lambda y, words, more="": (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" {more}>{words}</text>'
    )
