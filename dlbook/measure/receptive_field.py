"""The theoretical receptive field, followed through a network tensor by tensor.

A `Field` says, for each spatial axis of a tensor, how many input pixels one of its elements can see (`size`),
and how many input pixels lie between neighbours (`jump`). A window of k elements with dilation d and stride s
makes of them

    size + (k - 1) d jump        and        jump s

(Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill 2019). Where
branches meet, the largest counts. What looks at the whole image at once (global pooling, attention,
squeeze-and-excitation, normalisation over a map) has no finite field: its output carries none, and a gate
that it computes leaves the gated field as it is.

>>> Field((2, 3), (1, 1), (1, 1)).window((3, 3), (2, 2), (1, 1))
Field(axes=(2, 3), size=(3, 3), jump=(2, 2))
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

aten = torch.ops.aten
POOLS = {aten.max_pool2d_with_indices, aten.avg_pool2d, aten.max_pool3d_with_indices, aten.avg_pool3d}
GLOBAL = {
    aten.mm,
    aten.addmm,
    aten.bmm,
    aten.baddbmm,
}  # global pooling shows itself by the size of its output


@dataclass(frozen=True)
class Field:
    """What one element of a tensor sees of the input.

    Attributes:
        axes: the spatial axes of the tensor.
        size: input pixels that an element sees along each axis, >= 1.
        jump: input pixels from one element to the next along each axis, >= 1.
    """

    axes: tuple[int, ...]
    size: tuple[int, ...]
    jump: tuple[int, ...]

    def window(self, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> "Field":
        """The field behind a window of `kernel` elements with `stride` and `dilation`, one value an axis."""
        size = tuple(
            r + (k - 1) * d * j for r, k, d, j in zip(self.size, kernel, dilation, self.jump, strict=True)
        )
        return Field(self.axes, size, tuple(j * s for j, s in zip(self.jump, stride, strict=True)))

    def join(self, other: "Field | None") -> "Field":
        """The field where two branches meet: the larger size and jump on each axis. One with other axes, or
        None, adds nothing.
        """
        if other is None or other.axes != self.axes:
            return self
        larger = lambda mine, others: tuple(map(max, mine, others))
        return Field(self.axes, larger(self.size, other.size), larger(self.jump, other.jump))

    def extent(self) -> int | tuple[int, ...]:
        """One number where all axes agree, otherwise one an axis."""
        return self.size[0] if len(set(self.size)) == 1 else self.size


class Fields:
    """The fields of the tensors of one forward pass. `start` marks the input, `follow` is told of every
    operation.
    """

    def __init__(self) -> None:
        self._known: WeakIdKeyDictionary = WeakIdKeyDictionary()

    def start(self, image: Tensor) -> None:
        """Mark a network's input [B, C, spatial ...]: each pixel sees itself."""
        if image.ndim > 2:
            ones = (1,) * (image.ndim - 2)
            self._known[image] = Field(tuple(range(2, image.ndim)), ones, ones)

    def of(self, tensor: object) -> Field | None:
        """The field of a tensor, None where it has none."""
        return self._known.get(tensor) if isinstance(tensor, Tensor) else None

    def keep(self, before: object, after: object) -> None:
        """Give `after` the field of `before`: for a layer that acts on each position alone, on the
        last axis.
        """
        field = self.of(before)
        if (
            field
            and isinstance(after, Tensor)
            and after.shape[:-1] == before.shape[:-1]
            and before.ndim - 1 not in field.axes
        ):
            self._known[after] = field

    def follow(self, operation: object, arguments: Sequence, outputs: object) -> None:
        """Give the output of one operation its field."""
        inputs = [(tensor, field) for tensor in _tensors(arguments) if (field := self.of(tensor))]
        output = outputs[0] if isinstance(outputs, (tuple, list)) and operation in POOLS else outputs
        if not inputs or operation in GLOBAL:
            return
        if operation is aten.split or operation is aten.chunk or isinstance(output, (tuple, list)):
            for part in _tensors(output):
                self._set(part, _elementwise(inputs, part))
        elif isinstance(output, Tensor):
            self._set(output, _field(operation, arguments, inputs, output))

    def _set(self, tensor: Tensor, field: Field | None) -> None:
        if field:
            self._known[tensor] = field


def _field(
    operation: object, arguments: Sequence, inputs: list[tuple[Tensor, Field]], output: Tensor
) -> Field | None:
    source, field = inputs[0]
    if operation is aten.convolution:
        kernel, stride, dilation, transposed = (
            arguments[1].shape[2:],
            arguments[3],
            arguments[5],
            arguments[6],
        )
        size = len(kernel)
        return (
            None
            if transposed
            else field.window(tuple(kernel), _spread(stride, size), _spread(dilation, size))
        )
    if operation in POOLS:
        kernel = arguments[1]
        stride = arguments[2] if len(arguments) > 2 and arguments[2] else kernel
        dilation = (
            arguments[4]
            if operation in (aten.max_pool2d_with_indices, aten.max_pool3d_with_indices)
            and len(arguments) > 4
            else 1
        )
        size = len(field.axes)
        return field.window(_spread(kernel, size), _spread(stride, size), _spread(dilation, size))
    if operation in (aten.permute, aten.transpose):
        return _permuted(operation, arguments, field, source.ndim)
    if output.ndim != source.ndim:
        return _reshaped(source, field, output)
    if operation in (aten.constant_pad_nd, aten.slice, aten.reflection_pad2d, aten.replication_pad2d):
        return field
    return _elementwise(inputs, output)


def _elementwise(inputs: list[tuple[Tensor, Field]], output: Tensor) -> Field | None:
    """The largest field of those inputs that have the output's size along their axes."""
    fields = [
        f for t, f in inputs if t.ndim == output.ndim and all(t.shape[a] == output.shape[a] for a in f.axes)
    ]
    return reduce(Field.join, fields) if fields else None


def _permuted(operation: object, arguments: Sequence, field: Field, ndim: int) -> Field:
    if operation is aten.transpose:
        order = list(range(ndim))
        first, second = arguments[1] % ndim, arguments[2] % ndim
        order[first], order[second] = second, first
    else:
        order = [axis % ndim for axis in arguments[1]]
    return Field(tuple(order.index(axis) for axis in field.axes), field.size, field.jump)


def _reshaped(source: Tensor, field: Field, output: Tensor) -> Field | None:
    """The field survives a reshape only where the spatial axes are the last ones and stay what they are."""
    count = len(field.axes)
    last = tuple(range(source.ndim - count, source.ndim))
    if field.axes != last or output.ndim <= count or output.shape[-count:] != source.shape[-count:]:
        return None
    return Field(tuple(range(output.ndim - count, output.ndim)), field.size, field.jump)


def _spread(value: int | Sequence[int], count: int) -> tuple[int, ...]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * count if len(values) == 1 else values


def _tensors(things: object) -> Iterable[Tensor]:
    if isinstance(things, Tensor):
        yield things
    elif isinstance(things, (tuple, list)):
        for thing in things:
            yield from _tensors(thing)
