"""The height that a live figure will take, told to the page beforehand: its still picture keeps that place.

Estimates from the numbers of the style sheets, a little high rather than low. Two widths are enough: a wide
window's column, and a telephone's.

>>> per_row(790, 248, 26), per_row(332, 248, 26)
(2, 1)
"""

import math

WIDE, NARROW = 790, 332  # pixels inside the frame
FRAME, TITLE, GAP, CONTROL, CHIP = 51, 24, 11.2, 66, 32


def per_row(inside, width, gap):
    """Return how many boxes of a width stand side by side."""
    return max(1, int((inside + gap) / (width + gap)))


def stacked(count, inside, width, height, gap, beside=None):
    """Return the height of boxes of one size that wrap; `gap` below each, `beside` it the same or another."""
    rows = math.ceil(count / per_row(inside, width, beside or gap))
    return rows * height + max(0, rows - 1) * gap


def title(text, inside):
    """Return the height of the heading, whose letters are about nine pixels wide."""
    return FRAME + 8 + TITLE * math.ceil(9.2 * len(text) / inside)


def controls(parameters, inside):
    """Return the height of the controls, the slider of the cursor among them; long choices wrap."""
    choices = [values for values in parameters.values() if len(values) > 1]
    radios = [values for values in choices if isinstance(values[0], str) and len(values) <= 5]
    longest = max((sum(8.5 * len(text) + 32 for text in values) for values in radios), default=0)
    return stacked(1 + len(choices), inside, 248, CONTROL, 13, 26) + 37 * (longest > min(inside, 380))


def curves(figure, inside):
    """Return the height of a :class:`Curves`, chips, panels and controls."""
    spec, narrow = figure.spec, inside == NARROW
    letters = max(len(entry["name"]) for entry in spec["curves"])
    slopes = any(entry["gradient"] for entry in spec["curves"])
    chip = letters * 6.7 + 82 if narrow else letters * (7.5 if slopes else 8.3) + (155 if slopes else 114)
    count = len(spec["panels"])
    least, part, most = {1: (230, 0.36, 340), 2: (165, 0.26, 230)}.get(count, (140, 0.22, 200))
    plot = count * round(min(most, max(least, part * inside))) + 22 + 8 * narrow
    chips = 24 + stacked(len(spec["curves"]), inside, min(chip, inside), CHIP, 4.8)
    return title(figure.title, inside) + chips + plot + controls(spec["parameters"], inside) + 3 * GAP


def stepper(figure, inside):
    """Return the height of a :class:`Stepper`: its buttons and its highest step."""
    buttons = 32 if inside == WIDE else 66
    return (
        title(figure.title, inside)
        + buttons
        + GAP
        + max(step(entry, inside) for entry in figure.spec["steps"])
    )


def step(entry, inside):
    """Return the height of one step: its words, its formula, its tables side by side as far as they fit."""
    words = 22 * math.ceil(8 * len(entry["caption"]) / inside) + (GAP + 38 if entry["formula"] else 0)
    least, edge, gap = (42, 20, 32) if inside == WIDE else (34, 12, 20)
    line, left, total = 0, 0, 0
    for grid in entry["grids"]:
        label = 20 + 8 * max(map(len, grid["rows"])) if grid["rows"] else 0
        columns = zip(*grid["cells"], strict=True)
        cells = [max(least, edge + 8.5 * max(map(len, column))) for column in columns]
        wide = min(inside, max(label + sum(cells), 8 * len(grid["name"])) + gap)
        high = 31 + 37 * (len(grid["cells"]) + bool(grid["columns"]))
        if left and left + wide > inside + gap:
            total, left, line = total + line + 13, 0, 0
        left, line = left + wide, max(line, high)
    return words + GAP + total + line
