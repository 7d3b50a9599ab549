"""Nesterov's accelerated gradient: Sutskever, Martens, Dahl & Hinton 2013, *On the importance of
initialization and momentum in deep learning* (ICML, PMLR 28(3)), eq. 3 and 4, after Nesterov 1983.

The gradient is taken where momentum alone would lead, at the look-ahead point::

    v     <- mu v - eta grad f(theta + mu v)
    theta <- theta + v

A step of an optimizer receives the gradient at the point that the parameters hold. So both rows keep the
look-ahead point x = theta + mu v in the parameters (Bengio et al. 2012, arXiv:1212.0901, section 3.5). With g
= grad f(x) + lambda x::

    SutskeverNesterov                       Nesterov (torch's form)
    theta <- x - mu v                       v <- mu v + g
    v     <- mu v - eta g                   x <- x - eta (g + mu v)
    x     <- theta + (1 + mu) v

They are the same while eta is constant; when it changes, torch's form rescales the velocity with it, and its
x is no longer the look-ahead point of any theta.

Departures from the paper

1. The parameters hold x, not theta. `iterate` gives theta; late in training, when v is small, they hardly
   differ.
2. The mu of a look-ahead is kept with it, so that a schedule of mu stays exact (the paper has one, eq. 5).
3. Weight decay is part of the gradient, taken at x as well.

Nesterov equals ``torch.optim.SGD(momentum=mu, nesterov=True)``.

>>> weight = torch.nn.Parameter(torch.tensor([1.0]))
>>> optimizer = SutskeverNesterov([weight], lr=0.25, momentum=0.5)
>>> weight.square().sum().backward(); optimizer.step()
>>> weight.item(), optimizer.iterate(weight).item()  # v = -0.5
(0.25, 0.5)
"""

import torch
from torch import Tensor

from dlbook.optim.base import Group, State, Tensors, VelocityOptimizer, column, options


def nesterov_step(
    param: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float, weight_decay: float
) -> None:
    """Take one step with one tensor in torch's form, in place."""
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    velocity.mul_(momentum).add_(grad)
    param.sub_(grad.add(velocity, alpha=momentum), alpha=lr)


def sutskever_step(
    param: Tensor,
    grad: Tensor,
    velocity: Tensor,
    ahead: float,
    lr: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """Take one step with one tensor in the paper's form, in place.

    Args:
        param: x, the look-ahead point.
        grad: g, the gradient there.
        velocity: v.
        ahead: the mu with which `param` was brought to its look-ahead.
        lr: eta.
        momentum: the mu of the next look-ahead.
        weight_decay: lambda.
    """
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    velocity.mul_(ahead)  # mu v
    param.sub_(velocity)  # theta
    velocity.sub_(grad, alpha=lr)
    param.add_(velocity, alpha=1 + momentum)


class Nesterov(VelocityOptimizer):
    """Nesterov's momentum in torch's form, with the rate outside the velocity.

    Arguments and errors are those of :class:`~dlbook.optim.base.VelocityOptimizer`.
    """

    def start(self, param: Tensor, group: Group) -> State:
        return {"momentum_buffer": torch.zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        given = options(group, "lr", "momentum", "weight_decay")
        nesterov_step(param, grad, state["momentum_buffer"], *given)

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        given = options(group, "lr", "momentum", "weight_decay")
        nesterov_step_many(params, grads, column(states, "momentum_buffer"), *given)


class SutskeverNesterov(VelocityOptimizer):
    """Nesterov's momentum as in the paper: the rate inside the velocity, the look-ahead point as parameters.

    Arguments and errors are those of :class:`~dlbook.optim.base.VelocityOptimizer`.
    """

    def start(self, param: Tensor, group: Group) -> State:
        return {"velocity": torch.zeros_like(param), "ahead": 0.0}

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        given = options(group, "lr", "momentum", "weight_decay")
        sutskever_step(param, grad, state["velocity"], state["ahead"], *given)
        state["ahead"] = group["momentum"]

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        given = options(group, "lr", "momentum", "weight_decay")
        sutskever_step_many(params, grads, column(states, "velocity"), column(states, "ahead"), *given)
        for state in states:
            state["ahead"] = group["momentum"]

    @torch.no_grad()
    def iterate(self, param: Tensor) -> Tensor:
        """Return theta of one parameter, shape of `param`: the look-ahead taken back.

        A parameter that has made no step is its own theta.
        """
        state = self.state.get(param)
        return param.sub(state["velocity"], alpha=state["ahead"]) if state else param.clone()


# The same step for lists of tensors, for speed; skip it at first.


def nesterov_step_many(
    params: Tensors, grads: Tensors, velocities: Tensors, lr: float, momentum: float, weight_decay: float
) -> None:
    """Take the step of `nesterov_step` with many tensors.

    Without weight decay the gradients are read twice rather than copied.
    """
    if weight_decay:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    torch._foreach_mul_(velocities, momentum)
    torch._foreach_add_(velocities, grads)
    torch._foreach_sub_(params, grads, alpha=lr)
    torch._foreach_sub_(params, velocities, alpha=lr * momentum)


def sutskever_step_many(
    params: Tensors,
    grads: Tensors,
    velocities: Tensors,
    aheads: list[float],
    lr: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """Take the step of `sutskever_step` with many tensors."""
    if weight_decay:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    torch._foreach_mul_(velocities, aheads)
    torch._foreach_sub_(params, velocities)
    torch._foreach_sub_(velocities, grads, alpha=lr)
    torch._foreach_add_(params, velocities, alpha=1 + momentum)
