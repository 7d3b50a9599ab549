"""How often each layer of a network drops: torch's nn.Dropout and the book's own layers, by name."""

from torch import nn


def drop_probs(model: nn.Module) -> dict[str, float]:
    """Name -> probability of dropping of every layer that can drop; those that never do are left out.

    Counts and shapes do not tell a probability of keeping from one of dropping, so ask with a number whose
    complement is another: 0.2, not 0.5.
    """
    found = {}
    for name, module in model.named_modules():
        prob = module.p if isinstance(module, nn.modules.dropout._DropoutNd) else None
        prob = getattr(module, "drop_prob", prob)
        if prob:
            found[name] = prob
    return found
