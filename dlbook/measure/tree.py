"""A network as a tree of named blocks: what `dlbook.widgets.Diagram` draws, made from the module itself.

`model_tree` runs the network once on `meta` (trace.py) and keeps, for each module and in the order in
which they ran: name, type, shapes, parameters, MACs, activations, receptive field, and which rows of its
parent it takes. Equal neighbours are folded into one TreeBlock with `repeat`. All figures of a TreeBlock are
those of one copy; so the sum over children of `repeat * parameters` is the parameters of their parent, and
likewise for MACs and activations.

>>> five = lambda: [nn.Conv2d(4, 4, 3, padding=1) for _ in range(5)]
>>> tree = model_tree(lambda: nn.Sequential(*five(), nn.ReLU()), (4, 8, 8))
>>> [(block.name, block.type, block.detail, block.repeat, block.parameters) for block in tree.children]
[('0–4', 'Conv2d', '3×3', 5, 148), ('5', 'ReLU', '', 1, 0)]
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from torch import nn

from dlbook.measure.node import IDLE, INPUT, Node
from dlbook.measure.trace import trace

Extent = int | tuple[int, ...] | None


@dataclass(frozen=True)
class TreeBlock:
    """One row of the diagram, or `repeat` equal ones. Shapes are without the batch; figures are those of one
    copy.

    Attributes:
        name: within its parent, "layer1" or "0–2"; "" for an operation that the parent computes itself.
        type, detail: class or operation; kernel, stride, channels.
        kind: convolution, linear, product, normalisation, pooling, activation, join, other; "" where it has
            children.
        rf, rf_first: receptive field behind the last and behind the first copy, in input pixels; None: none
            that is finite.
        inputs: rows of the parent whose outputs it takes; -1 is the parent's own input.
        join: "" or how it joins them: "+ shortcut", "+", "× gate", "×", "concat"; through: rows on the
            shortcut or in the gate.
        joins: the joins among its children, each once, for the closed block.
        repeat, parallel: copies in a row; whether they run side by side.
        note: "" or what is special: it does not run in evaluation, or uses the weights of an earlier call.
    """

    name: str
    type: str
    detail: str
    kind: str
    input_shape: tuple[int, ...]
    shape: tuple[int, ...]
    parameters: int
    macs: int
    activations: int
    rf: Extent
    rf_first: Extent
    inputs: tuple[int, ...]
    join: str
    through: tuple[int, ...]
    note: str
    children: tuple["TreeBlock", ...] = ()
    repeat: int = 1
    parallel: bool = False

    @property
    def joins(self) -> tuple[str, ...]:
        """How its children join their inputs, each way once."""
        return tuple(dict.fromkeys(child.join for child in self.children if child.join))

    def walk(self) -> Iterator["TreeBlock"]:
        """The block and all below it; a folded one once."""
        yield self
        for child in self.children:
            yield from child.walk()

    @cached_property
    def pattern(self) -> tuple:
        """All in which equal blocks agree: not the name, the receptive field, and the place."""
        own = (
            self.type,
            self.detail,
            self.input_shape,
            self.shape,
            self.parameters,
            self.macs,
            self.activations,
            self.join,
            self.note,
        )
        inner = tuple((child.repeat, child.inputs, child.pattern) for child in self.children)
        return hash((own, self.repeat, inner)), own


def model_tree(build: Callable[[], nn.Module], input_size: Sequence[int] = (3, 224, 224)) -> TreeBlock:
    """Draw up the tree of the network that `build()` returns, for one input.

    Args:
        build: a function without arguments that makes the network.
        input_size: shape of one input, without the batch axis.

    Returns:
        The block of the whole network.

    Raises:
        ValueError: `build` is a module rather than a function that makes one, or the input does not fit the
            network.
    """
    return _block(trace(build, input_size))


def _block(node: Node) -> TreeBlock:
    """Freeze a Node; modules that are one of torch's, and those whose own work is one row, are leaves."""
    own = [child for child in node.children if child.module is None and child.operations]
    leaf = not node.children or (
        len(own) == len(node.children) and (len(own) == 1 or _is_of_torch(node.module))
    )
    children = () if leaf else fold([_block(child) for child in _through_idle(node.children)])
    detail = _detail(node, own) if leaf else ""
    kind = node.kind() if leaf else ""
    name = node.type if node.module is not None or node.note else _title(node)
    return TreeBlock(
        node.name,
        name,
        detail,
        kind,
        node.input_shape,
        node.shape,
        node.parameters,
        node.macs,
        node.activations,
        node.rf,
        node.rf,
        tuple(node.inputs),
        node.join,
        tuple(node.through),
        node.note,
        children,
    )


def _title(node: Node) -> str:
    return node.join or " · ".join(dict.fromkeys(node.operations))


def _is_of_torch(module: nn.Module | None) -> bool:
    """Whether a module is, or refines, a layer of torch: nn.Conv2d and a subclass of it, but no subclass of
    nn.Module alone.
    """
    frames = (nn.Module, nn.Sequential, nn.ModuleList, nn.ModuleDict)
    return any(
        kind.__module__.startswith("torch.nn.modules") and kind not in frames for kind in type(module).__mro__
    )


def _detail(node: Node, own: list[Node]) -> str:
    """Kernel, stride, channels, probability, as far as the module says; the operations, where it is no module
    of torch.
    """
    module = node.module
    if module is None:
        return "with weights of its own" if node.parameters and node.operations else ""
    words = []
    if isinstance(kernel := getattr(module, "kernel_size", None), (int, tuple)):
        words.append(_across(kernel))
        groups = getattr(module, "groups", 1)
        if groups > 1:
            words.append("depthwise" if groups == module.in_channels else f"{groups} groups")
        words += [
            f"{what} {_one(value)}"
            for what in ("stride", "dilation")
            if _one(value := getattr(module, what, 1) or 1) != "1"
        ]
    elif hasattr(module, "in_features") and hasattr(module, "out_features"):
        words.append(f"{module.in_features} → {module.out_features}")
    elif isinstance(module, nn.modules.dropout._DropoutNd):
        words.append(f"p = {module.p:g}")
    elif own and not _is_of_torch(module):
        words.append(" · ".join(dict.fromkeys(op for child in own for op in child.operations)))
    return ", ".join(words)


def _across(size: int | tuple[int, ...]) -> str:
    """3×3, also where one number stands for both."""
    return "×".join(map(str, size if isinstance(size, tuple) else (size, size)))


def _one(size: int | tuple[int, ...]) -> str:
    """2 where all axes agree, else 2×1."""
    return (
        str(size[0])
        if isinstance(size, tuple) and len(set(size)) == 1
        else _across(size)
        if isinstance(size, tuple)
        else str(size)
    )


def _through_idle(nodes: list[Node]) -> list[Node]:
    """Let what comes after a module that passes its input on (dropout, in evaluation) take that
    module's row.
    """
    for row, node in enumerate(nodes):
        if node.note == IDLE and len(node.inputs) == 1:
            user = next((other for other in nodes[row + 1 :] if node.inputs[0] in other.inputs), None)
            if user:
                user.inputs = [row if taken == node.inputs[0] else taken for taken in user.inputs]
    return nodes


def fold(blocks: Sequence[TreeBlock]) -> tuple[TreeBlock, ...]:
    """Join equal neighbours that run one after the other, or side by side on the same inputs, into one
    TreeBlock with `repeat`.
    """
    runs: list[list[int]] = []
    for row, block in enumerate(blocks):
        run = runs[-1] if runs else []
        first = blocks[run[0]] if run else None
        chain = (
            first is not None
            and block.inputs == (row - 1,)
            and (len(run) == 1 or blocks[run[1]].inputs == (run[0],))
        )
        beside = first is not None and all(blocks[other].inputs == block.inputs for other in run)
        if first is not None and block.pattern == first.pattern and (chain or beside) and not block.join:
            run.append(row)
        else:
            runs.append([row])
    place = {row: number for number, run in enumerate(runs) for row in run} | {INPUT: INPUT}
    taken = {row for block in blocks for row in block.inputs}
    return tuple(
        _folded([blocks[row] for row in run], number, place, taken) for number, run in enumerate(runs)
    )


def _folded(run: list[TreeBlock], number: int, place: dict[int, int], taken: set[int]) -> TreeBlock:
    """One TreeBlock for a run of equal ones; rows are numbered anew by `place`."""
    first, last = run[0], run[-1]
    inputs = tuple(dict.fromkeys(place[row] for row in first.inputs if place[row] != number))
    through = tuple(dict.fromkeys(place[row] for row in first.through))
    name = _span(first.name, last.name) if len(run) > 1 else first.name
    parallel = len(run) > 1 and run[1].inputs == first.inputs
    return replace(
        first, name=name, rf=last.rf, inputs=inputs, through=through, repeat=len(run), parallel=parallel
    )


def _span(first: str, last: str) -> str:
    """One name for all from `first` to `last`: "stage.2–5" for stage.2 and stage.5."""
    head, number = first.rstrip("0123456789"), last[len(last.rstrip("0123456789")) :]
    return (
        f"{first}–{number}"
        if number and head == last.removesuffix(number)
        else f"{first}–{last}"
        if first
        else ""
    )
