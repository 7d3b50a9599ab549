"""A network of the package as a list of operations and a file of weights, for the engine in the page.

torch.export writes down which operations a forward pass calls. Those that the engine has are translated one
by one; any other is refused by its name. The weights become int8 with one scale a channel, float16 or
float32; vectors (biases, normalisation) stay float32. The rounded network then runs in torch, and a file
whose class probabilities differ from the network's by more than `most` is refused.

>>> from torch import nn
>>> model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU())
>>> [name for name, *_ in exported(model, torch.rand(5, 1, 2, 2), "float32").graph["operations"]]
['flatten', 'linear', 'relu']
"""

import base64
import copy
import json
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlbook.browser.translate import Translation
from dlbook.checks import require, require_images, require_one_of

LIMIT = 60 * 1024  # bytes of an int8 or float16 file
KINDS = ("int8", "float16", "float32")


@dataclass(frozen=True)
class Exported:
    """Hold a network as the engine reads it.

    Args:
        graph: {"input": [C, H, W], "operations": [[name, inputs, options, layer]], "parameters", "buffers":
            {name: shape}}.
        entries: [[name, shape, kind, scales or None]] in the order of the bytes.
        data: the numbers, little-endian.
        difference: the largest difference of a class probability from the network's.
        numbers: {name: tensor} as the page has them, rounded.
    """

    graph: dict
    entries: list
    data: bytes
    difference: float
    numbers: dict

    @property
    def size(self) -> int:
        """Return the bytes of the file: graph and entries as JSON, and the numbers."""
        return len(json.dumps([self.graph, self.entries], separators=(",", ":"))) + len(self.data)

    def as_json(self) -> dict:
        """Return graph, entries and the numbers in base 64, for the state of a figure."""
        return {
            "graph": self.graph,
            "entries": self.entries,
            "data": base64.b64encode(self.data).decode("ascii"),
        }


def graph_of(model: nn.Module, images: Tensor) -> dict:
    """Write down the operations of a network; see `Exported`.

    Args:
        model: images [B, C, H, W] -> logits [B, K].
        images: two or more, to run it on.

    Raises:
        ValueError: an operation, or a setting of one, that the engine does not have.
    """
    require_images(images, images.shape[1] if images.ndim == 4 else 1)
    require(len(images) > 1, "two images or more", len(images), "batch norm needs them in training")
    # in training mode, for there a network does all that it ever does
    batch = ({0: torch.export.Dim("B", min=2, max=65536)},)
    try:
        program = torch.export.export(copy.deepcopy(model).train(), (images[:2],), dynamic_shapes=batch)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"expected a network that treats every image alike, got one that torch.export cannot write down "
            f"({reason}); take out what depends on the batch or on values"
        ) from error
    translation = Translation(program)
    used = {name for _, inputs, *_ in translation.operations for name in inputs if isinstance(name, str)}
    shapes = lambda named: {name: list(each.shape) for name, each in named if name in used}
    return {
        "input": list(images.shape[1:]),
        "operations": translation.operations,
        "parameters": shapes(model.named_parameters()),
        "buffers": shapes(model.named_buffers()),
    }


def exported(model: nn.Module, images: Tensor, kind: str = "int8", most: float = 0.02) -> Exported:
    """Write a network down, with its weights, and hold the rounded one against it.

    Args:
        model: images [B, C, H, W] -> logits [B, K].
        images: two or more, on which both are compared.
        kind: of the matrices and kernels: "int8", "float16" or "float32" (for proofs; of any size).
        most: the largest difference of a class probability, in evaluation mode.

    Raises:
        ValueError: an operation that the engine does not have, a file over `LIMIT`, or a larger difference.
    """
    require_one_of("kind", kind, KINDS)
    graph = graph_of(model, images)
    named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    entries, pieces, rounded = [], [], {}
    for name in [*graph["parameters"], *graph["buffers"]]:
        entry, data, rounded[name] = packed(name, named[name].detach().cpu(), kind)
        entries.append(entry)
        pieces.append(data)
    difference = _difference(model, rounded, images)
    require(
        difference <= most,
        f"class probabilities within {most} of the network's",
        f"a difference of {difference:.3g} with {kind}",
        "take float16, or train the network with rounded weights",
    )
    result = Exported(graph, entries, b"".join(pieces), difference, rounded)
    require(
        kind == "float32" or result.size <= LIMIT,
        f"a file of at most {LIMIT // 1024} KiB",
        f"{result.size / 1024:.1f} KiB with {kind}",
        "take int8, or a smaller network",
    )
    return result


def packed(name: str, values: Tensor, kind: str) -> tuple[list, bytes, Tensor]:
    """Return the entry of one tensor, its bytes, and the numbers that the page will have."""
    values = values.float()
    if values.ndim < 2:
        kind = "float32"
    shape, scales = list(values.shape), None
    if kind == "int8":
        flat = values.flatten(1)
        steps = flat.abs().amax(1).clamp_min(1e-12) / 127  # one step for each channel that comes out
        scales = [float(f"{step:.9g}") for step in steps.tolist()]  # nine digits are all of a float32
        steps = torch.tensor(scales, dtype=torch.float64)[:, None]
        levels = (flat.double() / steps).round().clamp(-127, 127)
        return (
            [name, shape, kind, scales],
            _bytes(levels, torch.int8),
            (levels * steps).float().reshape(shape),
        )
    stored = values.to({"float16": torch.float16, "float32": torch.float32}[kind])
    return [name, shape, kind, None], _bytes(stored, stored.dtype), stored.float()


def unpacked(entries: list, data: bytes) -> dict[str, Tensor]:
    """Return the numbers that the page reads from a file: {name: tensor}; network.js does the same."""
    kinds, at, numbers = {"int8": torch.int8, "float16": torch.float16, "float32": torch.float32}, 0, {}
    for name, shape, kind, scales in entries:
        count = math.prod(shape)
        values = torch.frombuffer(bytearray(data), dtype=kinds[kind], count=count, offset=at)
        at += count * kinds[kind].itemsize
        if scales:
            values = (
                values.double().reshape(len(scales), -1) * torch.tensor(scales, dtype=torch.float64)[:, None]
            )
        numbers[name] = values.float().reshape(shape)
    return numbers


def _bytes(values: Tensor, dtype: torch.dtype) -> bytes:
    return values.to(dtype).contiguous().numpy().tobytes()


def _difference(model: nn.Module, rounded: dict[str, Tensor], images: Tensor) -> float:
    """Return the largest difference of a class probability between a network and its rounded copy."""
    copied = copy.deepcopy(model).eval()
    copied.load_state_dict(rounded, strict=False)
    was_training = model.training
    with torch.no_grad():
        both = [torch.softmax(each(images), 1) for each in (model.eval(), copied)]
    model.train(was_training)
    return (both[0] - both[1]).abs().max().item()
