"""Automatic differentiation: a tape of operations, swept backward for a gradient, forward for a direction.

Wengert 1964, "A simple automatic derivative evaluation program", Communications of the ACM 7(8): forward mode
on a list of operations. Linnainmaa 1976, "Taylor expansion of the accumulated rounding error", BIT 16 (his
thesis is of 1970): the reverse sweep. Baydin et al. 2018, arXiv:1502.05767, is a survey.

While a program runs, each operation writes one node on the tape: its value, and one edge to each of its
operands. An edge is a local derivative J, a linear map that is used in two ways::

    forward sweep, first node to last:       tangent[node]   = sum of J tangent[operand] over its edges
    reverse sweep, last node to first:       adjoint[operand] += J^T adjoint[node]       for each of its edges

The tangent is the derivative of the node in one direction of the inputs; the adjoint is the derivative of the
output by the node. An operand stands on the tape before every node that uses it. So in the reverse sweep an
adjoint is complete when its node is reached.

Departures from the papers

1. The papers record numbers; here a node is a whole tensor, and broadcasting is undone on the way back.
2. Adjoints are tensors and not nodes: there are no second derivatives.
3. Values are never changed in place: a node would then differ from what its edges remember.
4. A plain number or tensor beside a node is a constant; it is no node and has no edge.
5. The slope of ReLU at 0 is 0, as in torch.

>>> x = Variable([1.0, 2.0])
>>> loss = (x * x + 3 * x).sum()
>>> gradients(loss, [x])[0].tolist()
[5.0, 7.0]
>>> forward_sweep(loss, {x: torch.tensor([1.0, 0.0])})[loss].item()
5.0
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dlbook.checks import require

Linear = Callable[[Tensor], Tensor]


class Edge(NamedTuple):
    """The local derivative J of a node by one of its operands.

    Attributes:
        operand: the node that the value was computed from.
        push: t -> J t, a tangent of the operand's shape.
        pull: a -> J^T a, an adjoint of the node's shape.
    """

    operand: "Variable"
    push: Linear
    pull: Linear


class Variable:
    """Hold one value of a computation, and how it depends on its operands.

    Args:
        value: a tensor of floating point, or such numbers; torch's own record of it is dropped.
        op: name of the operation.
        edges: one :class:`Edge` for each operand, twice where an operand is used twice.

    Attributes:
        number: place on the tape; every operand has a smaller one.

    Raises:
        ValueError: whole numbers, which have no small changes.
    """

    _numbers = itertools.count()
    __array_ufunc__ = None  # NumPy's array + node: the array leaves the operation to the node

    def __init__(self, value: Any, op: str = "input", edges: Sequence[Edge] = ()):
        self.value = torch.as_tensor(value).detach()
        kind = self.value.dtype
        require(kind.is_floating_point, "floating point", str(kind), "write 2.0, or call .double()")
        self.op, self.edges = op, tuple(edges)
        self.number = next(Variable._numbers)

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return NotImplemented  # tensor + node: the tensor leaves the operation to the node

    def __repr__(self) -> str:
        return f"Variable({self.op}, shape {tuple(self.value.shape)})"

    def __add__(self, other: "Operand") -> "Variable":
        return _pointwise("+", self.value + _value(other), (self, None), (other, None))

    def __mul__(self, other: "Operand") -> "Variable":
        a, b = self.value, _value(other)
        return _pointwise("×", a * b, (self, b), (other, a))

    def __sub__(self, other: "Operand") -> "Variable":
        return _pointwise("−", self.value - _value(other), (self, None), (other, -1.0))

    def __rsub__(self, other: "Operand") -> "Variable":
        return _pointwise(f"{_name(other)} −", _value(other) - self.value, (self, -1.0))

    def __neg__(self) -> "Variable":
        return _pointwise("−", -self.value, (self, -1.0))

    def __pow__(self, exponent: float) -> "Variable":
        slope = exponent * self.value ** (exponent - 1) if exponent else torch.zeros_like(self.value)
        return _pointwise(f"^{exponent}", self.value**exponent, (self, slope))

    def __truediv__(self, other: "Operand") -> "Variable":
        return self * (other**-1 if isinstance(other, Variable) else 1 / _value(other))

    def __rtruediv__(self, other: "Operand") -> "Variable":
        return self**-1 * other

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other: "Operand") -> "Variable":
        return _product(self, other)

    def __rmatmul__(self, other: "Operand") -> "Variable":
        return _product(other, self)

    def exp(self) -> "Variable":
        value = self.value.exp()
        return _pointwise("exp", value, (self, value))

    def log(self) -> "Variable":
        return _pointwise("ln", self.value.log(), (self, 1 / self.value))

    def tanh(self) -> "Variable":
        value = self.value.tanh()
        return _pointwise("tanh", value, (self, 1 - value * value))

    def relu(self) -> "Variable":
        return _pointwise("ReLU", self.value.relu(), (self, (self.value > 0).to(self.value.dtype)))

    def sum(self, dim: int | None = None) -> "Variable":
        """Sum over all axes, or over one, which stays with the length 1."""
        shape = self.value.shape
        total = lambda t: t.sum() if dim is None else t.sum(dim, keepdim=True)
        return Variable(total(self.value), "sum", [Edge(self, total, lambda g: g.expand(shape))])


Operand = Variable | Tensor | float


def tape(output: Variable) -> list[Variable]:
    """Return the nodes that an output depends on, itself among them, in the order of the computation."""
    found, waiting = {output}, [output]
    while waiting:
        for edge in waiting.pop().edges:
            if edge.operand not in found:
                found.add(edge.operand)
                waiting.append(edge.operand)
    return sorted(found, key=lambda node: node.number)


def reverse_sweep(output: Variable, seed: Tensor | None = None) -> dict[Variable, Tensor]:
    """Return the adjoint of every node on the tape: the derivative of the output by it.

    Args:
        output: a node with one number, or any node if there is a seed.
        seed: adjoint of the output itself, of its shape; None: 1.

    Raises:
        ValueError: an output of several numbers without a seed, or a seed of another shape.
    """
    shape = tuple(output.value.shape)
    if seed is None:
        require(output.value.numel() == 1, "an output of one number", f"shape {shape}", "sum it, or seed it")
        seed = torch.ones_like(output.value)
    require(tuple(seed.shape) == shape, f"a seed of shape {shape}", f"{tuple(seed.shape)}", "one number each")
    adjoints = {output: seed}
    for node in reversed(tape(output)):
        for operand, _, pull in node.edges:
            part = _summed_to(operand.value.shape, pull(adjoints[node]))
            adjoints[operand] = adjoints[operand] + part if operand in adjoints else part
    return adjoints


def forward_sweep(output: Variable, seeds: Mapping[Variable, Tensor]) -> dict[Variable, Tensor]:
    """Return the tangent of every node that the seeds reach: its derivative in their direction.

    Args:
        output: the last node.
        seeds: {input: its direction, of its shape}; inputs that are left out stand still.
    """
    tangents = dict(seeds)
    for node in tape(output):
        for operand, push, _ in node.edges:
            if operand in tangents:
                part = push(tangents[operand]).broadcast_to(node.value.shape)
                tangents[node] = tangents[node] + part if node in tangents else part
    return tangents


def gradients(output: Variable, inputs: Sequence[Variable]) -> list[Tensor]:
    """Return the gradient of an output of one number by each input; zeros where it does not depend on it."""
    adjoints = reverse_sweep(output)
    return [adjoints.get(node, torch.zeros_like(node.value)) for node in inputs]


def _product(left: Operand, right: Operand) -> Variable:
    """Make the node of a matrix product; a constant gets no edge."""
    a, b = _value(left), _value(right)
    shapes = f"shapes {tuple(a.shape)} and {tuple(b.shape)}"
    require(
        min(a.dim(), b.dim()) >= 2, "two matrices, or stacks of them", shapes, "give a vector a second axis"
    )
    edges = [
        Edge(left, lambda t: t @ b, lambda g: g @ b.mT),
        Edge(right, lambda t: a @ t, lambda g: a.mT @ g),
    ]
    return Variable(a @ b, "@", [edge for edge in edges if isinstance(edge.operand, Variable)])


def _pointwise(op: str, value: Tensor, *operands: tuple[Operand, Tensor | float | None]) -> Variable:
    """Make a node of an operation on each number alone; `operands` are (operand, local derivative), where
    None is 1. A constant gets no edge.
    """
    constants = [operand for operand, _ in operands if not isinstance(operand, Variable)]
    edges = [
        Edge(operand, *[_times(slope)] * 2) for operand, slope in operands if isinstance(operand, Variable)
    ]
    return Variable(value, f"{op} {_name(constants[0])}" if constants else op, edges)


def _times(slope: Tensor | float | None) -> Linear:
    return (lambda t: t) if slope is None else (lambda t: t * slope)


def _summed_to(shape: torch.Size, adjoint: Tensor) -> Tensor:
    """Sum an adjoint over the axes along which broadcasting had repeated its operand."""
    added = tuple(range(adjoint.dim() - len(shape)))
    repeated = tuple(
        axis
        for axis, length in enumerate(shape, start=len(added))
        if length == 1 and adjoint.shape[axis] != 1
    )
    return adjoint.sum(added + repeated).reshape(shape) if added + repeated else adjoint


def _value(operand: Operand) -> Tensor | float:
    if isinstance(operand, Variable):
        return operand.value
    return operand if isinstance(operand, (int, float, Tensor)) else torch.as_tensor(operand)


def _name(constant: Operand) -> str:
    return f"{constant:g}" if isinstance(constant, (int, float)) else "constant"
