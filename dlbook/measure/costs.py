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
>>> build = lambda: nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3))
>>> counts = count(build, (3, 8, 8))
>>> counts.parameters, counts.macs, counts.receptive_field
(508, 14976, 8)
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from dlbook.measure.watcher import LayerCounter, watch


@dataclass(frozen=True)
class LayerCosts:
    """One module that computes.

    Attributes:
        name: its dotted name in the network.
        type: its class.
        shape: of its output, without the batch axis.
        parameters: numbers in its own tensors.
        macs: multiply-accumulates for one image.
        rf: its receptive field in input pixels, one number or one an axis; None where it has none.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int
    macs: int
    rf: int | tuple[int, ...] | None


@dataclass(frozen=True)
class Counts:
    """What `count` found, for one image; all integers are exact.

    Attributes:
        parameters: of the network.
        trainable: those that need a gradient.
        macs: multiply-accumulates.
        activations: elements of the outputs of convolutions and linear layers.
        receptive_field: in input pixels, one number or one an axis; None where there is none.
        layers: the modules that compute.
        outputs: for every module by its dotted name, its type and the shape of its output without the batch
            axis (None for a container that is never called).
    """

    parameters: int
    trainable: int
    macs: int
    activations: int
    receptive_field: int | tuple[int, ...] | None
    layers: tuple[LayerCosts, ...] = field(repr=False)
    outputs: dict[str, tuple[str, tuple[int, ...] | None]] = field(repr=False)


def count(build: Callable[[], nn.Module], input_size: Sequence[int] = (3, 224, 224)) -> Counts:
    """Count the network that `build()` returns, in evaluation mode, for one input.

    Args:
        build: a function without arguments that makes the network; it runs on the meta device.
        input_size: shape of one input, without the batch axis.

    Returns:
        The counts of the whole network and of each layer.

    Raises:
        ValueError: `build` is a module rather than a function that makes one, or the input does not fit the
            network.
    """
    counter = watch(LayerCounter, build, input_size)
    parameters = list(counter.model.parameters())
    return Counts(
        sum(p.numel() for p in parameters),
        sum(p.numel() for p in parameters if p.requires_grad),
        counter.total,
        counter.activations,
        counter.largest.extent() if counter.largest else None,
        tuple(_layers(counter)),
        {
            name: (type(module).__name__, counter.shapes.get(module))
            for name, module in counter.model.named_modules()
        },
    )


def _layers(counter: LayerCounter) -> Iterator[LayerCosts]:
    """Modules that have parameters of their own, compute, or pool; in the order in which the model holds
    them.
    """
    seen: set[Tensor] = set()
    for name, module in counter.model.named_modules():
        own = [p for p in module.parameters(recurse=False) if p not in seen]
        seen.update(own)
        if not own and module not in counter.macs and module not in counter.found:
            continue
        found = counter.found.get(module)
        yield LayerCosts(
            name or "(the network)",
            type(module).__name__,
            counter.shapes.get(module, ()),
            sum(p.numel() for p in own),
            counter.macs.get(module, 0),
            found.extent() if found else None,
        )
