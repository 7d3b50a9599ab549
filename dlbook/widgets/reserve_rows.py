"""The height that a live :class:`Diagram` will take: rows of blocks, whose words wrap where it is narrow."""

import math

from dlbook.widgets.reserve import GAP, LINE, NARROW, lines, title, wrapped

TOTALS = 75  # letters of the line above the rows
LANE = 9  # pixels to the left of a level for each line that skips blocks, where several end in one join


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
    ends = max((len(child.inputs) for child in block.children if child.join), default=0)
    inside -= LANE * ends if ends > 2 else 0
    for number, child in enumerate(block.children):
        here = f"{path}.{number}" if path else str(number)
        total += 9 + row(child, inside, figure.bars)
        if here in figure.opened:
            total += 9 + level(figure, child, here, inside - 16)
    return total


def row(block, inside, bars):
    """Return the height of one row."""
    joins = {child.join for child in block.children if child.join}
    letters = sum(len(text) + 1 for text in (block.name, block.type, block.detail, block.note, *joins))
    if inside > 620:
        return max(34, 8.4 + 19.5 * math.ceil(7 * letters / (inside - 480)))
    cells = [7.3 * len("×".join(map(str, block.shape))), 115 * bool(block.parameters), 85 * bool(block.macs)]
    costs = wrapped([width for width in cells if width], inside - 18, 12.8)
    loads = {"parameters": block.parameters, "MACs": block.macs, "activations": block.activations}
    names = math.ceil(7 * letters / (inside - 45))
    return 11.6 + 20 * names + 19.6 * len(costs) + 19.6 * bool(loads.get(bars, 1))
