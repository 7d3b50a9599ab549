"""The maps inside a network: what enters its first stage and what each stage makes of it.

The network is any that has `stages`, the modules in the order in which they run, as every network of the zoo
has. The maps are caught by hooks while the network runs as it always does, so no network keeps a list of
them, which would hold all of its maps in memory at once.

>>> import torch
>>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3, stride=2))
>>> net.stages = (net[1],)
>>> [tuple(x.shape) for x in feature_maps(net, torch.zeros(2, 1, 9, 9))]
[(2, 4, 7, 7), (2, 8, 3, 3)]
"""

from torch import Tensor, nn


def feature_maps(model: nn.Module, images: Tensor) -> list[Tensor]:
    """Run the network once and list the output of its stem and of every stage.

    Args:
        model: a network with `stages`; it runs in the mode in which it is.
        images: [B, C, H, W], as the network takes them.

    Returns:
        What the first stage reads, then what each stage gives, [B, C_i, H_i, W_i] (tokens [B, N, D] in a
        transformer). Gradients flow through them. A normalisation after the last stage is not in the last.

    Raises:
        ValueError: the network has no stages, or a stage did not run exactly once.
    """
    stages = list(getattr(model, "stages", ()))
    if not stages:
        raise ValueError(
            f"expected a network with stages, got {type(model).__name__} without; give it an attribute "
            "`stages` that lists the modules whose outputs are its maps"
        )
    maps: list[Tensor] = []
    hooks = [stages[0].register_forward_pre_hook(lambda stage, inputs: maps.append(inputs[0]))]
    hooks += [stage.register_forward_hook(lambda stage, inputs, made: maps.append(made)) for stage in stages]
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    if len(maps) != len(stages) + 1:
        raise ValueError(
            f"expected each of {len(stages)} stages to run once, got {len(maps) - 1} outputs; "
            "list each module once in `stages`, and only those that run"
        )
    return maps
