"""Broken updates of the optimizers, one idea each, for `test_optimizer_faults.py`.

They have the arguments of the functions that they stand in for. Some are made by a template, with an argument
for each fault.
"""

import math

import torch

from dlbook.optim import adam, base, lars, muon

real_adam_many, real_trust_ratio, real_lars_many, real_factor = (
    adam.adam_many,
    lars.trust_ratio,
    lars.lars_many,
    muon.factor,
)
real_step = base.TensorOptimizer.step


def l2_with_a_two(param, grad, lr, weight_decay):
    """lambda |theta|^2 instead of half of it."""
    param.sub_(grad + 2 * weight_decay * param, alpha=lr)


def dampened(param, grad, velocity, lr, mu, decay):
    velocity.mul_(mu).add_(grad + decay * param, alpha=1 - mu)
    param.sub_(velocity, alpha=lr)


def velocity_one_late(param, grad, velocity, lr, mu, decay):
    """The first step goes nowhere."""
    grad = grad + decay * param
    param.sub_(velocity, alpha=lr)
    velocity.mul_(mu).add_(grad)


def decay_into_the_gradient_itself(param, grad, velocity, lr, mu, decay):
    velocity.mul_(mu).add_(grad.add_(param, alpha=decay))
    param.sub_(velocity, alpha=lr)


def no_look_ahead(param, grad, velocity, lr, mu, decay):
    velocity.mul_(mu).add_(grad + decay * param)
    param.sub_(velocity, alpha=lr)


def look_ahead_along_the_old_velocity(param, grad, velocity, lr, mu, decay):
    grad = grad + decay * param
    param.sub_(grad + mu * velocity, alpha=lr)
    velocity.mul_(mu).add_(grad)


def theta_instead_of_the_look_ahead(param, grad, velocity, lr, mu, ahead, decay):
    grad = grad + decay * param
    velocity.mul_(ahead).sub_(grad, alpha=lr)
    param.add_(velocity)


def new_momentum_for_the_old_look_ahead(param, grad, velocity, lr, mu, ahead, decay):
    grad = grad + decay * param
    velocity.mul_(mu)
    param.sub_(velocity)
    velocity.sub_(grad, alpha=lr)
    param.add_(velocity, alpha=1 + mu)


def gradients_used_as_scratch(params, grads, velocities, lr, mu, decay):
    torch._foreach_mul_(velocities, mu)
    torch._foreach_add_(velocities, grads)
    torch._foreach_add_(grads, velocities, alpha=mu)
    torch._foreach_sub_(params, grads, alpha=lr)


def first_buffer_is_the_gradient(self, param, group):
    return {"momentum_buffer": param.grad}


def adagrad_eps_inside(param, grad, total, lr, eps, decay):
    grad = grad + decay * param
    total.addcmul_(grad, grad)
    param.addcdiv_(grad, (total + eps).sqrt(), value=-lr)


def adagrad_that_forgets(param, grad, total, lr, eps, decay):
    grad = grad + decay * param
    total.mul_(0.9).addcmul_(grad, grad)
    param.addcdiv_(grad, total.sqrt() + eps, value=-lr)


def starts_at(name, value):
    return lambda self, param, group: {name: torch.full_like(param, value)}


def rms(eps_inside, rate_inside, exchanged=False):
    """RMSprop with each of its three choices open."""

    def step(param, grad, square, velocity, lr, alpha, eps, mu, decay):
        grad = grad + decay * param
        alpha = 1 - alpha if exchanged else alpha
        square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
        move = grad / ((square + eps).sqrt() if eps_inside else square.sqrt() + eps)
        if velocity is not None:
            move = velocity.mul_(mu).add_(move, alpha=lr if rate_inside else 1.0)
        param.sub_(move, alpha=1.0 if rate_inside and velocity is not None else lr)

    return step


def adam_with(
    correct=True,
    eps_scale=lambda c: 1.0,
    later=0,
    exchanged=False,
    decay_after=False,
    coupled=False,
    decoupled=False,
):
    """Adam in its folded form with one thing wrong. eps_scale: of the true sqrt(1 - beta2^t), what is written
    instead of 1.
    """

    def step(param, grad, mean, square, t, lr, betas, eps, decay):
        beta1, beta2 = reversed(betas) if exchanged else betas
        if coupled:
            grad = grad + decay / lr * param
        elif decoupled:
            param.mul_(1 - lr * decay)
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        first, second = (
            (1 - beta1 ** (t + later), math.sqrt(1 - beta2 ** (t + later))) if correct else (1.0, 1.0)
        )
        param.addcdiv_(mean, square.sqrt() / second + eps * eps_scale(second), value=-lr / first)
        if decay_after:
            param.mul_(1 - decay)

    return step


def one_count_for_all(params, grads, means, squares, steps, *options):
    real_adam_many(params, grads, means, squares, [steps[-1]] * len(steps), *options)


def ratio_for_biases_too(param, grad, velocity, lr, mu, decay, trust):
    ratio = real_trust_ratio(param.norm(), grad.norm(), trust, decay)
    velocity.mul_(mu).add_((grad + decay * param) * ratio, alpha=lr)
    param.sub_(velocity)


def lars_rate_outside(param, grad, velocity, lr, mu, decay, trust):
    if param.ndim > 1:
        grad = (grad + decay * param) * real_trust_ratio(param.norm(), grad.norm(), trust, decay)
    velocity.mul_(mu).add_(grad)
    param.sub_(velocity, alpha=lr)


def norm_of_the_sum(param, grad, velocity, lr, mu, decay, trust):
    """|g + beta w| where the paper has |g| + beta |w|."""
    if param.ndim > 1:
        grad = grad + decay * param
        grad = grad * real_trust_ratio(param.norm(), grad.norm(), trust, 0.0)
    velocity.mul_(mu).add_(grad, alpha=lr)
    param.sub_(velocity)


def lists_in_two_orders(params, grads, velocities, *options):
    real_lars_many(params, grads[::-1], velocities, *options)


def quintic(coefficients=muon.COEFFICIENTS, steps=5, order=None):
    """newton_schulz with other numbers, or divided by the largest singular value."""

    def iterate(matrices, dtype):
        a, b, c = coefficients
        x = matrices / torch.linalg.matrix_norm(matrices, ord=order or "fro", dim=(-2, -1), keepdim=True)
        for _ in range(steps):
            gram = x @ x.mT
            x = a * x + (b * gram + c * gram @ gram) @ x
        return x

    return iterate


def decay_with_the_factor(param, grad, buffer, group):
    buffer.lerp_(grad, 1 - group["momentum"])
    direction = muon.newton_schulz(grad.lerp(buffer, group["momentum"]), group["dtype"])
    lr = group["lr"] * real_factor(param.shape, group["scale"])
    param.mul_(1 - lr * group["weight_decay"]).sub_(direction, alpha=lr)


def step_of_all(self, closure=None):
    """Parameters without a gradient count as having one of zeros."""
    for group in self.param_groups:
        for param in group["params"]:
            param.grad = torch.zeros_like(param) if param.grad is None else param.grad
    return real_step(self, closure)
