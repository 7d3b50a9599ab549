"""Compares a network with an independent implementation of it, in float64: outputs, gradients, state.

Counts and shapes catch few faults; copied weights on an uneven input catch nearly all. The tests of the
models (tests/parity.py) and the chapters use the same comparison.

>>> import torch
>>> differences = parity(torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(3, 4, 3), (2, 3, 9, 7))
>>> list(differences)[:2], max(differences.values()) < 1e-12
(['evaluation: logits', 'evaluation: gradient of the images'], True)
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

Load = Callable[[nn.Module, Mapping[str, Tensor]], Any]
Outcome = tuple[Tensor, Tensor, dict[str, Tensor]]  # of `run`


def parity(
    ours: nn.Module,
    theirs: nn.Module,
    size: tuple[int, ...],
    *,
    load: Load = nn.Module.load_state_dict,
    rename: Callable[[str], str] = str,
) -> dict[str, float]:
    """Give both networks the same random weights and statistics; return how far apart they are.

    Args:
        ours, theirs: images -> logits, or a tuple that begins with them. Neither is changed.
        size: of the images: B, C, H, W, with B >= 2 and H other than W, so that no swap of axes can hide.
        load: (ours, their state) -> puts their weights into ours.
        rename: from a tensor's name in their state to its name in ours.

    Returns:
        For "evaluation" and "training" the largest difference, relative to the largest magnitude, of the
        logits, of the gradient of the images, and of the state (weights and running statistics) after a step
        of SGD. About 1e-15 where the two are one; infinite where shapes differ.

    Raises:
        ValueError: a batch of one, or square images.
    """
    if size[0] < 2 or (len(size) == 4 and size[2] == size[3]):
        raise ValueError(
            f"expected two images or more, of unequal height and width, got {size}; "
            "a square hides swapped axes."
        )
    theirs = randomise(copy.deepcopy(theirs).cpu())
    ours = without_dropout(copy.deepcopy(ours).cpu().double())
    load(ours, theirs.state_dict())
    images = random_images(size)
    found = {}
    for mode in ("evaluation", "training"):
        mine, other = (run(model, images, mode == "training") for model in (ours, theirs))
        found |= {f"{mode}: {what}": value for what, value in _apart(mine, other, rename).items()}
    return found


def _apart(mine: Outcome, other: Outcome, rename: Callable[[str], str]) -> dict[str, float]:
    """How far two outcomes of `run` are apart, part by part."""
    state = (
        difference(
            mine[2][rename(name)].reshape(tensor.shape), tensor
        )  # a linear layer as a 1 x 1 convolution
        for name, tensor in other[2].items()
    )
    return {
        "logits": difference(mine[0], other[0]),
        "gradient of the images": difference(mine[1], other[1]),
        "state after a step": max(state, default=0.0),
    }


def random_images(size: tuple[int, ...]) -> Tensor:
    """Draw images of `size`, standard normal, float64, the same at each call."""
    return torch.randn(size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter and every running statistic a value away from its start, in place; dropout off;
    float64.
    """
    generator = torch.Generator().manual_seed(seed)
    model.double()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            noise = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
            if name.endswith("running_var"):
                tensor.copy_(0.5 + noise.abs())
            elif tensor.ndim <= 1:
                tensor.add_(0.1 * noise)
            else:
                tensor.copy_(noise * (2.0 / max(1, tensor[0].numel())) ** 0.5)
    return without_dropout(model)


def without_dropout(model: nn.Module) -> nn.Module:
    """Set every dropout of `model` to 0, in place: two networks never draw the same masks."""
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
    return model


def difference(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest difference, relative to the largest magnitude of theirs; infinite for other shapes,
    NaN.
    """
    if ours.shape != theirs.shape:
        return float("inf")
    ours, theirs = ours.detach().double(), theirs.detach().double()
    away = (ours - theirs).abs().max().item() / max(1e-30, theirs.abs().max().item())
    return away if away == away else float("inf")


def first_output(result: Any) -> Tensor:
    """Return the logits of a model that returns a tensor or a tuple of them."""
    return result if isinstance(result, Tensor) else result[0]


def run(model: nn.Module, images: Tensor, train: bool) -> Outcome:
    """Return logits, the gradient of an uneven sum of them with respect to the images, and the state after
    one step of SGD. The state is the model's own, not a copy: it holds until the model moves again.
    """
    model.train(train).zero_grad()
    images = images.clone().requires_grad_()
    logits = first_output(model(images))
    weights = torch.cos(torch.arange(logits.numel(), dtype=logits.dtype)).reshape(logits.shape)
    (logits * weights).sum().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.sub_(1e-3 * parameter.grad)
    model.zero_grad()  # frees as much memory as the weights take
    return logits.detach(), images.grad, dict(model.state_dict())
