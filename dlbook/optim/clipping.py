"""Gradient clipping: Pascanu, Mikolov & Bengio 2012, *On the difficulty of training recurrent neural
networks*, arXiv:1211.5063, algorithm 1.

::

    if |g| > threshold:  g <- threshold / |g| g      # |g| over all parameters together: the direction stays

By value, g_i <- min(max(g_i, -limit), limit) for each element: the direction changes.

Departures from the paper

1. The factor is threshold / (|g| + 1e-6), as in torch. It equals ``torch.nn.utils.clip_grad_norm_``.
2. Parameters may come with names, ``model.named_parameters()``; an error about a gradient that is not finite
   then says where.

Under fp16 with a scaler the gradients are multiplied by its scale: call ``scaler.unscale_(optimizer)``
before.

>>> weight = torch.nn.Parameter(torch.zeros(2))
>>> weight.grad = torch.tensor([3.0, 4.0])
>>> clip_norm([weight], 1.0).item(), [round(x, 5) for x in weight.grad.tolist()]
(5.0, [0.6, 0.8])
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from dlbook.checks import require

Params = Iterable[Tensor] | Iterable[tuple[str, Tensor]]


@torch.no_grad()
def global_norm(params: Params, norm_type: float = 2.0) -> Tensor:
    """Return the norm of all gradients as one vector, a scalar; 0 without gradients.

    Args:
        params: parameters, or pairs (name, parameter).
        norm_type: p > 0 of the p-norm, or math.inf.

    Raises:
        ValueError: norm_type is out of range.
    """
    return _norm([grad for _, grad in _gradients(params)], norm_type)


@torch.no_grad()
def clip_norm(
    params: Params, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Shorten all gradients together, in place, to a norm of at most `max_norm`.

    Args:
        params: parameters, or pairs (name, parameter); those without a gradient are passed over.
        max_norm: > 0, or math.inf, which clips nothing.
        norm_type: p > 0 of the p-norm, or math.inf.
        error_if_nonfinite: raise rather than fill the gradients with NaN.

    Returns:
        The norm before clipping, a scalar tensor, to be logged: a norm that grows tells of divergence early.

    Raises:
        ValueError: an argument is out of range; or, if asked to, the first gradient that is not finite.
    """
    require(max_norm > 0, "max_norm > 0", max_norm, "1.0 is common; math.inf measures and clips nothing")
    named = _gradients(params)
    grads = [grad for _, grad in named]
    total = _norm(grads, norm_type)
    if error_if_nonfinite and not torch.isfinite(total):
        raise ValueError(_what_is_wrong(named, total))
    factor = (max_norm / (total + 1e-6)).clamp(max=1.0)
    for batch in _by_device(grads):  # multiplying by 1 is cheaper than asking the GPU whether it is 1
        torch._foreach_mul_(batch, factor.to(batch[0].device))
    return total


@torch.no_grad()
def clip_value(params: Params, limit: float) -> None:
    """Bring each element of each gradient into [-limit, limit], in place.

    Args:
        params: parameters, or pairs (name, parameter).
        limit: > 0.

    Raises:
        ValueError: limit is out of range.
    """
    require(limit > 0, "limit > 0", limit, "give the largest size that one element may have")
    for batch in _by_device([grad for _, grad in _gradients(params)]):
        torch._foreach_clamp_min_(batch, -limit)
        torch._foreach_clamp_max_(batch, limit)


def _norm(grads: list[Tensor], norm_type: float) -> Tensor:
    fix = "2.0 for the Euclidean norm, math.inf for the largest element"
    require(norm_type > 0, "norm_type > 0", norm_type, fix)
    norms = [
        norm.to(grads[0].device)
        for batch in _by_device(grads)
        for norm in torch._foreach_norm(batch, norm_type)
    ]
    return torch.linalg.vector_norm(torch.stack(norms), norm_type) if norms else torch.tensor(0.0)


def _gradients(params: Params) -> list[tuple[str, Tensor]]:
    if isinstance(params, Tensor):
        params = [params]
    named = [
        param if isinstance(param, tuple) else (f"parameter {number}", param)
        for number, param in enumerate(params)
    ]
    return [(name, param.grad) for name, param in named if param.grad is not None]


def _by_device(grads: list[Tensor]) -> Iterable[list[Tensor]]:
    found: dict[tuple, list[Tensor]] = {}
    for grad in grads:
        found.setdefault((grad.device, grad.dtype), []).append(grad)
    return found.values()


def _what_is_wrong(named: list[tuple[str, Tensor]], total: Tensor) -> str:
    for name, grad in named:
        if not math.isfinite(grad.sum().item()) and not torch.isfinite(grad).all():
            count = int((~torch.isfinite(grad)).sum())
            return (
                f"expected finite gradients, got {count} of {grad.numel()} elements in {name} that are not; "
                "look for a logarithm or a root of 0, a rate too large, or bad data; under "
                "fp16, unscale and skip the step"
            )
    return (
        f"expected a finite norm, got {total.item()} from finite gradients; they are too large "
        f"for {total.dtype}; use float32"
    )
