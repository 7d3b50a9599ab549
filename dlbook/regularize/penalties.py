"""Penalties on weights: L1 (lasso; Tibshirani 1996, doi 10.1111/j.2517-6161.1996.tb02080.x), L2 (ridge; Hoerl
& Kennard 1970, doi 10.1080/00401706.1970.10488634) and both (elastic net; Zou & Hastie 2005, doi
10.1111/j.1467-9868.2005.00503.x).

::

    loss + lambda1 sum |w| + lambda2 sum w^2         # gradients: lambda1 sign(w), 2 lambda2 w

The gradient of |w| does not fade as w nears 0, nor does it stop there: steps of length eta lambda1 jump to
and fro across 0, and no weight is ever exactly 0. The proximal step (Daubechies, Defrise & De Mol 2003,
arXiv:math/0307152) solves the penalty's part exactly after the step for the loss alone::

    w <- argmin_z  |z - w|^2 / (2 eta) + lambda1 |z| + lambda2 z^2
       = sign(w) max(|w| - eta lambda1, 0) / (1 + 2 eta lambda2)

All |w| <= eta lambda1 become 0, and stay 0 until the loss pulls harder than lambda1.

Departures from the papers

1. lambda2 w^2 has no factor 1/2: an optimizer's ``weight_decay`` is 2 lambda2.
2. Call the proximal step after plain gradient steps (SGD). After an adaptive optimizer's step the threshold
   would need that optimizer's own rate for each weight.

>>> weight = torch.nn.Parameter(torch.tensor([3.0, -0.5]))
>>> l1([weight]).item(), l2([weight]).item(), elastic_net([weight], 1.0, 2.0).item()
(3.5, 9.25, 22.0)
>>> proximal_step([weight], lr=0.5, lambda1=2.0)
>>> weight.tolist()
[2.0, 0.0]
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from dlbook.checks import require_at_least

OFF = "0 switches a penalty off"


def l1(params: Iterable[Tensor]) -> Tensor:
    """Sum |w|, a scalar.

    Raises:
        ValueError: there are no parameters.
    """
    return torch.stack([param.abs().sum() for param in _all(params)]).sum()


def l2(params: Iterable[Tensor]) -> Tensor:
    """Sum w^2, a scalar.

    Raises:
        ValueError: there are no parameters.
    """
    return torch.stack([param.square().sum() for param in _all(params)]).sum()


def elastic_net(params: Iterable[Tensor], lambda1: float, lambda2: float) -> Tensor:
    """Add both penalties, lambda1 sum |w| + lambda2 sum w^2, a scalar.

    Raises:
        ValueError: there are no parameters, or a factor is negative.
    """
    require_at_least("lambda1", lambda1, 0, OFF)
    require_at_least("lambda2", lambda2, 0, OFF)
    params = _all(params)
    return lambda1 * l1(params) + lambda2 * l2(params)


@torch.no_grad()
def proximal_step(params: Iterable[Tensor], lr: float, lambda1: float, lambda2: float = 0.0) -> None:
    """Apply both penalties exactly, in place; call it after each step of the optimizer for the loss without
    them.

    Args:
        params: those that are penalised, biases usually not among them.
        lr: eta, the optimizer's present rate, >= 0.
        lambda1, lambda2: >= 0.

    Raises:
        ValueError: a number is out of range, or there are no parameters.
    """
    require_at_least("lr", lr, 0)
    require_at_least("lambda1", lambda1, 0, OFF)
    require_at_least("lambda2", lambda2, 0, OFF)
    for param in _all(params):
        shrunk = torch.nn.functional.softshrink(param, lr * lambda1)
        param.copy_(shrunk).div_(1 + 2 * lr * lambda2).add_(0.0)  # -0 becomes 0


def share_of_zeros(params: Iterable[Tensor]) -> float:
    """Return the share of all weights that are exactly 0, in [0, 1].

    Raises:
        ValueError: there are no parameters.
    """
    params = _all(params)
    return sum(int((param == 0).sum()) for param in params) / sum(param.numel() for param in params)


def _all(params: Iterable[Tensor]) -> list[Tensor]:
    params = [params] if isinstance(params, Tensor) else list(params)
    if not params:
        raise ValueError(
            "expected one parameter or more, got none; a generator can be read once; pass a list"
        )
    return params
