"""RMSprop: Hinton, lecture 6e of *Neural Networks for Machine Learning* (Coursera 2012, with Srivastava and
Swersky).

AdaGrad's sum becomes a moving average, so that the rate of a weight can rise again::

    RMSprop (torch's form)                       RMSpropTF (TensorFlow's form)
    s     <- alpha s + (1 - alpha) g^2           s     <- alpha s + (1 - alpha) g^2
    u     <- g / (sqrt(s) + eps)                 u     <- g / sqrt(s + eps)
    v     <- mu v + u                            v     <- mu v + eta u
    theta <- theta - eta v                       theta <- theta - v
    s = 0 at first                               s = 1 at first

The differences are three: where eps stands, what s is at first, and whether the rate is inside the velocity.
With s = 0 the first step is 1 / sqrt(1 - alpha) times too long, and there is no bias correction (that is
Adam's); with s = 1 it is short wherever gradients are small. EfficientNet was trained with the right form,
eps = 1e-3, alpha = mu = 0.9: the left one needs other numbers.

Departures from the lecture

1. The slide has neither eps nor momentum; both rows are what the two libraries made of it. Its alpha is 0.9,
   the default here; torch's default is 0.99.
2. Weight decay is added to the gradient, as in both libraries.
3. The centred form (Graves 2013, arXiv:1308.0850) is left out.

RMSprop equals ``torch.optim.RMSprop``, RMSpropTF timm's optimizer of the same name.

>>> weights = [torch.nn.Parameter(torch.tensor([3.0])) for _ in range(2)]
>>> for row, weight in zip((RMSprop, RMSpropTF), weights):
...     optimizer = row([weight], lr=0.1, alpha=0.75, eps=0.0)
...     weight.square().sum().backward(); optimizer.step()
>>> [round(weight.item(), 4) for weight in weights]  # 3 - 0.1 * 6 / sqrt(9), 3 - 0.1 * 6 / sqrt(0.75 + 9)
[2.8, 2.8078]
"""

import torch
from torch import Tensor

from dlbook.optim.base import Group, Params, State, TensorOptimizer, Tensors, column, options

OPTIONS = ("lr", "alpha", "eps", "momentum", "weight_decay")


def rmsprop(
    param: Tensor,
    grad: Tensor,
    square: Tensor,
    velocity: Tensor | None,
    lr: float,
    alpha: float,
    eps: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """Take one step with one tensor in torch's form, in place.

    Args:
        square: s, changed too.
        velocity: v, changed too; None where mu = 0.
    """
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
    root = square.sqrt().add_(eps)
    if velocity is None:
        param.addcdiv_(grad, root, value=-lr)
    else:
        velocity.mul_(momentum).addcdiv_(grad, root)
        param.sub_(velocity, alpha=lr)


def rmsprop_tf(
    param: Tensor,
    grad: Tensor,
    square: Tensor,
    velocity: Tensor | None,
    lr: float,
    alpha: float,
    eps: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """Take one step with one tensor in TensorFlow's form, in place."""
    if weight_decay:
        grad = grad.add(param, alpha=weight_decay)
    square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
    root = square.add(eps).sqrt_()
    if velocity is None:
        param.addcdiv_(grad, root, value=-lr)
    else:
        velocity.mul_(momentum).addcdiv_(grad, root, value=lr)
        param.sub_(velocity)


class RMSprop(TensorOptimizer):
    """Gradient descent divided by the root of a moving mean square (torch's form).

    Args:
        params: parameters or groups.
        lr: eta >= 0.
        alpha: weight of the past in the mean square, in [0, 1).
        eps: >= 0, outside the root.
        momentum: mu in [0, 1); 0 keeps no velocity.
        weight_decay: lambda >= 0, added to the gradient.
        foreach: as in :class:`~dlbook.optim.base.TensorOptimizer`.

    Raises:
        ValueError: an option out of range, or a sparse gradient.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.9,
        eps: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum, "weight_decay": weight_decay},
            foreach,
        )

    def start(self, param: Tensor, group: Group) -> State:
        return {"square_avg": torch.zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        rmsprop(param, grad, state["square_avg"], _velocity(state, param, group), *options(group, *OPTIONS))

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        squares, velocities = column(states, "square_avg"), _velocities(states, params, group)
        rmsprop_many(params, grads, squares, velocities, *options(group, *OPTIONS))


class RMSpropTF(RMSprop):
    """Gradient descent divided by the root of a moving mean square (TensorFlow's form).

    Arguments and errors are those of :class:`RMSprop`; eps, > 0 in practice, is inside the root.
    """

    def start(self, param: Tensor, group: Group) -> State:
        return {"square_avg": torch.ones_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        rmsprop_tf(
            param, grad, state["square_avg"], _velocity(state, param, group), *options(group, *OPTIONS)
        )

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        squares, velocities = column(states, "square_avg"), _velocities(states, params, group)
        rmsprop_tf_many(params, grads, squares, velocities, *options(group, *OPTIONS))


def _velocity(state: State, param: Tensor, group: Group) -> Tensor | None:
    """Return v, made when momentum is first asked for; None while mu is 0, when v rests, as in torch."""
    if not group["momentum"]:
        return None
    if "momentum_buffer" not in state:
        state["momentum_buffer"] = torch.zeros_like(param)
    return state["momentum_buffer"]


def _velocities(states: list[State], params: Tensors, group: Group) -> Tensors | None:
    found = [_velocity(state, param, group) for state, param in zip(states, params, strict=True)]
    return found if group["momentum"] else None


# The same step for lists of tensors, for speed; skip it at first.


def rmsprop_many(
    params: Tensors,
    grads: Tensors,
    squares: Tensors,
    velocities: Tensors | None,
    lr: float,
    alpha: float,
    eps: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """Take the step of `rmsprop` with many tensors."""
    if weight_decay:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    torch._foreach_mul_(squares, alpha)
    torch._foreach_addcmul_(squares, grads, grads, value=1 - alpha)
    roots = torch._foreach_sqrt(squares)
    torch._foreach_add_(roots, eps)
    if velocities is None:
        torch._foreach_addcdiv_(params, grads, roots, value=-lr)
    else:
        torch._foreach_mul_(velocities, momentum)
        torch._foreach_addcdiv_(velocities, grads, roots)
        torch._foreach_sub_(params, velocities, alpha=lr)


def rmsprop_tf_many(
    params: Tensors,
    grads: Tensors,
    squares: Tensors,
    velocities: Tensors | None,
    lr: float,
    alpha: float,
    eps: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """Take the step of `rmsprop_tf` with many tensors."""
    if weight_decay:
        grads = torch._foreach_add(grads, params, alpha=weight_decay)
    torch._foreach_mul_(squares, alpha)
    torch._foreach_addcmul_(squares, grads, grads, value=1 - alpha)
    roots = torch._foreach_add(squares, eps)
    torch._foreach_sqrt_(roots)
    if velocities is None:
        torch._foreach_addcdiv_(params, grads, roots, value=-lr)
    else:
        torch._foreach_mul_(velocities, momentum)
        torch._foreach_addcdiv_(velocities, grads, roots, value=lr)
        torch._foreach_sub_(params, velocities)
