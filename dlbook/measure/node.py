"""A row of a trace: one call of a module, or a run of operations, with what it costs and what it reads.

>>> convolution = Node("conv", "Conv2d", operations=["convolution"])
>>> Node("block", "Sequential", children=[convolution]).kind()
'convolution'
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from torch import nn

from dlbook.measure.operations import KINDS

IDLE, UNUSED = "idle in evaluation", "does not run in evaluation"
INPUT = -1  # a row number: the input of the module that the row is in


@dataclass
class Node:
    """One call of a module, or a run of its own operations. Shapes are without the batch axis; the figures
    include the children.

    Attributes:
        name: of the row.
        type: class of the module.
        module: None for a run of operations.
        qualified: dotted name in the network.
        input_shape, shape: of the first input and of the output.
        parameters, macs, activations: for one image.
        rf: receptive field in input pixels; None where there is none.
        inputs: rows of the parent that it reads; INPUT is what the parent got.
        join: how it joins them, "+ shortcut", "+", "× gate", "×" or "concat"; "" where it does not.
        through: rows that the shortcut or the gate passes.
        note: what else is to be said of it, such as IDLE.
        operations: names of torch's operations, in their order.
        children: calls within this one.
    """

    name: str
    type: str
    module: nn.Module | None = None
    qualified: str = ""
    input_shape: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()
    parameters: int = 0
    macs: int = 0
    activations: int = 0
    rf: int | tuple[int, ...] | None = None
    inputs: list[int] = field(default_factory=list)
    join: str = ""
    through: tuple[int, ...] = ()
    note: str = ""
    operations: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    def kind(self) -> str:
        """What it mainly computes: the first of KINDS that one of its operations belongs to."""
        if self.join:
            return "join"
        done = {op for node in self.walk() for op in node.operations}
        return next((kind for kind, names in KINDS.items() if done & set(names)), "other")

    def walk(self) -> Iterator["Node"]:
        """The node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()
