"""Comparing a model with an independent implementation of it, in float64, on outputs, gradients and state."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

RELATIVE = 1e-10


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
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
    return model


def close(ours: Tensor, theirs: Tensor, relative: float = RELATIVE) -> bool:
    """Whether two tensors agree to `relative` of the largest magnitude."""
    ours, theirs = ours.detach(), theirs.detach()
    return ours.shape == theirs.shape and float((ours - theirs).abs().max()) <= relative * max(
        1e-30, float(theirs.abs().max())
    )


def first_output(result) -> Tensor:
    """The logits of a model that returns a tensor or a tuple of them."""
    return result if isinstance(result, Tensor) else result[0]


def run(model: nn.Module, images: Tensor, train: bool) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Logits, the gradient of a random-looking loss with respect to the images, and the state after one SGD
    step.
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
    return logits.detach(), images.grad, {name: tensor.clone() for name, tensor in model.state_dict().items()}


def disagreements(
    ours: nn.Module,
    theirs: nn.Module,
    size: tuple[int, int, int, int],
    rename: Callable[[str], str] = str,
    relative: float = RELATIVE,
) -> list[str]:
    """What differs between two models of equal weights: eval and train logits, input gradients, and the state
    afterwards.

    size: B, C, H, W of the random images. rename: from a name in their state to ours. An empty list means
        parity.
    """
    images = torch.randn(size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = []
    for train in (False, True):
        mode = "train" if train else "eval"
        logits, gradient, state = run(ours, images, train)
        their_logits, their_gradient, their_state = run(theirs, images, train)
        if not close(logits, their_logits, relative):
            found.append(f"{mode} logits")
        if not close(gradient, their_gradient, 1e3 * relative):
            found.append(f"{mode} gradient of the images")
        for name, tensor in their_state.items():
            own = state[rename(name)].reshape(tensor.shape)
            if not close(own.double(), tensor.double(), 1e3 * relative):
                found.append(f"{mode} state after a step: {name}")
                break
    return found
