"""AdaGrad: Duchi, Hazan & Singer 2011, *Adaptive Subgradient Methods for Online Learning and Stochastic
Optimization* (JMLR 12, 2121-2159), the diagonal form of figure 1.

Each weight has a rate of its own, which falls with all that its gradients have been::

    s     <- s + g^2                             # elementwise; s = 0 before the first step
    theta <- theta - eta g / (sqrt(s) + eps)     # eps: the paper's delta, outside the root

Departures from the paper

1. Here is the unconstrained problem without a regulariser, for which the paper's mirror descent and dual
   averaging are a plain gradient step.
2. Weight decay is added to the gradient, as in torch, and so it is divided by sqrt(s) too.
3. s may begin above 0 (`initial_accumulator_value`, torch's name; TensorFlow begins at 0.1).

Equals ``torch.optim.Adagrad`` without its rate decay.

>>> weight = torch.nn.Parameter(torch.tensor([3.0]))
>>> optimizer = Adagrad([weight], lr=0.5, eps=0.0)
>>> weight.square().sum().backward()
>>> optimizer.step(); weight.item()  # the first step has length eta, however large the gradient
2.5
"""

import torch
from torch import Tensor

from dlbook.checks import require_at_least
from dlbook.optim.base import Group, Params, State, TensorOptimizer, Tensors, column, options


def adagrad(param: Tensor, grad: Tensor, total: Tensor, lr: float, eps: float, weight_decay: float) -> None:
    """Take one step with one tensor, in place.

    Args:
        total: s, changed too.
    """
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    total.addcmul_(grad, grad)
    param.addcdiv_(grad, total.sqrt().add_(eps), value=-lr)


class Adagrad(TensorOptimizer):
    """Gradient descent with a falling rate for each weight.

    Args:
        params: parameters or groups.
        lr: eta >= 0.
        initial_accumulator_value: s before the first step, >= 0.
        eps: >= 0, keeps the quotient finite where a gradient has always been 0.
        weight_decay: lambda >= 0, added to the gradient.
        foreach: as in :class:`~dlbook.optim.base.TensorOptimizer`.

    Raises:
        ValueError: an option out of range, or a sparse gradient.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "weight_decay": weight_decay,
        }
        super().__init__(params, defaults, foreach)

    def check(self, group: Group) -> None:
        require_at_least("initial_accumulator_value", group["initial_accumulator_value"], 0)

    def start(self, param: Tensor, group: Group) -> State:
        return {"sum": torch.full_like(param, group["initial_accumulator_value"])}

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        adagrad(param, grad, state["sum"], *options(group, "lr", "eps", "weight_decay"))

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        adagrad_many(params, grads, column(states, "sum"), *options(group, "lr", "eps", "weight_decay"))


# The same step for lists of tensors, for speed; skip it at first.


def adagrad_many(
    params: Tensors,
    grads: Tensors,
    totals: Tensors,
    lr: float,
    eps: float,
    weight_decay: float,
) -> None:
    """Take the step of `adagrad` with many tensors."""
    if weight_decay:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    torch._foreach_addcmul_(totals, grads, grads)
    roots = torch._foreach_sqrt(totals)
    torch._foreach_add_(roots, eps)
    torch._foreach_addcdiv_(params, grads, roots, value=-lr)
