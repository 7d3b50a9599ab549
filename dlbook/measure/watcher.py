"""One watcher of a forward pass, in three sizes, each a kind of the one before.

    Macs           adds up the multiply-accumulates, and nothing else
    LayerCounter   gives them to the module that they belong to, and follows the receptive field
    Tracer         sees which module took its input from which as well (`trace.py`)

`watch` builds a network on torch's `meta` device, where tensors have a shape and no values, and runs it once
under a watcher.

>>> watch(Macs, lambda: nn.Conv2d(3, 8, 3), (3, 8, 8)).total                 # 8 6 6 outputs of 3 3 3 products
7776
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dlbook.measure.receptive_field import POOLS, Field, Fields

aten = torch.ops.aten
PRODUCTS = {aten.mm, aten.addmm, aten.bmm, aten.baddbmm}
Watcher = TypeVar("Watcher", bound="Macs")


def watch(watcher: type[Watcher], build: Callable[[], nn.Module], input_size: Sequence[int]) -> Watcher:
    """Run a network once on meta, in evaluation mode, and return its watcher.

    Args:
        watcher: the class of the watcher; it is made as ``watcher(model, image)``.
        build: a function without arguments that returns the network.
        input_size: shape of one input, without the batch axis.

    Returns:
        The watcher, after the forward pass.

    Raises:
        ValueError: if `build` is a module rather than a function that makes one, or the input does not fit.
    """
    if isinstance(build, nn.Module) or not callable(build):
        raise ValueError(
            f"expected a function that builds the network, got {type(build).__name__}; give lambda: model"
        )
    model = _on_meta(build).eval()
    image = torch.empty(1, *input_size, device="meta")
    watching = watcher(model, image)
    try:
        with torch.no_grad(), watching:
            model(image)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"expected an input that the network takes, got {tuple(input_size)}: {error}; give input_size "
            "without the batch axis"
        ) from error
    finally:
        watching.remove_hooks()
    return watching


def _on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """Build on meta; where the constructor reads a tensor's values, build on the CPU and throw the values
    away.
    """
    try:
        with torch.device("meta"):
            model = build()
    except (NotImplementedError, RuntimeError):
        model = build()
    if not isinstance(model, nn.Module):
        raise ValueError(
            f"expected build() to return a torch.nn.Module, got {type(model).__name__}; return the network"
        )
    return (
        model.to("meta")
        if any(t.device.type != "meta" for t in [*model.parameters(), *model.buffers()])
        else model
    )


class Macs(TorchDispatchMode):
    """Adds up the multiply-accumulates of a forward pass in `total`."""

    def __init__(self, model: nn.Module, image: Tensor) -> None:
        super().__init__()
        self.model = model
        self.total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **kwargs, out_val=out) // 2
        return out

    def remove_hooks(self) -> None:
        """Take back what the watcher hung on the network's modules; here nothing."""


class LayerCounter(Macs):
    """Gives every operation to the module that it belongs to, which hooks tell.

    macs: by module. shapes: of each module's output, without the batch, of its last call. found: the
    receptive field of each convolution and pooling. activations: elements of the outputs of convolutions and
    linear layers.
    """

    def __init__(self, model: nn.Module, image: Tensor) -> None:
        super().__init__(model, image)
        self.activations = 0
        self.fields = Fields()
        self.fields.start(image)
        self.largest: Field | None = None  # of all layers so far: branches that run side by side are joined
        self._inside: list[nn.Module] = []
        self.macs: dict[nn.Module, int] = {}
        self.shapes: dict[nn.Module, tuple[int, ...]] = {}
        self.found: dict[nn.Module, Field | None] = {}
        self._weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
        hooks = [
            (m.register_forward_pre_hook(self._enter), m.register_forward_hook(self._leave))
            for m in model.modules()
        ]
        self._hooks = [hook for pair in hooks for hook in pair]

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        before = self.total
        out = super().__torch_dispatch__(func, types, args, kwargs)
        operation = func._overloadpacket
        self.fields.follow(operation, args, out)
        if operation in flop_registry:
            self._count(operation, args, out, self.total - before)
        if operation is aten.convolution or operation in POOLS:
            found = self.fields.of(out if isinstance(out, Tensor) else out[0])
            self.largest = found.join(self.largest) if found else self.largest
            self.found[self._inside[-1]] = found
        return out

    def _count(self, operation, args, out, macs: int) -> None:
        module = self._inside[-1]
        self.macs[module] = self.macs.get(module, 0) + macs
        if operation is aten.convolution or (operation in PRODUCTS and self._is_layer(args)):
            self.activations += out.numel()

    def _is_layer(self, args) -> bool:
        """Whether one factor of a matrix product is a weight of the network (and not both are
        activations).
        """
        return any(isinstance(a, Tensor) and a.untyped_storage()._cdata in self._weights for a in args)

    def _enter(self, module, inputs) -> None:
        self._inside.append(module)

    def _leave(self, module, inputs, output) -> None:
        self._inside.pop()
        if isinstance(output, Tensor):
            self.shapes[module] = tuple(output.shape[1:])
            if isinstance(module, (nn.Linear, nn.LayerNorm)) and self.fields.of(output) is None:
                self.fields.keep(inputs[0], output)

    def remove_hooks(self) -> None:
        for hook in self._hooks:
            hook.remove()
