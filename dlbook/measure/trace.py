"""One forward pass, watched: which module called which, what each of them computes, and where its inputs came
from.

The pass runs on `meta` in evaluation mode, like `count` of costs.py, whose counter this one extends. Every
call of a module becomes a `Node`. So does every operation that a module computes itself, between the calls of
its children; operations that only look at a tensor in another shape (a view, a slice) are none, and a run of
elementwise operations is one Node ("mul · tanh").

A Node knows the rows of its parent whose outputs it takes, -1 for the parent's own input. That is the
dataflow as it was seen, not as it was guessed from names, so a shortcut is an addition of which one input is
an ancestor of the other, or of which one branch is shorter than the other.

>>> root = trace(lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (3, 8, 8))
>>> [(node.name, node.type, node.shape, node.inputs) for node in root.children]
[('0', 'Conv2d', (8, 6, 6), [-1]), ('1', 'ReLU', (8, 6, 6), [0])]
"""

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from dlbook.measure.node import IDLE, INPUT, UNUSED, Node
from dlbook.measure.operations import JOINS, NAMES, VIEWS
from dlbook.measure.watcher import LayerCounter, watch


class _Frame:
    """A module while it runs: its Node, and for each tensor the row that made it."""

    def __init__(self, node: Node, inputs: Sequence[Tensor]) -> None:
        self.node, self.inputs = node, list(inputs)
        self.producers: WeakIdKeyDictionary = WeakIdKeyDictionary()
        for tensor in inputs:
            self.producers[tensor] = INPUT

    def rows_of(self, tensors: Sequence[Tensor]) -> list[int]:
        """The rows that made the tensors, each once, in order; tensors that no row made are left out."""
        return list(dict.fromkeys(row for t in tensors if (row := self.producers.get(t)) is not None))

    def ancestors(self, row: int) -> set[int]:
        """The row and all that it depends on, within this module."""
        found, todo = set(), [row]
        while todo:
            row = todo.pop()
            if row not in found:
                found.add(row)
                todo += self.node.children[row].inputs if row != INPUT else []
        return found


class Tracer(LayerCounter):
    """Sees every operation of the forward pass, and builds the Nodes."""

    def __init__(self, model: nn.Module, image: Tensor) -> None:
        super().__init__(model, image)
        self.names = {module: name for name, module in model.named_modules()}
        self.unclaimed = {p.untyped_storage()._cdata: p.numel() for p in model.parameters()}
        self.root: Node | None = None
        self.called: dict[nn.Module, Node] = {}
        self._frames: list[_Frame] = []
        self._spent = (0, 0)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        before = self._spent
        out = super().__torch_dispatch__(func, types, args, kwargs)
        inputs, outputs = list(tensors(args)) + list(tensors(kwargs)), list(tensors(out))
        name = str(func._overloadpacket).removeprefix("aten.")
        frame = self._frames[-1]
        rows = frame.rows_of(self._known(frame, inputs))
        if name in VIEWS:
            self._made(frame, outputs, rows[0] if rows else None, inputs)
        elif rows:
            row = self._operation(frame, name.rstrip("_") if not name.endswith("__") else name, rows)
            self._account(frame.node.children[row], inputs, outputs, before)
            self._made(frame, outputs, row, ())
        return out

    def _known(self, frame: _Frame, inputs: list[Tensor]) -> list[Tensor]:
        """The tensors, after those that an outer module made have been marked as inputs of this one."""
        for tensor in inputs:
            if tensor not in frame.producers and any(
                tensor in outer.producers for outer in self._frames[:-1]
            ):
                frame.producers[tensor] = INPUT
                frame.inputs.append(tensor)
        return inputs

    def _made(
        self, frame: _Frame, outputs: Sequence[Tensor], row: int | None, inputs: Sequence[Tensor]
    ) -> None:
        """Note which row made the outputs; a view of a constant has none, and a tensor handed through keeps
        its own.
        """
        for tensor in outputs:
            if row is not None and not any(tensor is other for other in inputs):
                frame.producers[tensor] = row

    def _operation(self, frame: _Frame, name: str, rows: list[int]) -> int:
        """The row of an operation: a new one, or the run of operations that it continues."""
        name = NAMES.get(name, name)
        if name == "linear" and len(rows) > 1:
            name = "matmul"
        join, through = self._join(frame, name, rows)
        children = frame.node.children
        last = children[-1] if children else None
        alone = join or name in ("matmul", "linear", "convolution")
        if (
            not alone
            and last
            and last.module is None
            and not last.join
            and rows == [len(children) - 1]
            and "matmul" not in last.operations
        ):
            last.operations.append(name)
        else:
            children.append(Node("", name, inputs=rows, join=join, through=through, operations=[name]))
        return len(children) - 1

    def _join(self, frame: _Frame, name: str, rows: list[int]) -> tuple[str, tuple[int, ...]]:
        """How an operation joins the rows that it takes, and which rows the shortcut or the gate passes
        through.
        """
        if len(rows) < 2 or name not in JOINS:
            return "", ()
        if name in ("concat", "stack"):
            return "concat", ()
        first, second = (frame.ancestors(row) for row in rows[:2])
        branches = sorted((first - second, second - first), key=len)
        if len(branches[0]) == len(branches[1]):
            return ("×" if name == "mul" else "+"), ()
        short, long = (tuple(sorted(branch)) for branch in branches)
        return ("× gate", long) if name == "mul" else ("+ shortcut", short)

    def _count(self, operation, args, out, macs) -> None:
        activations = self.activations
        super()._count(operation, args, out, macs)
        self._spent = (self._spent[0] + macs, self._spent[1] + self.activations - activations)

    def _account(
        self, node: Node, inputs: list[Tensor], outputs: list[Tensor], before: tuple[int, int]
    ) -> None:
        """Give an operation's row its shape, its costs, and the weights that nobody has used before."""
        node.macs += self._spent[0] - before[0]
        node.activations += self._spent[1] - before[1]
        node.parameters += sum(self.unclaimed.pop(t.untyped_storage()._cdata, 0) for t in inputs)
        if not node.input_shape and inputs:
            node.input_shape = without_batch(inputs[0])
        if outputs:
            node.shape, found = without_batch(outputs[0]), self.fields.of(outputs[0])
            node.rf = found.extent() if found else None

    def _enter(self, module, inputs) -> None:
        super()._enter(module, inputs)
        given = list(tensors(inputs))
        qualified = self.names.get(module, "")
        node = Node("", type(module).__name__, module, qualified, without_batch(given[0]) if given else ())
        if self._frames:
            outer = self._frames[-1].node.qualified
            node.name = qualified.removeprefix(f"{outer}.") if outer else qualified
        self._frames.append(_Frame(node, given))

    def _leave(self, module, inputs, output) -> None:
        super()._leave(module, inputs, output)
        frame, made = self._frames.pop(), list(tensors(output))
        node = frame.node
        for total in ("parameters", "macs", "activations"):
            setattr(node, total, sum(getattr(child, total) for child in node.children))
        if made:
            node.shape, found = without_batch(made[0]), self.fields.of(made[0])
            node.rf = found.extent() if found else None
        if module in self.called and any(True for _ in module.parameters()):
            node.note = "uses the weights of an earlier call"
        self.called.setdefault(module, node)
        if not self._frames:
            self.root = node
            return
        outer = self._frames[-1]
        if isinstance(module, nn.Identity):
            return
        node.inputs = outer.rows_of(self._known(outer, frame.inputs))
        if not node.children and any(t is given for t in made for given in frame.inputs):
            node.note = IDLE
        outer.node.children.append(node)
        self._made(outer, made, len(outer.node.children) - 1, () if node.children else frame.inputs)

    def unused(self) -> None:
        """Add, to the nearest module that ran, a row for each module and for the own weights that did not."""
        for name, module in self.root.module.named_modules() if self.unclaimed else ():
            nearest = self.root.module.get_submodule(name.rpartition(".")[0]) if name else module
            ran = module in self.called
            weights = module.parameters(recurse=not ran)
            total = sum(self.unclaimed.pop(p.untyped_storage()._cdata, 0) for p in weights)
            if not total:
                continue
            while nearest not in self.called:
                nearest = self.root.module.get_submodule(self.names[nearest].rpartition(".")[0])
            label = "weights" if ran else type(module).__name__
            self._add_unused(self.called[module if ran else nearest], name, label, total)

    def _add_unused(self, parent: Node, name: str, label: str, total: int) -> None:
        within = name.removeprefix(f"{parent.qualified}.") if parent.qualified else name
        parent.children.append(
            Node("" if label == "weights" else within, label, parameters=total, note=UNUSED)
        )
        nodes = [self.root]
        while nodes:  # the totals of all that hold the parent
            node = nodes.pop()
            if node is parent or any(parent is other for other in node.walk()):
                node.parameters += total
                nodes += (
                    []
                    if node is parent
                    else [c for c in node.children if c is parent or any(parent is o for o in c.walk())]
                )


def without_batch(tensor: Tensor) -> tuple[int, ...]:
    """The shape for one image; where the leading axis is more than the batch (heads, patches), it stays."""
    return tuple(tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape)


def tensors(things: object) -> Iterator[Tensor]:
    """The tensors among things: a tensor, or a tuple, list or dict that holds some at any depth."""
    if isinstance(things, Tensor):
        yield things
    elif isinstance(things, (tuple, list)):
        for thing in things:
            yield from tensors(thing)
    elif isinstance(things, dict):
        yield from tensors(list(things.values()))


def trace(build: Callable[[], nn.Module], input_size: Sequence[int] = (3, 224, 224)) -> Node:
    """Run the network that `build()` returns on the meta device, for one input, and write down what calls
    what.

    Args:
        build: a function without arguments that makes the network.
        input_size: shape of one input, without the batch axis.

    Returns:
        The node of the whole network.

    Raises:
        ValueError: `build` is a module rather than a function that makes one, or the input does not fit the
            network.
    """
    tracer = watch(Tracer, build, input_size)
    tracer.unused()
    tracer.root.rf = tracer.largest.extent() if tracer.largest else None  # as in `count`
    return tracer.root
