"""What goes on inside a network while it trains: sizes of activations and gradients, dead units, and where a
NaN was born.

`examine` runs one training step on a copy and reports each layer. `findings` says what is wrong with it, and
what to do:

    not finite   an output, a weight or a gradient is NaN or infinite; named is the first such layer whose
                 inputs were still finite
    explosion    activations or gradients grow past what float16 holds, or gradients dwarf the weights
                 that they change
    vanishing    gradients of the first layers are less than a millionth of the largest
    dead units   channels behind a ReLU that are zero for every image and place of the batch

>>> net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
>>> with torch.no_grad():
...     _ = net[0].bias.fill_(-100)
>>> layers = examine(net, torch.ones(3, 2), lambda output: output.sum())
>>> print(findings(layers)[0])  # doctest: +NORMALIZE_WHITESPACE
1 (ReLU): dead units: 4 of 4 channels are zero on the whole batch; lower the rate, check the initialisation
(He's for ReLU), or take leaky ReLU
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Finding", "LayerHealth", "examine", "faults_of_batch", "findings"]

RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.Hardswish)
LARGEST_FLOAT16 = 65_504.0
DEAD_SHARE, VANISHING, DWARFING = 0.25, 1e-6, 1e3


@dataclass(frozen=True)
class LayerHealth:
    """One module that has weights or rectifies, in the order of execution.

    Attributes:
        name: its dotted name in the network.
        type: its class.
        activation: root mean square of its output; NaN or infinite where that is.
        weight: root mean square of its largest tensor of weights.
        gradient: root mean square of that tensor's gradient.
        finite_input: whether all that it took in the forward pass is finite.
        finite_output: whether all that it gave is.
        channels: of a rectifier; 0 elsewhere.
        dead: channels of a rectifier that are zero on the whole batch; 0 elsewhere.
    """

    name: str
    type: str
    activation: float
    weight: float
    gradient: float
    finite_input: bool
    finite_output: bool
    channels: int = 0
    dead: int = 0


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and what fixes it."""

    where: str
    kind: str
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.where}: {self.kind}: {self.what}; {self.advice}"


def examine(
    model: nn.Module, batch: Any, loss_function: Callable[[Any], Tensor] = lambda output: output
) -> list[LayerHealth]:
    """Run one forward and backward pass in training mode, on a copy: the model, its gradients and torch's
    random state stay as they are.

    Args:
        model: called as `model(*batch)` where the batch is a tuple, else as `model(batch)`.
        batch: what the model takes.
        loss_function: output of the model -> scalar.

    Returns:
        One entry for each layer that ran.
    """
    model = copy.deepcopy(model).train()
    model.zero_grad()
    seen: dict[nn.Module, dict[str, Any]] = {}
    names = {module: name or "(the network)" for name, module in model.named_modules()}
    watched = [
        m for m in names if isinstance(m, RECTIFIERS) or next(m.parameters(recurse=False), None) is not None
    ]
    hooks = [
        module.register_forward_hook(lambda m, inputs, output: seen.update({m: _look(m, inputs, output)}))
        for module in watched
    ]
    with torch.random.fork_rng(devices=_devices(model)):
        output = model(*batch) if isinstance(batch, tuple) else model(batch)
        loss_function(output).backward()
    for hook in hooks:
        hook.remove()
    return [
        LayerHealth(names[module], type(module).__name__, **looks, **_weights(module))
        for module, looks in seen.items()
    ]


def findings(layers: Sequence[LayerHealth]) -> list[Finding]:
    """Say what is wrong with the layers that `examine` saw, the root of the trouble first; empty where
    nothing is.
    """
    found = _not_finite(layers)
    if found:
        return found  # everything after a NaN is its consequence
    largest = max((layer.gradient for layer in layers if _is_trained(layer)), default=0.0)
    return [finding for layer in layers for finding in _of_sizes(layer, largest)]


def _is_trained(layer: LayerHealth) -> bool:
    return layer.weight > 0 and layer.gradient > 0


def _of_sizes(layer: LayerHealth, largest: float) -> Iterator[Finding]:
    """Say what the sizes of one layer's numbers show.

    Args:
        layer: what `examine` saw.
        largest: the largest gradient of any layer.

    Yields:
        What is wrong with the layer.
    """
    where = f"{layer.name} ({layer.type})"
    if layer.activation > LARGEST_FLOAT16:
        sign = f"activations of {layer.activation:.1e}"
        yield Finding(
            where, "explosion", sign, "normalise, or scale the weights at the start (He's for ReLU)"
        )
    if _is_trained(layer) and layer.gradient > DWARFING * layer.weight:
        sign = f"a gradient of {layer.gradient:.1e} on weights of {layer.weight:.1e}"
        yield Finding(where, "explosion", sign, "clip the gradients' norm, lower the rate, warm up")
    if _is_trained(layer) and layer.gradient < VANISHING * largest:
        sign = f"a gradient of {layer.gradient:.1e} where the largest is {largest:.1e}"
        cure = "add shortcuts or normalisation, or take ReLU instead of a sigmoid"
        yield Finding(where, "vanishing", sign, cure)
    if layer.channels and layer.dead >= DEAD_SHARE * layer.channels:
        sign = f"{layer.dead} of {layer.channels} channels are zero on the whole batch"
        cure = "lower the rate, check the initialisation (He's for ReLU), or take leaky ReLU"
        yield Finding(where, "dead units", sign, cure)


def faults_of_batch(batch: dict[str, Tensor], num_classes: int) -> list[str]:
    """A sentence for each image that is not finite and each label out of range, with the example's index
    where the batch has it.
    """
    indices = batch.get("indices", torch.arange(len(batch["images"]))).tolist()
    faults = [
        f"example {indices[i]}: the image holds NaN or infinite values"
        for i in (~batch["images"].flatten(1).isfinite().all(1)).nonzero().flatten().tolist()
    ]
    wrong = (batch["labels"] < 0) | (batch["labels"] >= num_classes)
    return faults + [
        f"example {indices[i]}: label {int(batch['labels'][i])} is outside 0 to {num_classes - 1}"
        for i in wrong.nonzero().flatten().tolist()
    ]


def _not_finite(layers: Sequence[LayerHealth]) -> list[Finding]:
    """The first layer where numbers stop being finite, on the way forward, else on the way back."""
    for layer in layers:
        if (fault := _not_finite_forward(layer)) is not None:
            return [Finding(f"{layer.name} ({layer.type})", "not finite", *fault)]
    for layer in reversed(layers):
        if not layer.gradient < float("inf"):
            sign = "its gradient is NaN or infinite, its output is not"
            cure = "look for a square root or a norm at zero, clip, lower the rate"
            return [Finding(f"{layer.name} ({layer.type})", "not finite", sign, cure)]
    return []


def _not_finite_forward(layer: LayerHealth) -> tuple[str, str] | None:
    """The sign and the cure, where a layer's input, weights or output are not finite."""
    if not layer.finite_input:
        return "its input is NaN or infinite already", "look at the batch, and at what comes before"
    if not layer.weight < float("inf"):
        return "its weights are NaN or infinite", "go back to the last checkpoint and lower the rate"
    if not layer.finite_output:
        cure = "lower the rate, take bfloat16 instead of float16, look for log(0) or 0/0"
        return "finite inputs give a NaN or infinite output", cure
    return None


def _look(module: nn.Module, inputs: tuple, output: Any) -> dict[str, Any]:
    output = output if isinstance(output, Tensor) else output[0]
    given = [value for value in inputs if isinstance(value, Tensor)]
    looks = {
        "activation": output.detach().float().square().mean().sqrt().item(),
        "finite_input": all(bool(value.isfinite().all()) for value in given),
        "finite_output": bool(output.isfinite().all()),
    }
    if isinstance(module, RECTIFIERS) and output.ndim > 1:
        zero = (output.detach() == 0).transpose(0, 1).flatten(1).all(dim=1)  # axis 1 holds the channels
        looks |= {"channels": len(zero), "dead": int(zero.sum())}
    return looks


def _weights(module: nn.Module) -> dict[str, float]:
    weight = max(module.parameters(recurse=False), key=Tensor.numel, default=None)
    if weight is None:
        return {"weight": 0.0, "gradient": 0.0}
    size = lambda values: values.detach().float().square().mean().sqrt().item()
    return {"weight": size(weight), "gradient": 0.0 if weight.grad is None else size(weight.grad)}


def _devices(model: nn.Module) -> list[torch.device]:
    return list({parameter.device for parameter in model.parameters() if parameter.device.type == "cuda"})
