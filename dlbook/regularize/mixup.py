"""mixup: Zhang, Cisse, Dauphin & Lopez-Paz 2017, *mixup: Beyond Empirical Risk Minimization*,
arXiv:1710.09412, eq. 1.

::

    lambda ~ Beta(alpha, alpha)
    x      <- lambda x_i + (1 - lambda) x_j          # j: another of the batch, by a random permutation
    y      <- lambda y_i + (1 - lambda) y_j          # y: probabilities
    loss   = cross_entropy(f(x), y)

For cross-entropy that is lambda CE(f(x), y_i) + (1 - lambda) CE(f(x), y_j). alpha: 1 for CIFAR-10, 0.1 to 0.4
for ImageNet in the paper; alpha to 0 gives the plain data back.

Departures from the paper

1. `per_example` draws a lambda for each example; the paper's code draws one for a batch, the default here.

>>> images, targets = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1), torch.eye(2)
>>> mixed, soft = mix(images, targets, partner=torch.tensor([1, 0]), weight=0.75)
>>> mixed.flatten().tolist(), soft.tolist()
([0.25, 0.75], [[0.75, 0.25], [0.25, 0.75]])
"""

import torch
from torch import Generator, Tensor

from dlbook.checks import require_above


def beta(
    alpha: float, count: int, generator: Generator | None = None, device: torch.device | str = "cpu"
) -> Tensor:
    """Draw from Beta(alpha, alpha), float64 [count]: G1 / (G1 + G2) of two Gamma(alpha) draws.

    Args:
        alpha: finite and > 0.
        count: how many.
        generator: on `device`.
        device: of the result.

    Raises:
        ValueError: alpha is out of range.
    """
    require_above("alpha", alpha, 0, "to switch mixing off, leave the call out")
    shape = torch.full((2, count), alpha, dtype=torch.float64, device=device)
    first, second = torch._standard_gamma(
        shape, generator=generator
    )  # torch.distributions takes no generator
    return first / (first + second)


def mix(images: Tensor, targets: Tensor, partner: Tensor, weight: float | Tensor) -> tuple[Tensor, Tensor]:
    """Compute lambda x_i + (1 - lambda) x_j, and the same of the targets.

    Args:
        images: float [B, ...].
        targets: probabilities [B, K].
        partner: the j of each i, int64 [B].
        weight: lambda in [0, 1], a number or [B].

    Returns:
        Two new tensors of the shapes and types of images and targets.

    Raises:
        ValueError: shapes or types that do not fit.
    """
    require_batch(images, targets)
    return _blend(images, partner, weight), _blend(targets, partner, weight)


def mixup(
    images: Tensor,
    targets: Tensor,
    alpha: float = 0.2,
    per_example: bool = False,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Mix the images and targets of one batch.

    Args:
        images: float [B, ...].
        targets: probabilities [B, K].
        alpha: > 0.
        per_example: draw a lambda for each example, not one for the batch.
        generator: on the images' device.

    Raises:
        ValueError: as in `mix` and `beta`.
    """
    require_batch(images, targets)
    weight = beta(alpha, len(images) if per_example else 1, generator, images.device)
    partner = torch.randperm(len(images), generator=generator, device=images.device)
    return mix(images, targets, partner, weight)


def require_batch(images: Tensor, targets: Tensor) -> None:
    """Raise ValueError unless images are float [B, ...] and targets probabilities [B, K], with B >= 1."""
    if not images.is_floating_point() or images.ndim < 2 or not len(images):
        raise ValueError(
            f"expected float images [B, ...], got {images.dtype} {list(images.shape)}; "
            "divide bytes by 255, add the batch axis"
        )
    if targets.ndim != 2 or not targets.is_floating_point() or len(targets) != len(images):
        raise ValueError(
            f"expected targets as probabilities [{len(images)}, K], got {targets.dtype} "
            f"{list(targets.shape)}; "
            "smooth_targets(labels, num_classes, epsilon) makes them"
        )


def _blend(values: Tensor, partner: Tensor, weight: float | Tensor) -> Tensor:
    if isinstance(weight, Tensor):
        weight = weight.to(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
    return weight * values + (1 - weight) * values[partner]
