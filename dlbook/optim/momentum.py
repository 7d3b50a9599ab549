"""Heavy-ball momentum: Polyak 1964, *Some methods of speeding up the convergence of iteration methods*
(doi 10.1016/0041-5553(64)90137-5).

In both rows g = grad f(theta) + lambda theta, and v = 0 before the first step::

    PolyakMomentum                          Momentum (torch's form)
    v     <- mu v - eta g                   v     <- mu v + g
    theta <- theta + v                      theta <- theta - eta v

The left one is the paper's theta' = theta - eta g + mu (theta - theta_before): v is the last move. They are
the same while eta is constant. When the rate drops tenfold, the right one shortens at once what it has
gathered; the left one goes on with its old speed, which only friction, mu, wears down. A rate tuned for one
is therefore no rate for the other under a schedule.

Departures from the paper

1. Weight decay is added to the gradient, as in torch; the paper minimises f alone.
2. mu may change between steps (see :func:`dlbook.optim.cycles.set_momentum`).

Momentum equals ``torch.optim.SGD(momentum=mu)`` with dampening 0. PolyakMomentum is the form of TensorFlow
and of Sutskever et al. 2013 (eq. 1, 2).

>>> weight = torch.nn.Parameter(torch.tensor([1.0]))
>>> optimizer = Momentum([weight], lr=0.25, momentum=0.5)
>>> for _ in range(2):
...     optimizer.zero_grad(); weight.square().sum().backward(); optimizer.step()
>>> weight.item()  # v: 2, then 0.5 * 2 + 1; theta: 1 - 0.5, then 0.5 - 0.25 * 2
0.0
"""

import torch
from torch import Tensor

from dlbook.optim.base import Group, State, Tensors, VelocityOptimizer, column, options


def momentum_step(
    param: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float, weight_decay: float
) -> None:
    """Take one step with one tensor in torch's form, in place."""
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    velocity.mul_(momentum).add_(grad)
    param.sub_(velocity, alpha=lr)


def polyak_step(
    param: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float, weight_decay: float
) -> None:
    """Take one step with one tensor in the paper's form, in place."""
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    velocity.mul_(momentum).sub_(grad, alpha=lr)
    param.add_(velocity)


class Momentum(VelocityOptimizer):
    """Gradient descent with momentum; the rate multiplies all of the velocity (torch's form).

    Arguments and errors are those of :class:`~dlbook.optim.base.VelocityOptimizer`.
    """

    def start(self, param: Tensor, group: Group) -> State:
        return {"momentum_buffer": torch.zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        given = options(group, "lr", "momentum", "weight_decay")
        momentum_step(param, grad, state["momentum_buffer"], *given)

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        given = options(group, "lr", "momentum", "weight_decay")
        momentum_step_many(params, grads, column(states, "momentum_buffer"), *given)


class PolyakMomentum(VelocityOptimizer):
    """Gradient descent with momentum; each gradient keeps the rate it came with (Polyak's form).

    Arguments and errors are those of :class:`~dlbook.optim.base.VelocityOptimizer`.
    """

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        polyak_step(param, grad, state["velocity"], *options(group, "lr", "momentum", "weight_decay"))

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        polyak_step_many(
            params, grads, column(states, "velocity"), *options(group, "lr", "momentum", "weight_decay")
        )


# The same step for lists of tensors, for speed; skip it at first.


def momentum_step_many(
    params: Tensors, grads: Tensors, velocities: Tensors, lr: float, momentum: float, weight_decay: float
) -> None:
    """Take the step of `momentum_step` with many tensors."""
    if weight_decay:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    torch._foreach_mul_(velocities, momentum)
    torch._foreach_add_(velocities, grads)
    torch._foreach_sub_(params, velocities, alpha=lr)


def polyak_step_many(
    params: Tensors, grads: Tensors, velocities: Tensors, lr: float, momentum: float, weight_decay: float
) -> None:
    """Take the step of `polyak_step` with many tensors."""
    if weight_decay:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    torch._foreach_mul_(velocities, momentum)
    torch._foreach_sub_(velocities, grads, alpha=lr)
    torch._foreach_add_(params, velocities)
