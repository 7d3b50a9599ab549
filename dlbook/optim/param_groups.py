"""Parameter groups: who decays, and which layer has which rate.

Weight decay is meant for weights that multiply activations. What shifts or scales a channel (biases,
normalisers, layer scale) and what is added to a token (position embeddings, class tokens) is left alone:
Goyal et al. 2017 (arXiv:1706.02677, section 5.1) for normalisers, He et al. 2018 (arXiv:1812.01187, section
3.1) for biases too, Dosovitskiy et al.'s and Touvron et al.'s code for tokens.

`decay_groups` decides in this order, for each parameter that requires a gradient:

1. it belongs to a module whose class name contains "Norm": no decay, whatever its shape;
2. the last part of its name is a bias, or begins with one of `NO_DECAY`: no decay. This is what catches a
   layer scale that is kept as [C, 1, 1]: the common rule "fewer than two axes" misses it;
3. it has fewer than two axes: no decay;
4. it fits one of the caller's own patterns: no decay. Otherwise it decays.

`layerwise_groups` gives earlier layers smaller rates: lr * factor^(layers above). Howard & Ruder 2018
(arXiv:1801.06146, section 3.2) have a factor of 1 / 2.6; Bao et al. 2021 (BEiT, arXiv:2106.08254) made 0.65
to 0.75 common for vision transformers.

>>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
>>> [(group["name"], len(group["params"]), group["weight_decay"]) for group in decay_groups(net, 0.05)]
[('decay', 1, 0.05), ('no decay', 3, 0.0)]
"""

import difflib
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import Tensor, nn

from dlbook.checks import require_at_least, require_in

NO_DECAY = (
    "gamma",
    "layer_scale",
    "scale",  # layer scale: ConvNeXt, CaiT, DINOv2
    "pos_embed",
    "position_embed",
    "positional_embed",
    "pos_embedding",
    "relative_position_bias",
    "cls_token",
    "class_token",
    "dist_token",
    "mask_token",
    "register_token",
    "reg_token",
    "storage_token",
)
Groups = list[dict[str, Any]]


def decays(name: str, param: Tensor, owner: nn.Module) -> bool:
    """Say whether weight decay is meant for the parameter `name` (dotted) of `owner`; rules 1 to 3 above."""
    last = name.rpartition(".")[2]
    if (
        "Norm" in type(owner).__name__
        or last == "bias"
        or last.endswith("_bias")
        or last.startswith(NO_DECAY)
    ):
        return False
    return param.ndim > 1


def decay_groups(model: nn.Module, weight_decay: float, no_decay: Collection[str] = ()) -> Groups:
    """Make two groups for an optimizer, "decay" and "no decay"; an empty one is left out.

    Frozen parameters are in neither; one that is shared by two modules is there once.

    Args:
        model: its trainable parameters are grouped.
        weight_decay: lambda >= 0 of the first group.
        no_decay: further dotted names that do not decay, ``*`` and ``?`` allowed.

    Raises:
        ValueError: `weight_decay` is out of range, nothing is trainable, or a pattern fits no parameter.
    """
    require_at_least("weight_decay", weight_decay, 0, "0 switches it off")
    names = [name for name, _, _ in _trainable(model)]
    for pattern in no_decay:
        if not any(fnmatchcase(name, pattern) for name in names):
            near = difflib.get_close_matches(pattern, names, n=3, cutoff=0.4)
            raise ValueError(
                f"expected no_decay to fit a trainable parameter, got {pattern!r}; "
                f"there are {', '.join(near or names[:3])}"
            )
    found: dict[bool, list[Tensor]] = {True: [], False: []}
    for name, param, owner in _trainable(model):
        found[
            decays(name, param, owner) and not any(fnmatchcase(name, pattern) for pattern in no_decay)
        ].append(param)
    groups = [
        {"params": found[True], "weight_decay": weight_decay, "name": "decay"},
        {"params": found[False], "weight_decay": 0.0, "name": "no decay"},
    ]
    return [group for group in groups if group["params"]]


def layerwise_groups(
    model: nn.Module,
    layers: Sequence[str | Sequence[str]],
    lr: float,
    factor: float = 0.75,
    weight_decay: float = 0.0,
) -> Groups:
    """Make groups with the rates lr * factor^(layers above), each split as in `decay_groups`.

    Args:
        model: its trainable parameters are grouped.
        layers: from the input to the output, each a dotted prefix (``"layer1"``) or several (``("conv1",
            "bn1")``); the longest prefix that fits a parameter counts.
        lr: rate of the last layer, >= 0.
        factor: in (0, 1].
        weight_decay: lambda >= 0 of what decays.

    Raises:
        ValueError: a value is out of range, a parameter fits no prefix, or a prefix fits no parameter.
    """
    require_at_least("lr", lr, 0)
    require_at_least("weight_decay", weight_decay, 0, "0 switches it off")
    require_in("factor", factor, 0, 1, "(]", "1 gives all layers one rate, 0.75 is common")
    groups: dict[tuple[int, bool], dict[str, Any]] = {}
    for depth, param, decayed in _by_depth(model, layers):
        made = {
            "params": [],
            "lr": lr * factor ** (len(layers) - 1 - depth),
            "weight_decay": weight_decay if decayed else 0.0,
            "name": f"layer {depth}, {'decay' if decayed else 'no decay'}",
        }
        groups.setdefault((depth, not decayed), made)["params"].append(param)
    return [groups[key] for key in sorted(groups)]


def _by_depth(model: nn.Module, layers: Sequence[str | Sequence[str]]) -> Iterator[tuple[int, Tensor, bool]]:
    """Yield the number of its layer, each trainable parameter, and whether it decays."""
    depth_of = {
        prefix: depth
        for depth, given in enumerate(layers)
        for prefix in ([given] if isinstance(given, str) else given)
    }
    unused = set(depth_of)
    for name, param, owner in _trainable(model):
        fits = [prefix for prefix in depth_of if name == prefix or name.startswith(f"{prefix}.")]
        if not fits:
            raise ValueError(
                f"expected a layer for every parameter, got none for {name!r}; "
                "add one of its prefixes to `layers`"
            )
        prefix = max(fits, key=len)
        unused.discard(prefix)
        yield depth_of[prefix], param, decays(name, param, owner)
    if unused:
        raise ValueError(
            f"expected every prefix to fit a trainable parameter, got {sorted(unused)[0]!r}, which "
            "fits none; see model.named_parameters()"
        )


def _trainable(model: nn.Module) -> Iterator[tuple[str, Tensor, nn.Module]]:
    """Yield (dotted name, parameter, its module) of what requires a gradient; what is shared, once."""
    owners = dict(model.named_modules(remove_duplicate=False))
    named = [
        (name, param, owners[name.rpartition(".")[0]])
        for name, param in model.named_parameters()
        if param.requires_grad
    ]
    if not named:
        raise ValueError(
            "expected a parameter that requires a gradient, got none; unfreeze a part with "
            "requires_grad_(True)"
        )
    yield from named
