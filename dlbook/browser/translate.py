"""The operations that torch.export writes down, in the words of the engine in the page.

One function for each operation of torch that the engine has. It returns (name, inputs, options): an input is
the number of an earlier result (0 is the images), the name of a parameter or buffer, or None.

>>> from torch import nn
>>> program = torch.export.export(nn.ReLU(), (torch.zeros(2, 3),))
>>> Translation(program).operations
[['relu', [0], {}, '']]
"""

import operator

import torch
from torch.fx import Node

from dlbook.checks import require

aten = torch.ops.aten
_LAST = 2**63 - 1  # what torch writes for "to the end"


def _refuse(what: str, got: object, fix: str = "leave it out, or write it as one of the engine's") -> None:
    require(False, f"operations of the engine ({what})", str(got), fix)


def _need(holds: bool, what: str, got: object) -> None:
    if not holds:
        _refuse(what, got)


def _need_repeated_rows(name: str, *nodes: Node) -> None:
    """The engine repeats over the first axes alone: [B, C] + [C], and not [B, C, H, W] * [B, C, 1, 1]."""
    shapes = [list(map(str, node.meta["val"].shape)) for node in nodes]  # texts, as a batch may be a symbol
    ends = [shape[next((i for i, size in enumerate(shape) if size != "1"), len(shape)) :] for shape in shapes]
    fits = any(
        shape[len(shape) - len(end) :] == end for shape, end in zip(shapes, reversed(ends), strict=True)
    )
    _need(fits, f"{name} of equal shapes, or of a shape and its last axes", " and ".join(map(str, shapes)))


def _axis(node: Node, axis: int) -> int:
    return axis % node.meta["val"].ndim


def _pair(value: list[int]) -> list[int]:
    return [value[0], value[-1]]


def _conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    _need(set(dilation) == {1}, "conv2d without dilation", f"dilation {dilation}")
    return "conv2d", [x, weight, bias], {"stride": _pair(stride), "padding": _pair(padding), "groups": groups}


def _batch_norm(x, gamma, beta, mean, variance, training, momentum, eps, _):
    _need(
        None not in (gamma, beta, mean, variance), "batch norm with weights and running statistics", "without"
    )
    return "batch_norm", [x, gamma, beta, mean, variance], {"momentum": momentum, "eps": eps}


def _layer_norm(x, shape, gamma=None, beta=None, eps=1e-5, _=True):
    _need(len(shape) == 1 and None not in (gamma, beta), "layer norm over the last axis, with weights", shape)
    return "layer_norm", [x, gamma, beta], {"eps": eps}


def _add(x, other):
    return "add", [x, other], {}


def _gelu(x, approximate="none"):
    _need(approximate == "none", "the exact GELU", f"approximate={approximate!r}")
    return "gelu", [x], {}


def _max_pool2d(x, kernel, stride=(), padding=(0, 0), dilation=(1, 1), ceil_mode=False):
    _need(set(dilation) == {1} and not ceil_mode, "max pooling", "dilation or ceil_mode")
    return "max_pool2d", [x], _window(kernel, stride, padding)


def _avg_pool2d(x, kernel, stride=(), padding=(0, 0), ceil_mode=False, include=True, divisor=None):
    _need(not ceil_mode and include and divisor is None, "average pooling", "ceil_mode or another divisor")
    return "avg_pool2d", [x], _window(kernel, stride, padding)


def _window(kernel, stride, padding):
    return {"kernel": _pair(kernel), "stride": _pair(stride or kernel), "padding": _pair(padding)}


def _mean(x, axes, keep=False):
    axes = sorted(_axis(x, axis) for axis in axes)
    _need(axes == list(range(axes[0], axes[-1] + 1)), "a mean over neighbouring axes", axes)
    return "mean", [x], {"first": axes[0], "last": axes[-1], "keep": keep}


def _flatten(x, first=0, last=-1):
    return "flatten", [x], {"first": _axis(x, first), "last": _axis(x, last)}


def _unflatten(x, axis, sizes):
    _need(_axis(x, axis) > 0, "unflatten of another axis than the batch", axis)
    return "unflatten", [x], {"axis": _axis(x, axis), "sizes": list(sizes)}


def _transpose(x, one, other):
    order = list(range(x.meta["val"].ndim))
    one, other = _axis(x, one), _axis(x, other)
    order[one], order[other] = other, one
    return "permute", [x], {"order": order}


def _permute(x, order):
    return "permute", [x], {"order": [_axis(x, axis) for axis in order]}


def _select(x, axis, index):
    axis = _axis(x, axis)
    return "select", [x], {"axis": axis, "index": index % x.meta["val"].shape[axis] if axis else index}


def _slice(x, axis=0, start=0, stop=_LAST, step=1):
    _need(
        _axis(x, axis) > 0 and (start or 0) >= 0 and stop > 0,
        "slices from the front, not of the batch",
        (start, stop),
    )
    end = {} if stop == _LAST else {"stop": stop}
    return "slice", [x], {"axis": _axis(x, axis), "start": start or 0, "step": step, **end}


def _pad(x, sides, mode="constant", value=None):
    # torch counts from the last axis: before and after it, then the axis before
    pairs = [pair for pair in enumerate(zip(sides[::2], sides[1::2], strict=True)) if any(pair[1])]
    _need(len(pairs) == 1 and mode == "constant" and not value, "zeros along one axis", (sides, mode))
    back, (before, after) = pairs[0]
    return "pad", [x], {"axis": x.meta["val"].ndim - 1 - back, "before": before, "after": after}


def _expand(x, sizes):
    _need(set(sizes[1:]) <= {-1} and x.meta.get("val") is not None, "expand of the batch alone", sizes[1:])
    return "expand", [x], {}


def _concat(parts, axis=0):
    return "concat", [list(parts)], {"axis": _axis(parts[0], axis)}


def _attention(q, k, v, mask=None, drop=0.0, causal=False):
    _need(
        mask is None and not drop and not causal, "attention without mask or dropping", (mask, drop, causal)
    )
    return "attention", [q, k, v], {}


def _softmax(x, axis):
    _need(_axis(x, axis) == x.meta["val"].ndim - 1, "softmax over the last axis", axis)
    return "softmax", [x], {}


def _plain(name):
    return lambda *inputs: (name, list(inputs), {})


TABLE = {
    aten.conv2d.default: _conv2d,
    aten.linear.default: lambda x, weight, bias=None: ("linear", [x, weight, bias], {}),
    aten.batch_norm.default: _batch_norm,
    aten.layer_norm.default: _layer_norm,
    aten.scaled_dot_product_attention.default: _attention,
    aten.softmax.int: _softmax,
    aten.relu.default: _plain("relu"),
    aten.relu_.default: _plain("relu"),
    aten.leaky_relu.default: lambda x, slope=0.01: ("leaky_relu", [x], {"slope": slope}),
    aten.sigmoid.default: _plain("sigmoid"),
    aten.tanh.default: _plain("tanh"),
    aten.silu.default: _plain("silu"),
    aten.gelu.default: _gelu,
    aten.add.Tensor: _add,
    aten.add_.Tensor: _add,
    aten.mul.Tensor: _plain("mul"),
    aten.matmul.default: _plain("matmul"),
    aten.max_pool2d.default: _max_pool2d,
    aten.avg_pool2d.default: _avg_pool2d,
    aten.adaptive_max_pool2d.default: lambda x, size: ("max_pool2d", [x], {"size": _pair(size)}),
    aten.adaptive_avg_pool2d.default: lambda x, size: ("avg_pool2d", [x], {"size": _pair(size)}),
    aten.mean.dim: _mean,
    aten.flatten.using_ints: _flatten,
    aten.unflatten.int: _unflatten,
    aten.transpose.int: _transpose,
    aten.permute.default: _permute,
    aten.select.int: _select,
    aten.slice.Tensor: _slice,
    aten.pad.default: _pad,
    aten.expand.default: _expand,
    aten.cat.default: _concat,
}


class Translation:
    """Translate a program of torch.export with one input, the images, and one output, the logits.

    Attributes:
        operations: [[name, inputs, options, layer]] in order.

    Raises:
        ValueError: an operation that the engine does not have, or several inputs or outputs.
    """

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        signature = program.graph_signature
        self.operations: list[list] = []
        self.names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        self.values: dict[Node, int | str] = {}
        self.pieces: dict[Node, int] = {}  # results of unbind: the axis
        inputs = [node for node in program.graph.nodes if node.op == "placeholder"]
        images = [node for node in inputs if node.name not in self.names]
        _need(len(images) == 1 and len(signature.user_outputs) == 1, "one input and one output", images)
        for node in inputs:
            self.values[node] = self.names.get(node.name, 0)
        for node in program.graph.nodes:
            if node.op == "call_function":
                self._add(node)

    def _add(self, node: Node) -> None:
        target, args = node.target, node.args
        if target == aten.sym_size.int or self._counts(node):
            return
        if target == aten.dropout.default:
            _need(args[1] == 0, "no dropping", f"dropout of {args[1]}")
            self.values[node] = self.values[args[0]]
        elif target == aten.unbind.int:
            self.pieces[node] = _axis(args[0], args[1] if len(args) > 1 else 0)
        elif target == operator.getitem and args[0] in self.pieces:
            source = args[0].args[0]
            self._write(node, "select", [source], {"axis": self.pieces[args[0]], "index": args[1]})
        elif target == operator.getitem and args[1] == 0:  # the maxima of a pooling; 1 is where they stood
            self.values[node] = self.values[args[0]]
        elif target in TABLE:
            self._write(node, *TABLE[target](*args, **node.kwargs))
        elif target != operator.getitem or node.users:
            _refuse("listed in dlbook/browser/translate.py", target)

    def _counts(self, node: Node) -> bool:
        """Whether a node only counts the batches of a batch norm."""
        first = node.args[0] if node.args else None
        return isinstance(first, Node) and self.names.get(first.name, "").endswith("num_batches_tracked")

    def _write(self, node: Node, name: str, inputs: list, options: dict) -> None:
        if name == "concat":
            (inputs,) = inputs
        for each in inputs:
            _need(each is None or isinstance(each, Node), f"{name} of tensors", each)
        if name in ("add", "mul"):
            _need_repeated_rows(name, *inputs)
        stack = list(node.meta.get("nn_module_stack", {}).values())
        layer = stack[-1][0] if stack else ""
        read = [None if each is None else self.values[each] for each in inputs]
        self.operations.append([name, read, options, layer])
        self.values[node] = len(self.operations)
