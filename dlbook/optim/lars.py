"""LARS: You, Gitman & Ginsburg 2017, *Large Batch Training of Convolutional Networks*, arXiv:1708.03888,
algorithm 1.

Each layer's rate is fitted to it, so that a step moves every layer by about the same share of its length::

    lambda <- eta |w| / (|g| + beta |w|)         # eq. 6; Euclidean norms
    v      <- m v + gamma lambda (g + beta w)    # v = 0 before the first step
    w      <- w - v

eta is `trust_coefficient`, beta `weight_decay`, gamma `lr`, and m `momentum`.

Departures from the paper

1. Parameters with fewer than two axes (biases, normalisers) are neither scaled nor decayed, as in SimCLR and
   BYOL: many begin at 0, where the paper's ratio holds them still.
2. lambda is 1 where |w| or |g| is 0.

The rate is inside the velocity, as in the paper and in TensorFlow's code. timm, and most code for torch, has
v <- m v + lambda (g + beta w), w <- w - gamma v: the same while gamma is constant.

>>> weight = torch.nn.Parameter(torch.tensor([[3.0, 4.0]]))
>>> optimizer = LARS([weight], lr=1.0, trust_coefficient=0.1)
>>> (100 * weight.sum()).backward()
>>> optimizer.step(); round((weight - torch.tensor([[3.0, 4.0]])).norm().item(), 4)  # a tenth of 5
0.5
"""

import torch
from torch import Tensor

from dlbook.checks import require_above
from dlbook.optim.base import Group, Params, State, TensorOptimizer, Tensors, column, options

OPTIONS = ("lr", "momentum", "weight_decay", "trust_coefficient")


def trust_ratio(
    weight_norm: Tensor, grad_norm: Tensor, trust_coefficient: float, weight_decay: float
) -> Tensor:
    """Return lambda, in the shape of the two norms; 1 where either is 0."""
    ratio = trust_coefficient * weight_norm / (grad_norm + weight_decay * weight_norm)
    return torch.where((weight_norm > 0) & (grad_norm > 0), ratio, 1.0)


def lars(
    param: Tensor,
    grad: Tensor,
    velocity: Tensor,
    lr: float,
    momentum: float,
    weight_decay: float,
    trust_coefficient: float,
) -> None:
    """Take one step with one tensor, in place."""
    if param.ndim > 1:
        ratio = trust_ratio(param.norm(), grad.norm(), trust_coefficient, weight_decay)
        grad = grad.add(param, alpha=weight_decay).mul_(ratio)
    velocity.mul_(momentum).add_(grad, alpha=lr)
    param.sub_(velocity)


class LARS(TensorOptimizer):
    """Momentum with a rate for each layer that is proportional to |w| / |g|.

    Args:
        params: parameters or groups.
        lr: gamma >= 0.
        momentum: m in [0, 1).
        weight_decay: beta >= 0; parameters with fewer than two axes have none.
        trust_coefficient: eta > 0, the share of its length by which a layer moves at gamma = 1.
        foreach: as in :class:`~dlbook.optim.base.TensorOptimizer`.

    Raises:
        ValueError: an option out of range, or a sparse gradient.
    """

    def __init__(
        self,
        params: Params,
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 1e-3,
        foreach: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
        }
        super().__init__(params, defaults, foreach)

    def check(self, group: Group) -> None:
        fix = "the paper has 0.001; at 0 no layer would move"
        require_above("trust_coefficient", group["trust_coefficient"], 0, fix)

    def start(self, param: Tensor, group: Group) -> State:
        return {"velocity": torch.zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        lars(param, grad, state["velocity"], *options(group, *OPTIONS))

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        lars_many(params, grads, column(states, "velocity"), *options(group, *OPTIONS))


# The same step for lists of tensors, for speed; skip it at first.


def lars_many(
    params: Tensors,
    grads: Tensors,
    velocities: Tensors,
    lr: float,
    momentum: float,
    weight_decay: float,
    trust_coefficient: float,
) -> None:
    """Take the step of `lars` with many tensors; all trust ratios are computed in one vector."""
    large = [number for number, param in enumerate(params) if param.ndim > 1]
    if large:
        weights, theirs = [params[i] for i in large], [grads[i] for i in large]
        norms = (torch.stack(torch._foreach_norm(tensors)) for tensors in (weights, theirs))
        ratios = trust_ratio(*norms, trust_coefficient, weight_decay)
        scaled = torch._foreach_add(theirs, weights, alpha=weight_decay)
        torch._foreach_mul_(scaled, list(ratios.unbind()))
        scaled_at = dict(zip(large, scaled, strict=True))
        grads = [scaled_at.get(number, grad) for number, grad in enumerate(grads)]
    torch._foreach_mul_(velocities, momentum)
    torch._foreach_add_(velocities, grads, alpha=lr)
    torch._foreach_sub_(params, velocities)
