"""Stochastic gradient descent: Robbins & Monro 1951, *A Stochastic Approximation Method* (doi
10.1214/aoms/1177729586).

The update of Bottou, Curtis & Nocedal 2016 (arXiv:1606.04838, algorithm 4.1), with g the gradient of a
mini-batch's loss::

    g     <- grad f(theta) + lambda theta        # lambda: weight_decay
    theta <- theta - eta g                       # eta: lr

Departures from the paper

1. `weight_decay` adds the gradient of (lambda / 2) |theta|^2. For this optimizer, and only here, that is the
   same as shrinking the weights by 1 - eta lambda before the step.

Equals ``torch.optim.SGD`` without momentum. Momentum is in :mod:`dlbook.optim.momentum`.

>>> weight = torch.nn.Parameter(torch.tensor([1.0]))
>>> optimizer = SGD([weight], lr=0.25)
>>> weight.square().sum().backward()
>>> optimizer.step(); weight.item()  # 1 - 0.25 * 2
0.5
"""

import torch
from torch import Tensor

from dlbook.optim.base import Group, Params, State, TensorOptimizer, Tensors, options


def sgd(param: Tensor, grad: Tensor, lr: float, weight_decay: float) -> None:
    """Take one step with one tensor, in place."""
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    param.sub_(grad, alpha=lr)


class SGD(TensorOptimizer):
    """Plain stochastic gradient descent.

    Args:
        params: parameters or groups.
        lr: eta >= 0.
        weight_decay: lambda >= 0.
        foreach: as in :class:`~dlbook.optim.base.TensorOptimizer`.

    Raises:
        ValueError: an option out of range, or a sparse gradient.
    """

    def __init__(
        self, params: Params, lr: float, weight_decay: float = 0.0, foreach: bool | None = None
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay}, foreach)

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        sgd(param, grad, *options(group, "lr", "weight_decay"))

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        sgd_many(params, grads, *options(group, "lr", "weight_decay"))


# The same step for lists of tensors, for speed; skip it at first.


def sgd_many(params: Tensors, grads: Tensors, lr: float, weight_decay: float) -> None:
    """Take the step of `sgd` with many tensors."""
    if weight_decay:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    torch._foreach_sub_(params, grads, alpha=lr)
