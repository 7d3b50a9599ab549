"""Adapters: small bottlenecks behind the frozen layers of a trained network.

Houlsby, Giurgiu, Jastrzebski, Morrone, de Laroussilhe, Gesmundo, Attariyan, Gelly 2019, *Parameter-Efficient
Transfer Learning for NLP*, arXiv:1902.00751, section 2.1, figure 2::

    adapter(h) = h + W_up f(W_down h + b_down) + b_up          h [..., d], the bottleneck m << d

Departures from the paper

1. The last layer starts at zero, so that the adapted network is exactly the trained one; the paper draws from
   N(0, 0.01^2), truncated.
2. Which layers are followed by an adapter is the caller's choice, by name; the paper has one after each
   sub-layer's projection.

Parameters of one: 2 m d + d + m.

>>> sum(p.numel() for p in Adapter(64, 8).parameters())
1096
"""

from collections.abc import Sequence

from torch import Tensor, nn

from dlbook.checks import require_positive
from dlbook.nn.lora import fitting


class Adapter(nn.Module):
    """A residual bottleneck on the last axis: [..., d] -> [..., d]; the identity before training.

    Args:
        dim: d.
        bottleneck: m.

    Raises:
        ValueError: unless both are at least 1.
    """

    def __init__(self, dim: int, bottleneck: int) -> None:
        super().__init__()
        require_positive("dim", dim)
        require_positive("bottleneck", bottleneck)
        self.down = nn.Linear(dim, bottleneck)
        self.activation = nn.GELU()
        self.up = nn.Linear(bottleneck, dim)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.up(self.activation(self.down(h)))


class Adapted(nn.Module):
    """A frozen linear layer and the adapter behind it."""

    def __init__(self, linear: nn.Linear, bottleneck: int) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.adapter = Adapter(linear.out_features, bottleneck).to(linear.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.adapter(self.linear(x))


def add_adapters(model: nn.Module, targets: Sequence[str], bottleneck: int) -> list[str]:
    """Freeze `model` and put an adapter behind the linear layers whose dotted names fit a pattern, in place;
    returns their names.

    What else should train (a new head, the normalisers, as in the paper) is set to require gradients
    afterwards.

    Raises:
        ValueError: for a pattern that fits no linear layer, with the nearest names.
    """
    layers = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    chosen = fitting(layers, targets)
    adapted = {name: Adapted(layers[name], bottleneck) for name in chosen}
    model.requires_grad_(False)
    for name, module in adapted.items():
        model.set_submodule(name, module)
        module.adapter.requires_grad_(True)
    return chosen
