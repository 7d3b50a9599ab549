"""A graph of a computation, stepped through node by node: values forward, then derivatives, in the way that
the reader chooses.

>>> x = Cell("x", start=3.0, choices=[1.0, 2.0, 3.0])
>>> figure = Sweep(title="A square", description="x times x.", cells=[x, Cell("y", "×", ("x", "x"), row=0)])
>>> figure.values_and_adjoints()
({'x': 3.0, 'y': 9.0}, {'y': 1.0, 'x': 6.0})
>>> figure.last("paths"), figure.last("reverse")
(2, 2)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import traitlets

from dlbook.widgets import parameters as grid
from dlbook.widgets import reserve, sweep_still
from dlbook.widgets.figure import Figure, module_text, style_text

WAYS = {"reverse": "reverse mode", "forward": "forward mode", "paths": "path by path"}
MOST_PATHS = 512
# Operation -> value and local derivatives, of the operands and of the constant; sweep.js has the same.
RULES = {
    "+": lambda a, b: (a + b, (1.0, 1.0)),
    "−": lambda a, b: (a - b, (1.0, -1.0)),
    "×": lambda a, b: (a * b, (b, a)),
    "exp": lambda a: (math.exp(a), (math.exp(a),)),
    "ln": lambda a: (math.log(a), (1 / a,)),
    "tanh": lambda a: (math.tanh(a), (1 - math.tanh(a) ** 2,)),
    "c −": lambda a, c: (c - a, (-1.0,)),
    "c ×": lambda a, c: (c * a, (c,)),
    "+ c": lambda a, c: (a + c, (1.0,)),
}


@dataclass(frozen=True)
class Cell:
    """Describe one node of the graph.

    Attributes:
        name: its name, one or two letters.
        op: a key of `RULES`; "" for an input.
        operands: names of earlier cells, one for each operand.
        row: vertical place; 0 is the middle, one row is about the height of a node and its numbers.
        constant: the c of the operation, where it has one.
        start: value of an input at the start.
        choices: ascending values that the reader may give an input; empty: it stays.
    """

    name: str
    op: str = ""
    operands: tuple[str, ...] = ()
    row: float = 0.0
    constant: float | None = None
    start: float | None = None
    choices: Sequence[float] = ()


class Sweep(Figure):
    """Steps through a graph: in reverse mode, in forward mode (one sweep an input), or path by path.

    Args:
        title, description: texts; both are needed.
        cells: list of :class:`Cell` in the order of the computation; the last is the output.
        ways: keys of `WAYS` that the reader may choose from, the first one shown at the start.
        step: step shown at the start; a negative one counts from the last.

    Attributes:
        values: the way, by the name "way", and the inputs; can be set from Python too.
        step: number of the step shown.

    Raises:
        ValueError: an unknown operation, an operand that no earlier cell has, or too many paths.
    """

    _esm = module_text("controls.js", "stage.js", "sweep_walk.js", "sweep.js")
    _css = style_text("figure.css", "stage.css", "stepper.css", "sweep.css")

    step = traitlets.Int(0).tag(sync=True)

    def __init__(self, *, cells, title="", description="", ways=("reverse",), step=0):
        self.cells = _checked(cells)
        inputs = {cell.name: list(cell.choices) for cell in cells if cell.choices}
        unknown = [way for way in ways if way not in WAYS]
        if unknown or not ways:
            raise ValueError(f"ways: expected some of {list(WAYS)}, got {list(ways)}; name one or more")
        parameters = grid.checked({"way": [WAYS[way] for way in ways], **inputs})
        columns = _columns(self.cells)
        spec = {"parameters": parameters, "cells": [_entry(cell, columns) for cell in self.cells]}
        if "paths" in ways and self.last("paths") > MOST_PATHS:
            raise ValueError(
                f"expected at most {MOST_PATHS} paths, got {self.last('paths')}; draw a smaller graph, or "
                "leave the way 'paths' out"
            )
        start = {cell.name: cell.start for cell in cells if cell.choices}
        step = step if step >= 0 else self.last(ways[0]) + 1 + step
        super().__init__(title, description, spec, values=grid.settings(parameters, start), step=int(step))

    @traitlets.validate("step")
    def _check_step(self, proposal):
        return min(max(proposal["value"], 0), self.last(self._way()))

    def _way(self):
        shown = (self._trait_values.get("values") or {}).get("way")
        return next((way for way, words in WAYS.items() if words == shown), "reverse")

    def last(self, way):
        """Return the number of the last step of a way: of `WAYS`."""
        operations = [cell for cell in self.cells if cell.op]
        if way == "reverse":
            return 2 * len(operations)
        if way == "forward":
            return (len(self.cells) - len(operations)) * len(operations)
        paths = {self.cells[-1].name: 1}
        for cell in reversed(self.cells):
            for operand in cell.operands:
                paths[operand] = paths.get(operand, 0) + paths.get(cell.name, 0)
        return sum(paths.get(cell.name, 0) for cell in self.cells if not cell.op)

    def values_and_adjoints(self):
        """Return {name: value} and {name: derivative of the output by it}, at the inputs as they are set."""
        values, slopes = {}, {}
        for cell in self.cells:
            if not cell.op:
                values[cell.name] = float(self.values.get(cell.name, cell.start))
                continue
            constant = () if cell.constant is None else (cell.constant,)
            operands = [values[name] for name in cell.operands]
            values[cell.name], slopes[cell.name] = RULES[cell.op](*operands, *constant)
        adjoints = {self.cells[-1].name: 1.0}
        for cell in reversed(self.cells):
            for operand, slope in zip(cell.operands, slopes.get(cell.name, ()), strict=True):
                adjoints[operand] = adjoints.get(operand, 0.0) + adjoints[cell.name] * slope
        return values, adjoints

    def how_to_shrink(self, spec):
        return f"draw fewer cells (there are {len(spec['cells'])}), or give the inputs fewer choices"

    def height(self, inside):
        buttons = 32 if inside > reserve.NARROW else 66
        count = 3 if inside == reserve.NARROW else 2  # lines of the counts, which are kept free
        below = (
            reserve.controls(self.spec["parameters"], inside, cursor=0) + count * reserve.LINE + buttons + 24
        )
        return reserve.staged(
            self, inside, sweep_still.frame(self.spec["cells"], inside)[-1], 150, None, below
        )

    def still(self):
        return sweep_still.draw_sweep(self)


def cells_of(nodes, names=None, rows=None, choices=None):
    """Return the cells of a tape, so that the figure draws what a program recorded.

    Args:
        nodes: in the order of the computation; a node has op, such as "×" or "4 −", value (a tensor of one
            number) and edges, each with its operand.
        names: {node: name}; the others are called v1, v2, ...
        rows: {name: row} of the cells that do not stand in row 0.
        choices: {name of an input: ascending values that the reader may give it}.

    Raises:
        ValueError: a node of several numbers, or an operation that the figure does not know.
    """
    named = dict(names or {})
    for node in nodes:
        if node not in named:
            named[node] = f"v{1 + sum(bool(n.edges) for n in named)}"
    cells = []
    for node in nodes:
        if node.value.numel() != 1:
            shape = tuple(node.value.shape)
            raise ValueError(f"expected nodes of one number, got shape {shape}; draw a smaller computation")
        op, constant = _rule(node.op) if node.edges else ("", None)
        operands = tuple(named[edge.operand] for edge in node.edges)
        name, start = named[node], None if node.edges else node.value.item()
        row, chosen = (rows or {}).get(name, 0.0), (choices or {}).get(name, ())
        cells.append(Cell(name, op, operands, row, constant, start, chosen))
    return cells


def _rule(op):
    """Return the key in `RULES` of an operation as a tape writes it, and its constant."""
    if op in RULES:
        return op, None
    words = op.split()
    if len(words) == 2 and words[1] == "−":
        return "c −", float(words[0])
    if len(words) == 2 and words[0] in ("×", "+", "−"):
        sign = -1 if words[0] == "−" else 1
        return ("c ×", float(words[1])) if words[0] == "×" else ("+ c", sign * float(words[1]))
    raise ValueError(f"expected an operation of {list(RULES)}, got {op!r}; write it with these")


def _checked(cells):
    known = {}
    for cell in cells:
        missing = [name for name in cell.operands if name not in known]
        if cell.op and (cell.op not in RULES or missing or not cell.operands):
            raise ValueError(
                f"cell {cell.name!r}: expected an operation of {list(RULES)} on earlier cells, got "
                f"{cell.op!r} on {list(cell.operands)}; put the operands before it"
            )
        if not cell.op and cell.start is None:
            raise ValueError(f"cell {cell.name!r}: expected a start for an input, got none; give a number")
        if cell.name in known:
            raise ValueError(f"expected cells with different names, got {cell.name!r} twice; rename one")
        known[cell.name] = cell
    if not cells or not cells[-1].op:
        raise ValueError(
            "cells: expected inputs, then operations, got no operation last; end with the output"
        )
    used = {name for cell in cells for name in cell.operands}
    unused = [cell.name for cell in cells[:-1] if cell.name not in used]
    if unused:
        raise ValueError(f"expected the output to depend on every cell, got unused {unused}; leave them out")
    return list(cells)


def _columns(cells):
    """Return the column of each cell: the longest way from an input to it."""
    columns = {}
    for cell in cells:
        columns[cell.name] = 1 + max((columns[name] for name in cell.operands), default=-1)
    return columns


def _entry(cell, columns):
    numbers = {other: at for at, other in enumerate(columns)}
    return {
        "name": str(cell.name),
        "op": cell.op,
        "operands": [numbers[name] for name in cell.operands],
        "constant": cell.constant,
        "start": cell.start,
        "column": columns[cell.name],
        "row": float(cell.row),
    }
