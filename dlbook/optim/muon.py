"""Muon: Jordan et al. 2024, *Muon: An optimizer for hidden layers in neural networks*
(kellerjordan.github.io/posts/muon), with the weight decay and the second scale of Liu et al. 2025, *Muon is
Scalable for LLM Training*, arXiv:2502.16982.

A matrix is moved along the orthogonal matrix nearest to its momentum, so that no direction in it is
neglected::

    B <- mu B + (1 - mu) G                       # B = 0 before the first step
    U <- mu B + (1 - mu) G                       # Nesterov's look-ahead; U = B without it
    O <- newton_schulz(U)                        # about P Q^T, for U = P S Q^T
    W <- W - eta lambda W                        # weight decay, decoupled
    W <- W - eta sqrt(max(1, rows / columns)) O

`newton_schulz` applies five times X <- a X + (b X X^T + c (X X^T)^2) X. That changes the singular values of X
and nothing else: each goes through s -> a s + b s^3 + c s^5. The three numbers are chosen to lift small
values fast, not to arrive: singular values end between about 0.7 and 1.2, which does no harm.

Departures from the post

1. The post sums, B <- mu B + G. The factor 1 - mu has no effect, as newton_schulz first divides by the norm;
   it is torch's form.
2. Only matrices are accepted. Biases, normalisers, embeddings and the last layer belong in AdamW, as the post
   says; kernels of convolutions [O, C, kh, kw] can be trained as matrices [O, C kh kw] if the layer keeps
   them so.
3. `scale="match_rms_adamw"` is Liu et al.'s 0.2 sqrt(max(rows, columns)), which brings a step to the size of
   AdamW's.
4. `dtype` is where the products are computed: bfloat16, as in the post. float32 costs more, and is exact
   enough to test.

Equals ``torch.optim.Muon``.

>>> weight = torch.nn.Parameter(torch.zeros(2, 3))
>>> optimizer = Muon([weight], lr=1.0, dtype=torch.float32)
>>> weight.grad = torch.tensor([[100.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
>>> optimizer.step()  # both directions move, though one gradient is small
>>> bool(((weight.diag() < -0.6) & (weight.diag() > -1.3)).all())
True
"""

import math

import torch
from torch import Tensor

from dlbook.checks import require_one_of
from dlbook.optim.base import Group, Params, State, TensorOptimizer, Tensors, column

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # a, b, c
STEPS = 5
SMALLEST_NORM = 1e-7
SCALES = ("original", "match_rms_adamw")


def newton_schulz(matrices: Tensor, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """Return about P Q^T of matrices P S Q^T, [..., rows, columns]; computed and returned in `dtype`."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = (matrices.mT if tall else matrices).to(dtype)
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(
        min=SMALLEST_NORM
    )  # the largest singular value is now at most 1
    multiply_add = torch.baddbmm if x.ndim == 3 else torch.addmm
    for _ in range(STEPS):
        gram = x @ x.mT
        x = multiply_add(x, multiply_add(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def factor(shape: torch.Size, scale: str) -> float:
    """Return what multiplies the rate for a matrix of this shape."""
    rows, columns = shape
    return math.sqrt(max(1, rows / columns)) if scale == "original" else 0.2 * math.sqrt(max(rows, columns))


def muon(param: Tensor, grad: Tensor, momentum_buffer: Tensor, group: Group) -> None:
    """Take one step with one matrix, in place."""
    lr, momentum = group["lr"], group["momentum"]
    momentum_buffer.lerp_(grad, 1 - momentum)
    update = grad.lerp(momentum_buffer, momentum) if group["nesterov"] else momentum_buffer
    direction = newton_schulz(update, group["dtype"])
    param.mul_(1 - lr * group["weight_decay"]).sub_(
        direction.to(param.dtype), alpha=lr * factor(param.shape, group["scale"])
    )


class Muon(TensorOptimizer):
    """Momentum, made orthogonal; for the weight matrices of hidden layers.

    Args:
        params: matrices [rows, columns], or groups of them.
        lr: eta >= 0.
        momentum: mu in [0, 1).
        weight_decay: lambda >= 0; each step takes the share eta lambda of a weight. torch's default is 0.1.
        nesterov: whether to look ahead.
        scale: "original" or "match_rms_adamw".
        dtype: floating-point type of the matrix products.
        foreach: as in :class:`~dlbook.optim.base.TensorOptimizer`.

    Raises:
        ValueError: an option out of range, a parameter that is not a matrix, or a sparse gradient.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-2,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        nesterov: bool = True,
        scale: str = "original",
        dtype: torch.dtype = torch.bfloat16,
        foreach: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "scale": scale,
            "dtype": dtype,
        }
        super().__init__(params, defaults, foreach)

    def check(self, group: Group) -> None:
        require_one_of("scale", group["scale"], SCALES, "take 'original' for the post's")
        if not (isinstance(group["dtype"], torch.dtype) and group["dtype"].is_floating_point):
            raise ValueError(
                f"expected a floating-point dtype, got {group['dtype']!r}; torch.bfloat16 or torch.float32"
            )
        for param in group["params"]:
            if param.ndim != 2:
                shape = list(param.shape)
                raise ValueError(
                    f"expected matrices, got a parameter of shape {shape}; "
                    "give it to AdamW, or keep it as [O, C kh kw]"
                )

    def start(self, param: Tensor, group: Group) -> State:
        return {"momentum_buffer": torch.zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        muon(param, grad, state["momentum_buffer"], group)

    def update_many(self, params: Tensors, grads: Tensors, states: list[State], group: Group) -> None:
        muon_many(params, grads, column(states, "momentum_buffer"), group)


# The same step for lists of tensors, for speed; skip it at first.


def muon_many(params: Tensors, grads: Tensors, momentum_buffers: Tensors, group: Group) -> None:
    """Take the step of `muon` with many matrices; `newton_schulz` takes those of one shape as one stack."""
    lr, momentum = group["lr"], group["momentum"]
    torch._foreach_lerp_(momentum_buffers, grads, 1 - momentum)
    updates = (
        torch._foreach_lerp(grads, momentum_buffers, momentum) if group["nesterov"] else momentum_buffers
    )
    torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
    for shape in dict.fromkeys(param.shape for param in params):
        same = [number for number, param in enumerate(params) if param.shape == shape]
        directions = newton_schulz(torch.stack([updates[i] for i in same]), group["dtype"]).to(
            params[same[0]].dtype
        )
        torch._foreach_sub_(
            [params[i] for i in same], list(directions.unbind()), alpha=lr * factor(shape, group["scale"])
        )
