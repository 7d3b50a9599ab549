"""Transfer of a trained network: what is frozen, what thaws when, and which layer learns how fast.

Yosinski et al. 2014, *How transferable are features in deep neural networks?*, arXiv:1411.1792; Howard &
Ruder 2018, *Universal Language Model Fine-tuning*, arXiv:1801.06146, section 3.3 for gradual unfreezing.
Rates by depth are `dlbook.optim.layerwise_groups`.

Freezing is two things, and people forget the second: parameters get no gradient, **and** batch normalisation
stays in evaluation mode. A frozen network in training mode still updates its running statistics, and
normalises by the new batches. A frozen normaliser is therefore an instance of a subclass of its own class, in
which `train()` does nothing; its name, its weights and its place in the network stay what they were.

>>> net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
>>> _ = freeze(net, except_for=["2"])
>>> [name for name, p in net.named_parameters() if p.requires_grad], net.train()[1].training
(['2.weight', '2.bias'], False)
"""

import difflib
import functools
from collections.abc import Iterable, Sequence

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

__all__ = ["freeze", "gradual", "head", "hold_in_evaluation", "is_held", "thaw"]


def head(model: nn.Module) -> str:
    """Return the name of the layer that gives the logits: what the network says as `last_layer`.

    Raises:
        ValueError: the network does not say it, or has no such layer.
    """
    named = getattr(model, "last_layer", None)
    if not isinstance(named, str) or named not in dict(model.named_modules()):
        raise ValueError(
            f"expected a network that says its last layer, got {type(model).__name__} with last_layer "
            f"{named!r}; set model.last_layer to the dotted name of the layer that gives the logits, "
            "such as 'fc'"
        )
    return named


def freeze(model: nn.Module, except_for: Iterable[str] = ()) -> nn.Module:
    """Take every parameter out of training but those below `except_for`, and hold the normalisers in
    evaluation mode, in place. `model.train()` and moving to another device change nothing of this.

    Args:
        model: what is frozen.
        except_for: dotted prefixes such as ``["layer4", "fc"]``; the normalisers below them stay trainable.

    Returns:
        The model.

    Raises:
        ValueError: a prefix fits nothing; the nearest that exist are told.
    """
    prefixes = _known(model, except_for)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(_below(name, prefixes))
    for name, module in model.named_modules():
        if isinstance(module, _NormBase) and not _below(name, prefixes):
            hold_in_evaluation(module)
    return model


def thaw(model: nn.Module, prefixes: Iterable[str]) -> nn.Module:
    """Undo `freeze` for what stands below the prefixes, in place; thawed normalisers follow the network's
    mode again.

    Args:
        model: what was frozen.
        prefixes: dotted, such as ``["layer4", "fc"]``.

    Returns:
        The model.

    Raises:
        ValueError: a prefix fits nothing.
    """
    known = _known(model, prefixes)
    for name, parameter in model.named_parameters():
        if _below(name, known):
            parameter.requires_grad_(True)
    for name, module in model.named_modules():
        if is_held(module) and _below(name, known):
            module.__class__ = type(module).thawed
            module.train(model.training)
    return model


def gradual(model: nn.Module, stages: Sequence[str], epoch: int, every: int = 1) -> list[str]:
    """Unfreeze gradually: the last stage trains from epoch 0, and one more, from the back, every `every`
    epochs.

    Args:
        model: changed in place.
        stages: prefixes from the input to the output, at least one.
        epoch: from 0.
        every: epochs from one stage to the next, >= 1.

    Returns:
        The prefixes that train now.

    Raises:
        ValueError: bad prefixes, epoch or every.
    """
    if epoch < 0 or every < 1 or not stages:
        raise ValueError(
            f"expected one stage or more, epoch >= 0 and every >= 1, got {len(stages)} stages, epoch={epoch} "
            f"and every={every}; give the stages from input to output, and count epochs from 0"
        )
    trained = list(stages[-(1 + epoch // every) :])
    freeze(thaw(model, stages), except_for=trained)
    return trained


def hold_in_evaluation(norm: nn.Module) -> None:
    """Put a normaliser into evaluation mode, in place, where it stays whatever mode is asked for."""
    if not is_held(norm):
        norm.__class__ = _held(type(norm))
    norm.eval()


def is_held(module: nn.Module) -> bool:
    """Tell whether a module was given to `hold_in_evaluation` and not thawed since."""
    return hasattr(type(module), "thawed")


@functools.cache
def _held(kind: type[nn.Module]) -> type[nn.Module]:
    """Make the subclass of `kind` that stays in evaluation mode; `thawed` leads back."""

    def train(self: nn.Module, mode: bool = True) -> nn.Module:
        return kind.train(self, False)

    return type(kind.__name__, (kind,), {"train": train, "thawed": kind})


def _below(name: str, prefixes: Sequence[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def _known(model: nn.Module, prefixes: Iterable[str]) -> list[str]:
    prefixes = list(prefixes)
    names = {name for name, _ in (*model.named_modules(), *model.named_parameters()) if name}
    for prefix in prefixes:
        if prefix not in names:
            near = difflib.get_close_matches(prefix, names, n=3, cutoff=0.4)
            raise ValueError(
                f"expected a part of the network, got {prefix!r}; "
                + (
                    f"did you mean {', '.join(near)}?"
                    if near
                    else f"there are {', '.join(sorted(names)[:5])}, ..."
                )
            )
    return prefixes
