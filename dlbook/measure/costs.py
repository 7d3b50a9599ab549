"""What a network costs, counted exactly and without running it: parameters, MACs, activations, receptive
field.

The network is built and run on torch's `meta` device, where tensors have a shape and no values, so that the
largest model is counted in a moment. The figures are for one image:

- `macs`: multiply-accumulates of convolutions, linear layers and the matrix products of attention; a bias, an
  activation, a normalisation and a softmax cost none. The FLOPs of most papers are these MACs; operations
  proper are twice as many.
- `activations`: elements of the outputs of all convolutions and linear layers. Radosavovic et al. 2020
  (arXiv:2003.13678, section 3.2) count the convolutions; their code, and this, the linear layers too.
- `receptive_field`: input pixels along a side that the deepest layer with a finite field can see
  (`receptive_field.py`). Of branches side by side the one that sees most counts, whichever runs last.

>>> from torch import nn
>>> counts = count(lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3)), (3, 8, 8))
>>> counts.parameters, counts.macs, counts.receptive_field
(508, 14976, 8)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dlbook.measure.receptive_field import POOLS, Field, Fields

aten = torch.ops.aten
Observer = TypeVar("Observer", bound="_Counter")
PRODUCTS = {aten.mm, aten.addmm, aten.bmm, aten.baddbmm}


@dataclass(frozen=True)
class Layer:
    """One module that computes. shape: of its output without the batch; rf: its receptive field, None where
    it has none.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int
    macs: int
    rf: int | tuple[int, ...] | None

    @property
    def params(self) -> int:
        """Short for `parameters`."""
        return self.parameters


@dataclass(frozen=True)
class Counts:
    """What `count` found, for one image; all integers are exact."""

    parameters: int
    trainable: int
    macs: int
    activations: int
    receptive_field: int | tuple[int, ...] | None
    layers: tuple[Layer, ...] = field(repr=False)


def count(build: Callable[[], nn.Module], input_size: Sequence[int] = (3, 224, 224)) -> Counts:
    """Count the network that `build()` returns, in evaluation mode, for one input of `input_size` (without
    the batch axis).

    Raises: ValueError if `build` is a module rather than a function that makes one, or the input does not fit
        the network.
    """
    return watch(_Counter, build, input_size).counts()


def watch(observer: type[Observer], build: Callable[[], nn.Module], input_size: Sequence[int]) -> Observer:
    """Run the network once on meta under ``observer(model, image)``, a kind of `_Counter`, and return the
    observer. Raises as `count`.
    """
    if isinstance(build, nn.Module) or not callable(build):
        raise ValueError(
            f"expected a function that builds the network, got {type(build).__name__}; count(lambda: model)."
        )
    model = _on_meta(build).eval()
    image = torch.empty(1, *input_size, device="meta")
    watching = observer(model, image)
    try:
        with torch.no_grad(), watching:
            model(image)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"the network does not take an input of {tuple(input_size)}: {error}; give "
            "input_size without the batch axis."
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
            f"expected build() to return a torch.nn.Module, got {type(model).__name__}; return the network."
        )
    return (
        model.to("meta")
        if any(t.device.type != "meta" for t in [*model.parameters(), *model.buffers()])
        else model
    )


class _Counter(TorchDispatchMode):
    """Sees every operation of the forward pass, and by hooks the module that it belongs to."""

    def __init__(self, model: nn.Module, image: Tensor) -> None:
        super().__init__()
        self.model = model
        self.activations = 0
        self.fields = Fields()
        self.fields.start(image)
        self.largest: Field | None = None  # of all layers so far: branches that run side by side are joined
        self._inside: list[nn.Module] = []
        self._macs: dict[nn.Module, int] = {}
        self._shapes: dict[nn.Module, tuple[int, ...]] = {}
        self._found: dict[nn.Module, Field | None] = {}
        self._weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
        hooks = [
            (m.register_forward_pre_hook(self._enter), m.register_forward_hook(self._leave))
            for m in model.modules()
        ]
        self._hooks = [hook for pair in hooks for hook in pair]

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        operation = func._overloadpacket
        self.fields.follow(operation, args, out)
        if operation in flop_registry:
            self._count(operation, args, kwargs, out)
        if operation is aten.convolution or operation in POOLS:
            found = self.fields.of(out if isinstance(out, Tensor) else out[0])
            self.largest = found.join(self.largest) if found else self.largest
            self._found[self._inside[-1]] = found
        return out

    def _count(self, operation, args, kwargs, out) -> None:
        macs = flop_registry[operation](*args, **kwargs, out_val=out) // 2
        module = self._inside[-1]
        self._macs[module] = self._macs.get(module, 0) + macs
        if operation is aten.convolution or (operation in PRODUCTS and self._is_layer(args)):
            self.activations += out.numel()

    def _is_layer(self, args) -> bool:
        """Whether one factor of a matrix product is a weight of the network (and not both are activations)."""
        return any(isinstance(a, Tensor) and a.untyped_storage()._cdata in self._weights for a in args)

    def _enter(self, module, inputs) -> None:
        self._inside.append(module)

    def _leave(self, module, inputs, output) -> None:
        self._inside.pop()
        if isinstance(output, Tensor):
            self._shapes[module] = tuple(output.shape[1:])
            if isinstance(module, (nn.Linear, nn.LayerNorm)) and self.fields.of(output) is None:
                self.fields.keep(inputs[0], output)

    def remove_hooks(self) -> None:
        for hook in self._hooks:
            hook.remove()

    def counts(self) -> Counts:
        parameters = list(self.model.parameters())
        rf = self.largest.extent() if self.largest else None
        trainable = sum(p.numel() for p in parameters if p.requires_grad)
        total = sum(p.numel() for p in parameters)
        return Counts(total, trainable, sum(self._macs.values()), self.activations, rf, tuple(self._layers()))

    def _layers(self):
        """Modules that have parameters of their own, compute, or pool; in the order in which the model holds
        them.
        """
        seen: set[Tensor] = set()
        for name, module in self.model.named_modules():
            own = [p for p in module.parameters(recurse=False) if p not in seen]
            seen.update(own)
            if not own and module not in self._macs and module not in self._found:
                continue
            found = self._found.get(module)
            yield Layer(
                name or "(the network)",
                type(module).__name__,
                self._shapes.get(module, ()),
                sum(p.numel() for p in own),
                self._macs.get(module, 0),
                found.extent() if found else None,
            )
