"""AdamW: Loshchilov & Hutter 2017, *Decoupled Weight Decay Regularization*, arXiv:1711.05101, algorithm 2.

The decay leaves the gradient, and so both moments, and acts on the weights alone (m, v, t, hats as in Adam)::

    PaperAdamW    theta <- theta - eta_t (alpha mhat / (sqrt(vhat) + eps) + lambda theta)
    AdamW         theta <- theta - lr_t  (      mhat / (sqrt(vhat) + eps) + lambda theta)      # torch's form

alpha is a constant, and eta_t the factor of a schedule, which begins at 1 or warms up to it. torch has only
lr_t = eta_t alpha, so its lambda is multiplied by alpha too: 0.01 in torch at alpha = 1e-3 is 1e-5 in the
paper. The paper's point is that lambda and alpha can be tuned apart; in torch's form, halving the rate halves
the decay.

Departures from the paper

1. `PaperAdamW` takes alpha from the `lr` that a group has when it is made, and eta_t = lr / alpha. Every
   schedule that multiplies the rate is then a schedule of eta_t.
2. The decay is done first, by theta <- (1 - eta_t lambda) theta, as in torch. The other term does not read
   theta: the sum is the same.
3. The list form folds the corrections as in :mod:`dlbook.optim.adam`.

AdamW equals ``torch.optim.AdamW``; PaperAdamW equals it too, with lambda / alpha in the place of lambda.

>>> weights = [torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64)) for _ in range(2)]
>>> for row, weight in zip((PaperAdamW, AdamW), weights):
...     optimizer = row([weight], lr=0.5, weight_decay=0.25)
...     weight.grad = torch.zeros_like(weight); optimizer.step()  # only the decay is left
>>> [weight.item() for weight in weights]
[1.5, 1.75]
"""

import math

import torch
from torch import Tensor

from dlbook.checks import require_above
from dlbook.optim.base import Betas, Group, MomentsOptimizer, Params, State, Tensors, options


def adamw(
    param: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: Betas,
    eps: float,
    decay: float,
) -> None:
    """Take one step with one tensor, in place.

    Args:
        param: theta.
        grad: g.
        mean: m.
        square: v.
        step: t, from 1.
        lr: the rate of this step.
        betas: beta1 and beta2.
        eps: outside the root.
        decay: the share of theta that is taken away.
    """
    beta1, beta2 = betas
    if decay:
        param.mul_(1 - decay)
    mean.lerp_(grad, 1 - beta1)
    square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    root = square.sqrt().div_(math.sqrt(1 - beta2**step)).add_(eps)
    param.addcdiv_(mean, root, value=-lr / (1 - beta1**step))


class AdamW(MomentsOptimizer):
    """Adam with decoupled weight decay, scaled by the rate (torch's form).

    Args:
        params: parameters or groups.
        lr: lr_t >= 0.
        betas: weights of the past in the two moments, each in [0, 1).
        eps: >= 0, outside the root.
        weight_decay: lambda >= 0; each step takes the share lr_t lambda of a weight.
        foreach: as in :class:`~dlbook.optim.base.TensorOptimizer`.

    Raises:
        ValueError: an option out of range, or a sparse gradient.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        foreach: bool | None = None,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, foreach)

    def decay(self, group: Group) -> float:
        """Return the share of each weight that this step takes away."""
        return group["lr"] * group["weight_decay"]

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        state["step"] += 1
        given = *options(group, "lr", "betas", "eps"), self.decay(group)
        adamw(param, grad, state["exp_avg"], state["exp_avg_sq"], state["step"], *given)

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        given = *options(group, "lr", "betas", "eps"), self.decay(group)
        adamw_many(params, grads, *self.advance(states), *given)


class PaperAdamW(AdamW):
    """Adam with decoupled weight decay, scaled by the schedule's multiplier alone (the paper's form).

    Arguments and errors are those of :class:`AdamW`, but for two: `lr` is alpha and has to be above 0, and
    each step takes the share eta_t lambda of a weight. Groups keep alpha as ``"base_lr"``.
    """

    def check(self, group: Group) -> None:
        super().check(group)
        require_above("lr", group["lr"], 0, "give the base rate, and let a schedule begin at 0")
        group.setdefault("base_lr", group["lr"])

    def decay(self, group: Group) -> float:
        return group["lr"] / group["base_lr"] * group["weight_decay"]


# The same step for lists of tensors, for speed; skip it at first.


def adamw_many(
    params: Tensors,
    grads: Tensors,
    means: Tensors,
    squares: Tensors,
    steps: list[int],
    lr: float,
    betas: Betas,
    eps: float,
    decay: float,
) -> None:
    """Take the step of `adamw` with many tensors, each with its own t."""
    beta1, beta2 = betas
    if decay:
        torch._foreach_mul_(params, 1 - decay)
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
