"""What almost every chapter runs: a short training, and the same run over several seeds.

>>> import torch
>>> net, images, labels = torch.nn.Linear(2, 3), torch.randn(8, 2), torch.randint(3, (8,))
>>> sgd = torch.optim.SGD(net.parameters(), lr=0.1)
>>> fit(net, images, labels, steps=5, optimizer=sgd, batch=4, seed=0).shape
torch.Size([5])
>>> over_seeds(lambda seed: torch.rand(7), cpu=3, gpu=10).shape
torch.Size([3, 7])
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlbook.book.budget import scale


def fit(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    steps: int,
    optimizer: torch.optim.Optimizer,
    batch: int,
    seed: int,
    schedule: Callable[[int], float] | None = None,
) -> Tensor:
    """Train `model` in place on random batches; return the loss of every step, [steps], on the CPU.

    Args:
        model: images -> logits [B, K]; trained in training mode, and left in it.
        images: [N, ...], all of them, on the model's device.
        labels: [N], classes from 0 to K - 1, on the same device.
        steps: number of updates, >= 1.
        optimizer: of the model's parameters.
        batch: images a step, drawn with replacement.
        seed: of the draws, so that two models can see the same batches.
        schedule: step, from 0, -> factor of each group's first learning rate; None: constant.
    """
    draw = torch.Generator().manual_seed(seed)
    peaks = [group["lr"] for group in optimizer.param_groups]
    losses = torch.empty(steps, device=images.device)
    model.train()
    for step in range(steps):
        if schedule is not None:
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * schedule(step)
        chosen = torch.randint(len(images), (batch,), generator=draw).to(images.device)
        loss = F.cross_entropy(model(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses[step] = loss.detach()
    return losses.cpu()


def over_seeds(run: Callable[[int], Any], *, cpu: int = 3, gpu: int = 10, first: int = 0) -> Tensor:
    """Call `run(seed)` for several seeds and stack what it returns: [seeds, ...], on the CPU.

    Before each call torch's own generator gets the seed, so that `run` may simply build its model.

    Args:
        run: seed -> a number, numbers, or a tensor, of one shape for all seeds.
        cpu, gpu: how many seeds at each scale.
        first: the first seed; the others follow it.

    Raises:
        ValueError: fewer than one seed, or results of different shapes.
    """
    number = scale(cpu=cpu, gpu=gpu)
    if number < 1:
        raise ValueError(f"expected one seed at least, got {number}; three show a spread.")
    results = []
    for seed in range(first, first + number):
        torch.manual_seed(seed)
        results.append(torch.as_tensor(run(seed)).detach().cpu())
    shapes = {tuple(result.shape) for result in results}
    if len(shapes) > 1:
        raise ValueError(f"expected results of one shape, got {sorted(shapes)}; return as many at each seed.")
    return torch.stack(results)
