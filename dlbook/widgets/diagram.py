"""A network drawn from its module: blocks in the order in which they run, their shapes and costs; a click
opens a block.

The figure takes a tree of blocks, such as `dlbook.measure.tree` makes of any `torch.nn.Module`, and knows
no model.

>>> from types import SimpleNamespace as Block
>>> def block(name, type, parameters, *children):
...     return Block(name=name, type=type, detail="", kind="", input_shape=(3, 8, 8), shape=(8, 8, 8),
...                  parameters=parameters, macs=64 * parameters, activations=0, rf=3, rf_first=3,
...                  inputs=(-1,), join="", note="", repeat=1, parallel=False, children=children)
>>> figure = Diagram(block("", "Net", 248, block("stem", "Sequential", 248, block("0", "Conv2d", 248))))
>>> figure.opened = figure.paths
>>> figure.opened, figure.title
(['0'], 'Net')
"""

import traitlets

from dlbook.widgets import encode, reserve_rows
from dlbook.widgets.figure import Figure, escape, module_text, style_text

MEASURES = ("parameters", "MACs", "activations", "receptive field")
STILL_ROWS = 120
_ON_PAPER = "<style>@media print{.dlw-tree{font-size:7.5pt;line-height:1.3}.dlw-tree ul{margin:0}}</style>"


class Diagram(Figure):
    """The blocks of a network from top to bottom, with bars that show what each of them costs.

    Args:
        tree: the root block. A block has the attributes name, type, detail, kind (texts), shape, input_shape
            (tuples, without the batch), parameters, macs, activations (whole numbers, of one copy), rf,
            rf_first (pixels, a tuple, or None), inputs (rows of the parent, -1 its input), join, note
            (texts), repeat, parallel, children.
        title, description: texts; by default the type of the network, and its totals.
        bars: what the bars show, one of `MEASURES`.
        opened: paths of the blocks that are open at first, such as "4" and "4.0"; "all" opens every block.

    Attributes:
        paths: of all blocks that can be opened.
        opened, bars: what the reader chose; can be set from Python too.

    Raises:
        ValueError: the tree lacks an attribute, a path or a measure that is unknown, or more than 60 KiB of
            state.
    """

    _esm = module_text("controls.js", "diagram_flow.js", "diagram.js")
    _css = style_text("figure.css", "diagram.css")
    opened = traitlets.List(traitlets.Unicode()).tag(sync=True)
    bars = traitlets.Unicode(MEASURES[1]).tag(sync=True)

    def __init__(self, tree, *, title="", description="", bars=MEASURES[1], opened=()):
        try:
            rows = _row(tree)
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                "expected the root of a tree of blocks, as measure.model_tree(build, input_size) makes "
                f"it, got {type(tree).__name__} ({error}); make it so"
            ) from error
        if not tree.children:
            raise ValueError(
                f"expected a network with parts to draw, got one layer, {tree.type}; wrap it in nn.Sequential"
            )
        self.tree = tree
        self.paths = _paths(tree)
        spec = {"tree": encode.deflated_json(rows), "measures": list(MEASURES)}
        sizes = {
            f"{child.name} {child.type}".strip(): len(encode.deflated_json(_row(child)))
            for child in tree.children
        }
        super().__init__(
            title or tree.type,
            description or _description(tree),
            spec,
            sizes,
            bars=bars,
            opened=list(self.paths) if opened == "all" else list(opened),
        )

    @traitlets.validate("opened")
    def _check_opened(self, proposal):
        unknown = [path for path in proposal["value"] if path not in self.paths]
        if unknown:
            raise ValueError(
                f"expected the path of a block that can be opened, got {unknown[0]!r}; there are "
                f"{', '.join(self.paths) or 'none'}"
            )
        return [path for path in self.paths if path in proposal["value"]]

    @traitlets.validate("bars")
    def _check_bars(self, proposal):
        if proposal["value"] not in MEASURES:
            raise ValueError(
                f"expected bars to be one of {', '.join(MEASURES)}, got {proposal['value']!r}; choose "
                "one of these"
            )
        return proposal["value"]

    def how_to_shrink(self, spec):
        return "draw a part of the network: the tree of one of its blocks"

    def height(self, inside):
        return reserve_rows.diagram(self, inside)

    def still(self):
        depth = 1
        while _count(self.tree, depth + 1) <= STILL_ROWS and _count(self.tree, depth + 1) > _count(
            self.tree, depth
        ):
            depth += 1
        head = f"<p><strong>{escape(self.title)}</strong></p><p>{escape(self.description)}</p>"
        return f'{head}{_ON_PAPER}<div class="dlw-tree">{_list(self.tree, depth)}</div>'


def _row(block):
    """A block as a list, in the order that diagram.js reads; lists keep their order where the page's JSON is
    sorted.
    """
    return [
        str(block.name),
        str(block.type),
        str(block.detail),
        str(block.kind),
        [int(n) for n in block.input_shape],
        [int(n) for n in block.shape],
        int(block.parameters),
        int(block.macs),
        int(block.activations),
        _field(block.rf),
        _field(block.rf_first),
        int(block.repeat),
        bool(block.parallel),
        str(block.join),
        [int(row) for row in block.inputs],
        str(block.note),
        [_row(child) for child in block.children],
    ]


def _field(rf):
    """A receptive field as a list of pixels along each axis that differs; empty where there is none."""
    return [] if rf is None else [int(n) for n in rf] if isinstance(rf, tuple) else [int(rf)]


def _paths(block, path=""):
    """Paths of the blocks below `block` that have children, in the order in which they stand."""
    found = []
    for number, child in enumerate(block.children):
        if child.children:
            here = f"{path}.{number}" if path else str(number)
            found += [here, *_paths(child, here)]
    return found


def _description(tree):
    return (
        f"{tree.type} for an input of {shape_text(tree.input_shape)}: {tree.parameters:,} "
        f"parameters, {tree.macs:,} MACs, "
        f"{len(tree.children)} blocks from the input above to the output below."
    )


def shape_text(shape):
    """Return a shape as the figure writes it.

    >>> shape_text((64, 56, 56))
    '64×56×56'
    """
    return "×".join(map(str, shape))


def _count(block, depth):
    return (
        0 if depth == 0 else len(block.children) + sum(_count(child, depth - 1) for child in block.children)
    )


def _list(block, depth):
    """The children of a block as a nested HTML list; blocks open without JavaScript too, down to `depth`."""
    items = []
    for child in block.children:
        line = _line(child)
        inner = child.children and depth > 1
        items.append(
            f"<li><details><summary>{line}</summary>{_list(child, depth - 1)}</details></li>"
            if inner
            else f"<li>{line}</li>"
        )
    return f"<ul>{''.join(items)}</ul>"


def _line(block):
    times = f" × {block.repeat}{' side by side' if block.parallel else ''}" if block.repeat > 1 else ""
    joins = list(dict.fromkeys(child.join for child in block.children if child.join))
    words = [f"{block.type}{times}", block.detail, *joins, shape_text(block.shape)]
    costs = [
        f"{block.repeat * value:,} {name}"
        for value, name in ((block.parameters, "parameters"), (block.macs, "MACs"))
        if value
    ]
    rest = escape(" · ".join(word for word in [*words, *costs, block.note] if word))
    return f"<strong>{escape(block.name)}</strong> {rest}" if block.name else rest
