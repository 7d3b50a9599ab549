"""The height that a live :class:`Diagram` will take: rows of blocks, whose words wrap where it is narrow."""

import math

from dlbook.widgets.reserve import GAP, LINE, NARROW, lines, title, wrapped

TOTALS = 75  # letters of the line above the rows
LANE, MOST_LANES = (
    9,
    6,
)  # pixels for each lane of lines at the left of a level, as diagram_flow.js draws them


def diagram(figure, inside):
    """Return the height of a :class:`Diagram` with the blocks open that are open at first."""
    narrow = inside == NARROW
    tools = (148 if figure.paths else 104) if narrow else 66
    header = 0 if narrow else 19 - 9.6 + GAP
    above = LINE * lines(TOTALS, inside) - 6.4 + GAP + tools + GAP + header
    return title(figure.title, inside) + above + level(figure, figure.tree, "", inside)


def level(figure, block, path, inside):
    """Return the height of the children of a block, those of open children among them."""
    total = 15
    inside -= LANE * lanes(block.children)
    for number, child in enumerate(block.children):
        here = f"{path}.{number}" if path else str(number)
        total += 9 + row(child, source_text(block.children, number), inside, figure.bars)
        if here in figure.opened:
            total += 9 + level(figure, child, here, inside - 16)
    return total


def lanes(rows):
    """Count the lanes for lines that skip blocks, as diagram_flow.js does; 0 where there are too many."""
    last = {}  # source -> the last block that it goes to, of those that are not the next one
    for at, block in enumerate(rows):
        last |= {source: at for source in block.inputs if source != at - 1}
    ends = []
    for source in sorted(last):
        free = [lane for lane, end in enumerate(ends) if end <= source]
        if free:
            ends[free[0]] = last[source]
        else:
            ends.append(last[source])
    return len(ends) if len(ends) <= MOST_LANES else 0


def source_text(rows, at):
    """Say what a block takes, as diagram_flow.js does; nothing where that is what stands above it."""
    inputs = list(rows[at].inputs)
    if inputs in ([], [at - 1]):
        return ""
    names = ["the input" if i == -1 else rows[i].name or f"the {rows[i].type} above" for i in inputs]
    return f"from {len(inputs)}: {names[0]} … {names[-1]}" if len(names) > 4 else f"from {', '.join(names)}"


def row(block, source, inside, bars):
    """Return the height of one row."""
    joins = {child.join for child in block.children if child.join}
    words = (block.name, block.type, block.detail, block.note, source, *joins)
    letters = sum(len(text) + 1 for text in words)
    if inside > 620:
        return max(34, 8.4 + 19.5 * math.ceil(7 * letters / (inside - 480)))
    cells = [7.3 * len("×".join(map(str, block.shape))), 115 * bool(block.parameters), 85 * bool(block.macs)]
    costs = wrapped([width for width in cells if width], inside - 18, 12.8)
    loads = {"parameters": block.parameters, "MACs": block.macs, "activations": block.activations}
    names = math.ceil(7 * letters / (inside - 45))
    return 11.6 + 20 * names + 19.6 * len(costs) + 19.6 * bool(loads.get(bars, 1))
