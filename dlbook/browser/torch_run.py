"""The run of training.js in torch: from the same seed the same first weights, batches, optimizer and faults.

>>> from torch import nn
>>> starting_numbers({"0.weight": [1, 2]}, {"0.weight": [0.5, 0.0]}, seed=3)["0.weight"].shape
torch.Size([1, 2])
"""

import copy
import functools
import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.browser.random_numbers import Generator
from dlbook.checks import require, require_one_of

OPTIMISERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
OPTIONS = {"rate": "lr", "momentum": "momentum", "decay": "weight_decay", "betas": "betas", "eps": "eps"}
Start = Mapping[str, list[float]]


def he_start(model: nn.Module) -> dict[str, list[float]]:
    """Say what each parameter starts from: [deviation, 0] for matrices and kernels, of variance 2 / fan_in
    (He et al., arXiv:1502.01852, equation 10); [0, value] for vectors, which keep the value that they have;
    biases start at 0.

    Raises:
        ValueError: a vector whose numbers differ.
    """
    start = {}
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            start[name] = [math.sqrt(2 / parameter[0].numel()), 0.0]
            continue
        values = parameter.detach().unique().tolist()
        zero = name.endswith("bias")  # torch draws the bias of a linear layer
        require(zero or len(values) == 1, f"one value in {name}", f"{len(values)}", "set it to 1 or 0")
        start[name] = [0.0, 0.0 if zero else values[0]]
    return start


def starting_numbers(
    shapes: Mapping[str, list[int]],
    start: Start,
    seed: int,
    factor: float = 1.0,
    biases: float | None = None,
) -> dict[str, Tensor]:
    """Draw the first weights as training.js does: {name: numbers}.

    Args:
        shapes: {name: shape} in the order of the graph's "parameters".
        start: {name: [deviation, value]}, see `he_start`.
        seed: of the generator.
        factor: of the deviations.
        biases: what all biases start from; None: as `start` says.
    """
    draw, numbers = _normals(seed, sum(math.prod(shapes[name]) for name in shapes if start[name][0])), {}
    at = 0
    for name, shape in shapes.items():
        (deviation, value), size = start[name], math.prod(shape)
        if deviation:
            values = factor * deviation * draw[at : at + size]
            at += size
        else:
            moved = biases is not None and name.endswith("bias")
            values = torch.full((size,), float(biases if moved else value), dtype=torch.float64)
        numbers[name] = values.float().reshape(shape)
    return numbers


@functools.lru_cache(maxsize=4)
def _normals(seed: int, count: int) -> Tensor:
    """Draw normal numbers in Python, which takes a while: every fault starts from the same ones."""
    draw = Generator(seed)
    return torch.tensor([draw.normal() for _ in range(count)], dtype=torch.float64)


def batches(n: int, size: int, seed: int) -> Iterator[list[int]]:
    """Yield the places of the examples of one batch after the other, as training.js takes them."""
    draw, queue = Generator(seed + 1), []
    while True:
        if len(queue) < size:
            queue = draw.order(n)
        yield queue[:size]
        queue = queue[size:]


def shuffled(labels: Tensor, seed: int) -> Tensor:
    """Return the labels in another order, each with the picture of another digit."""
    return labels[Generator(seed + 2).order(len(labels))]


def optimizer_of(parameters: Iterator[nn.Parameter], options: Mapping) -> torch.optim.Optimizer:
    """Build torch's optimizer from the options of optimisers.js.

    Raises:
        ValueError: for another "kind" than sgd, adam or adamw.
    """
    require_one_of("kind", options["kind"], tuple(OPTIMISERS))
    given = {OPTIONS[name]: value for name, value in options.items() if name != "kind"}
    if options["kind"] != "sgd":
        given = {"weight_decay": 0.0, **given}
    return OPTIMISERS[options["kind"]](parameters, **given)


def _fresh(model: nn.Module) -> nn.Module:
    """Return a copy without gradients, whose running statistics are those of the first step."""
    model = copy.deepcopy(model)
    model.zero_grad()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase):
            module.reset_running_stats()
    return model


def losses(
    model: nn.Module,
    setup: Mapping,
    images: Tensor,
    labels: Tensor,
    steps: int,
    change: Mapping | None = None,
) -> list[float]:
    """Train in torch and return the loss of every step.

    Args:
        model: the network; of `change["graph"]`, where there is one. A copy of it is trained.
        setup: "graph", "start", "seed", "batch", "optimiser" and perhaps "schedule", as training.js has it.
        images: [N, C, H, W] as the page has them, rounded to its levels.
        labels: [N].
        steps: number of batches.
        change: what is broken: "rate" and "initial" are factors, "biases" a number that biases start from,
            "schedule" other factors of the rate; "labels": "shuffled", "norm": "evaluation", "gradients":
            "kept".
    """
    change = dict(change or {})
    graph, seed, options = change.get("graph", setup["graph"]), setup["seed"], dict(setup["optimiser"])
    factors = change.get("schedule", setup.get("schedule")) or [1.0] * steps
    moved = change.get("initial", 1.0), change.get("biases")
    first = starting_numbers(graph["parameters"], setup["start"], seed, *moved)
    model = _fresh(model)
    model.load_state_dict(first, strict=False)
    options["rate"] *= change.get("rate", 1.0)
    optimizer, found = optimizer_of(model.parameters(), options), []
    labels = shuffled(labels, seed) if change.get("labels") else labels
    model.train(change.get("norm") != "evaluation")
    for factor, places in zip(factors[:steps], batches(len(labels), setup["batch"], seed), strict=False):
        optimizer.param_groups[0]["lr"] = options["rate"] * factor
        loss = F.cross_entropy(model(images[places]), labels[places])
        if change.get("gradients") != "kept":
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found
