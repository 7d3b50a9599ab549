"""Adam: Kingma & Ba 2014, *Adam: A Method for Stochastic Optimization*, arXiv:1412.6980, algorithm 1.

::

    m     <- beta1 m + (1 - beta1) g             # m = v = 0 before the first step
    v     <- beta2 v + (1 - beta2) g^2
    mhat  <- m / (1 - beta1^t)                   # t: number of the step, from 1
    vhat  <- v / (1 - beta2^t)
    theta <- theta - alpha mhat / (sqrt(vhat) + eps)

Without the two corrections the first steps would be about (1 - beta1) / sqrt(1 - beta2), which is 3.2, times
as long.

Departures from the paper

1. The list form folds the corrections into two numbers, as the paper suggests at the end of section 2:
   theta <- theta - alpha_t m / (sqrt(v) + eps_t) with alpha_t = alpha sqrt(1 - beta2^t) / (1 - beta1^t). To
   be the same update it needs eps_t = eps sqrt(1 - beta2^t); to add eps itself there makes it 32 times as
   large in the first step.
2. Weight decay is added to the gradient, as in torch; the paper has none. Both moments then contain it, and a
   weight with large gradients hardly decays. :mod:`dlbook.optim.adamw` decays all alike.

Equals ``torch.optim.Adam``.

>>> weight = torch.nn.Parameter(torch.tensor([3.0], dtype=torch.float64))
>>> optimizer = Adam([weight], lr=0.5, eps=0.0)
>>> weight.square().sum().backward()
>>> optimizer.step(); round(weight.item(), 12)  # the first step has length alpha
2.5
"""

import math

import torch
from torch import Tensor

from dlbook.optim.base import Betas, Group, MomentsOptimizer, State, Tensors, options


def adam(
    param: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: Betas,
    eps: float,
    weight_decay: float,
) -> None:
    """Take one step with one tensor, in place.

    Args:
        mean, square: m and v, changed too.
        step: t, from 1.
        lr: alpha.
    """
    beta1, beta2 = betas
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    mean.lerp_(grad, 1 - beta1)
    square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    root = square.sqrt().div_(math.sqrt(1 - beta2**step)).add_(eps)
    param.addcdiv_(mean, root, value=-lr / (1 - beta1**step))


class Adam(MomentsOptimizer):
    """Adam, with weight decay in the gradient if it is asked for.

    Arguments and errors are those of :class:`~dlbook.optim.base.MomentsOptimizer`.
    """

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        state["step"] += 1
        given = options(group, "lr", "betas", "eps", "weight_decay")
        adam(param, grad, state["exp_avg"], state["exp_avg_sq"], state["step"], *given)

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        given = options(group, "lr", "betas", "eps", "weight_decay")
        adam_many(params, grads, *self.advance(states), *given)


# The same step for lists of tensors, for speed; skip it at first.


def adam_many(
    params: Tensors,
    grads: Tensors,
    means: Tensors,
    squares: Tensors,
    steps: list[int],
    lr: float,
    betas: Betas,
    eps: float,
    weight_decay: float,
) -> None:
    """Take the step of `adam` with many tensors, each with its own t, in the folded form."""
    beta1, beta2 = betas
    if weight_decay:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    torch._foreach_lerp_(means, grads, 1 - beta1)
    torch._foreach_mul_(squares, beta2)
    torch._foreach_addcmul_(squares, grads, grads, value=1 - beta2)
    corrections = [math.sqrt(1 - beta2**step) for step in steps]
    roots = torch._foreach_sqrt(squares)
    torch._foreach_add_(roots, [eps * correction for correction in corrections])
    rates = [
        -lr * correction / (1 - beta1**step) for step, correction in zip(steps, corrections, strict=True)
    ]
    torch._foreach_addcdiv_(params, means, roots, rates)
