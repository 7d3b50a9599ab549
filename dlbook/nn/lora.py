"""LoRA: a large frozen weight plus a small trained one of low rank.

Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen 2021, *LoRA: Low-Rank Adaptation of Large Language Models*,
arXiv:2106.09685, equation (3)::

    h = W0 x + (alpha / r) B A x          W0 [out, in] frozen, A [r, in], B [out, r], r << in, out
    A random, B = 0                       so that training starts at the trained network
    W = W0 + (alpha / r) B A              after training: merged, it costs nothing

Departures from the paper

1. A is drawn as torch draws a linear layer's weight (He's uniform with a = sqrt(5)), as the authors' code
   does; the paper says Gaussian.
2. Which layers get it is the caller's choice, by name; the paper adapts the query and value projections of a
   transformer.

A layer of in x out weights trains r (in + out) instead.

>>> layer = LoRALinear(nn.Linear(8, 6), rank=2)
>>> sum(p.numel() for p in layer.parameters() if p.requires_grad)
28
"""

import difflib
import math
from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from dlbook.checks import require_positive, require_probability


class LoRALinear(nn.Module):
    """A frozen linear layer and its trained correction: [..., in] -> [..., out].

    Args:
        linear: the layer, kept and frozen.
        rank: r, from 1 to min(in, out).
        alpha: scale of the correction; None takes r, a factor of 1.
        drop_prob: of the correction's input, in [0, 1).

    Raises:
        ValueError: for values out of range.
    """

    def __init__(
        self, linear: nn.Linear, rank: int, alpha: float | None = None, drop_prob: float = 0.0
    ) -> None:
        super().__init__()
        require_positive("rank", rank)
        require_probability("drop_prob", drop_prob)
        if rank > min(linear.in_features, linear.out_features):
            raise ValueError(
                f"expected rank <= {min(linear.in_features, linear.out_features)}, got {rank}; it "
                "is at most the "
                f"smaller side of {linear}"
            )
        self.linear = linear.requires_grad_(False)
        self.scale = (rank if alpha is None else alpha) / rank
        self.A = nn.Parameter(
            torch.empty(rank, linear.in_features, device=linear.weight.device, dtype=linear.weight.dtype)
        )
        self.B = nn.Parameter(
            torch.zeros(linear.out_features, rank, device=linear.weight.device, dtype=linear.weight.dtype)
        )
        self.dropout = nn.Dropout(drop_prob)
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + self.scale * (self.dropout(x) @ self.A.T @ self.B.T)

    def merged(self) -> nn.Linear:
        """One plain layer that computes the same: W0 + (alpha / r) B A, with the old bias; trainable
        again.
        """
        merged = nn.Linear(
            self.linear.in_features,
            self.linear.out_features,
            self.linear.bias is not None,
            device=self.A.device,
            dtype=self.A.dtype,
        )
        with torch.no_grad():
            merged.weight.copy_(self.linear.weight + self.scale * self.B @ self.A)
            if self.linear.bias is not None:
                merged.bias.copy_(self.linear.bias)
        return merged


def add_lora(
    model: nn.Module, targets: Sequence[str], rank: int, alpha: float | None = None, drop_prob: float = 0.0
) -> list[str]:
    """Freeze `model` and put LoRA on the linear layers whose dotted names fit a pattern such as
    ``"*.attention.qkv"``, in place.

    What else should train (a new head) is set to require gradients afterwards.

    Returns:
        The names of the adapted layers.

    Raises:
        ValueError: for a pattern that fits no linear layer, with the nearest names.
    """
    layers = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    chosen = fitting(layers, targets)
    adapted = {name: LoRALinear(layers[name], rank, alpha, drop_prob) for name in chosen}
    model.requires_grad_(False)
    for name, module in adapted.items():
        model.set_submodule(name, module)
        module.A.requires_grad_(True)
        module.B.requires_grad_(True)
    return chosen


def merge_lora(model: nn.Module) -> nn.Module:
    """Replace every LoRA layer by the plain layer that computes the same, in place; returns the model."""
    for name, module in list(model.named_modules()):
        if isinstance(module, LoRALinear):
            model.set_submodule(name, module.merged())
    return model


def fitting(modules: dict[str, nn.Module], patterns: Sequence[str]) -> list[str]:
    """Return the names that fit any of the patterns, in order.

    Raises:
        ValueError: for a pattern that fits none, or no pattern.
    """
    if not patterns:
        raise ValueError("expected targets to name at least one layer, got none; '*' takes all")
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in modules):
            near = difflib.get_close_matches(pattern, modules, n=3, cutoff=0.3) or list(modules)[:3]
            raise ValueError(
                f"expected targets that fit layers of the model, got {pattern!r}; there are "
                f"{', '.join(near)} and others"
            )
    return [name for name in modules if any(fnmatchcase(name, pattern) for pattern in patterns)]
