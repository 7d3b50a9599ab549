"""The still picture of :class:`Sweep`: the graph with all values and all derivatives, lying or standing.

>>> frame([{"column": 0, "row": 0.0}, {"column": 1, "row": 0.0}], 960)[:2]
(True, 23)
"""

from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape, number

LIES = 560  # pixels from which the graph goes from left to right; below, from top to bottom


def frame(cells, width):
    """Return how a graph lies in a picture: (lying, radius of a node, place, height); sweep.js does the same.

    Args:
        cells: with column and row.
        width: of the picture, pixels.
    """
    lying = width >= LIES
    columns = max(cell["column"] for cell in cells)
    rows = [cell["row"] for cell in cells]
    low, high = min(rows), max(rows)
    if lying:
        radius, left = 23, 46
        gap, high_gap = (width - 2 * left) / max(columns, 1), 96
        place = lambda cell: (left + gap * cell["column"], 62 + high_gap * (cell["row"] - low))
        return lying, radius, place, 62 + high_gap * (high - low) + 62
    radius, top = 20, 34
    across = (width - 120) / max(high - low, 1)
    left = 42 if high > low else width / 2 - 30
    place = lambda cell: (left + across * (cell["row"] - low), top + 62 * cell["column"])
    return lying, radius, place, top + 62 * columns + 34


def symbol(cell):
    """Return what stands in the circle: the operation, or the name of an input."""
    constant = "" if cell["constant"] is None else f"{cell['constant']:g}"
    return cell["op"].replace("c", constant) if cell["constant"] is not None else cell["op"] or cell["name"]


def draw_sweep(figure):
    """Return heading, graph and description, as HTML."""
    return stage.both(figure, _picture, f"{figure.values['way']}, finished")


def _picture(figure, width):
    cells = figure.spec["cells"]
    lying, radius, place, height = frame(cells, width)
    values, adjoints = figure.values_and_adjoints()
    lines = "".join(
        "M{:.1f} {:.1f}L{:.1f} {:.1f}".format(*place(cells[operand]), *place(cell))
        for cell in cells
        for operand in cell["operands"]
    )
    parts = [f'<path class="dls-line" stroke="var(--t)" d="{lines}"/>']
    for cell in cells:
        x, y = place(cell)
        circle = f'<circle class="dls-unlit" stroke="var(--o)" stroke-width="2" cx="{x:.1f}" cy="{y:.1f}"'
        inside = _word("dls-hot", x, y + (1 if cell["op"] else 5), "middle", symbol(cell))
        parts.append(f'{circle} r="{radius}"/>{inside}')
        if cell["op"]:
            parts.append(_word("", x, y + 14, "middle", cell["name"]))
        value, adjoint = (number(float(f"{found[cell['name']]:.3g}")) for found in (values, adjoints))
        if lying:
            parts.append(_word("dls-blue", x, y + radius + 16, "middle", value))
            parts.append(_word("dls-orange", x, y - radius - 6, "middle", adjoint))
        else:
            parts.append(_word("dls-blue", x + radius + 4, y - 3, "start", value))
            parts.append(_word("dls-orange", x + radius + 4, y + 13, "start", adjoint))
    return width, height, "".join(parts)


def _word(kind, x, y, anchor, text):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
