"""The height that a live figure will take, told to the page beforehand: its still picture keeps that place.

Estimates from the numbers of the style sheets, a little high rather than low. Three widths are enough: a
figure that leaves the column, one in the column of a wide window, and a telephone's.

>>> per_row(790, 248, 26), per_row(332, 248, 26)
(2, 1)
>>> lines(100, 790), lines(100, 332)
(1, 3)
"""

import math

BROAD, WIDE, NARROW = 966, 790, 332  # pixels inside the frame
FRAME, TITLE, GAP, CONTROL, CHIP, LINE = 51, 24, 11.2, 66, 32, 21
TABLE = 35  # pixels of the line behind which a figure's numbers stand as a table
HINT = 70  # letters of the line that says how to read a picture


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


def lines(letters, inside):
    """Return how many lines a sentence takes, whose letters are about 6.9 pixels wide."""
    return math.ceil(6.9 * letters / inside)


def wrapped(widths, inside, gap):
    """Return the rows, lists of indices, on which boxes of different widths stand when they wrap."""
    rows, left = [[]], inside + gap
    for number, width in enumerate(min(width, inside) for width in widths):
        if rows[-1] and width + gap > left:
            rows.append([])
            left = inside + gap
        rows[-1].append(number)
        left -= width + gap
    return rows


def staged(figure, inside, picture, letters, playing, below, least=1):
    """Return the height of a figure on a stage.

    Args:
        figure: with a title.
        inside: its width, pixels.
        picture: height of what is on the stage.
        letters: of the sentence below it, at its longest.
        playing: letters beside the buttons that play; None: no such buttons.
        below: height of the controls; 0: none.
        least: lines that the style sheet keeps for the sentence.
    """
    parts = [picture, LINE * max(least, lines(letters, inside)), below]
    if playing is not None:
        beside = lines(playing, inside - 75)
        wraps = inside == NARROW and beside > 1  # on a telephone a longer line stands below the button
        parts.append(36 + 6.4 + LINE * lines(playing, inside) if wraps else max(32, LINE * beside))
    return title(figure.title, inside) + sum(part + GAP for part in parts if part) - GAP


def controls(parameters, inside, cursor=1, one_row=False):
    """Return the height of the controls.

    Args:
        parameters: {name: values}; one with a single value has no control.
        inside: the width, pixels.
        cursor: number of sliders beside them.
        one_row: the style sheet puts them side by side where there is room.
    """
    choices = [values for values in parameters.values() if len(values) > 1]
    count = cursor + len(choices)
    side_by_side = count if one_row and inside > NARROW else per_row(inside, 248, 26)
    beside = max(1, min(count, side_by_side))
    column = (inside - 26 * (beside - 1)) / beside
    highs = [CONTROL] * cursor + [CONTROL + 37 * (_radio_rows(values, column) - 1) for values in choices]
    rows = [max(highs[i : i + beside]) for i in range(0, count, beside)]
    return sum(rows) + 13 * max(0, len(rows) - 1)


def _radio_rows(values, column):
    """Return how many rows the buttons of a choice take; 1 for a slider and a menu."""
    if not isinstance(values[0], str) or len(values) > 5 or len("".join(values)) > 36:
        return 1
    return len(wrapped([8.5 * len(text) + 32 for text in values], column, 0))


def breadth(name):
    """Return how wide a name is, in usual letters: `curves.js` counts alike.

    >>> breadth("mean"), breadth("AMSGrad"), breadth("plain momentum")
    (4.7, 8.3, 14.9)
    """
    wide = {**dict.fromkeys("mwMW", 1.7), **dict.fromkeys("fijlrt ", 0.7)}
    return round(sum(wide.get(c, 1.3 if "A" <= c <= "Z" else 1) for c in name), 2)


def curves(figure, inside):
    """Return the height of a :class:`Curves`, chips, panels and controls."""
    spec, narrow = figure.spec, inside == NARROW
    letters = max(breadth(entry["name"]) for entry in spec["curves"])
    slopes = any(entry["gradient"] for entry in spec["curves"])
    chip = letters * 7.7 + 98.5 if narrow else letters * (8.4 if slopes else 8.3) + (163 if slopes else 114)
    count = len(spec["panels"])
    least, part, most = {1: (240, 0.42, 420), 2: (180, 0.3, 280)}.get(count, (150, 0.25, 240))
    plot = count * round(min(most, max(least, part * inside))) + 22 + 8 * narrow
    chips = 24 + stacked(len(spec["curves"]), inside, min(chip, inside), CHIP, 4.8)
    return title(figure.title, inside) + chips + plot + controls(spec["parameters"], inside) + 3 * GAP


def stepper(figure, inside):
    """Return the height of a :class:`Stepper`: its buttons and its highest step."""
    buttons = 66 if inside == NARROW else 32
    return (
        title(figure.title, inside)
        + buttons
        + GAP
        + max(step(entry, inside, figure.spec["pictures"]) for entry in figure.spec["steps"])
    )


def step(entry, inside, pictures):
    """Return the height of one step: its words, its formula, its tables side by side as far as they fit."""
    words = 22 * math.ceil(8 * len(entry["caption"]) / inside) + (GAP + 38 if entry["formula"] else 0)
    narrow = inside == NARROW
    least, edge, gap = (34, 12, 19) if narrow else (42, 20, 32)  # the gap, and what stands around a table
    line, left, total = 0, 0, 0
    for grid in entry["grids"]:
        seen = sum(name in pictures for name in grid["rows"] or ())
        letter, pad = (7, 14) if narrow else (8, 20)
        label = pad + letter * max(map(len, grid["rows"])) + 52 * bool(seen) if grid["rows"] else 0
        columns = zip(*grid["cells"], strict=True)
        cells = [max(least, edge + 8.5 * max(map(len, column))) for column in columns]
        wide = min(inside, max(label + sum(cells), 8 * len(grid["name"])) + gap)
        high = 31 + 37 * (len(grid["cells"]) + bool(grid["columns"])) + 16 * seen
        if left and left + wide > inside + gap:
            total, left, line = total + line + 13, 0, 0
        left, line = left + wide, max(line, high)
    return words + GAP + total + line


def images(figure, inside):
    """Return the height of an :class:`Images`: stacks side by side as far as they fit, caption, controls."""
    stacks, parameters = figure.spec["images"], figure.spec["parameters"]
    whole = [s["width"] * math.ceil(220 / s["width"]) if s["width"] < 128 else s["width"] for s in stacks]
    total = 0
    for row in wrapped(whole, inside, 22.4):
        room = (inside - 22.4 * (len(row) - 1)) / sum(min(whole[i], inside) for i in row)
        highs = []
        for i in row:
            wide = min(whole[i], inside) * min(1, room)
            chosen = stacks[i]["parameters"]
            about = len(stacks[i]["name"]) + sum(_letters(name, parameters[name]) for name in chosen)
            words = 5.6 + 19.4 * math.ceil(6.6 * about / wide)
            highs.append(
                wide * stacks[i]["height"] / stacks[i]["width"] + words + 24 * bool(stacks[i]["bar"])
            )
        total += max(highs) + 16
    captions = max((LINE * lines(len(text), inside) + 14.4 for text in figure.spec["captions"]), default=0)
    choices = any(len(values) > 1 for values in figure.spec["parameters"].values())
    below = controls(figure.spec["parameters"], inside, cursor=0) + 14.4 if choices else 0
    return title(figure.title, inside) + total - 16 + captions + below


def _letters(name, values):
    """Return the letters of ", name = value" at its longest; a number has about five."""
    return len(name) + 3 + max(len(value) if isinstance(value, str) else 5 for value in values)


def scatter(figure, inside):
    """Return the height of a :class:`Scatter`: plot, read-out, axes, and the switches of the families."""
    points = figure.drawn()
    used = {point["group"] for point in points}
    groups = [group for number, group in enumerate(figure.spec["groups"]) if number in used]  # as they stand
    chips = wrapped([7.1 * len(group) + 35 for group in groups] + [50], inside, 4.8)
    switches = len(chips) * 30 + (len(chips) - 1) * 4.8
    picked = next((p for p in figure.points if p["name"] == figure.selected), None)
    read = 208
    if picked:
        room = 216 if inside > NARROW else inside
        note = 20 * math.ceil(6.3 * len(picked["note"]) / room)
        read = max(read, 64 + 23 + _values(picked, figure.spec["axes"], room) + 6.4 + note)
    below = controls(figure.spec["parameters"], inside, cursor=0)
    top = 340 + 14.4 + read if inside == NARROW else max(420, 19.2 + read)
    return title(figure.title, inside) + top + 14.4 + below + 14.4 + switches


def _values(picked, axes, room):
    """Return the height of the picked point's numbers; a long name of an axis wraps beside its number."""
    heads = [f"{name} ({axes[name]['unit']})" if axes[name]["unit"] else name for name in picked["values"]]
    return sum(23 + 20 * (math.ceil(7.8 * len(head) / (room - 55)) - 1) for head in heads)
