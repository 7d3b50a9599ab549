"""What torch makes of a block [N, C, H, W] under each normalisation, without scale and shift."""

import torch
from torch import nn


def normalised(x: torch.Tensor, kind: str, groups: int = 1) -> torch.Tensor:
    """The block in training mode, with eps 1e-5; `groups` of channels, for "group"."""
    channels = x.shape[1]
    by_place = lambda layer: layer(x.movedim(1, -1)).movedim(-1, 1)
    made = {
        "batch": lambda: nn.BatchNorm2d(channels, affine=False).double()(x),
        "layer": lambda: by_place(nn.LayerNorm(channels, elementwise_affine=False)),
        "group": lambda: nn.GroupNorm(groups, channels, affine=False)(x),
        "instance": lambda: nn.InstanceNorm2d(channels)(x),
        "RMS": lambda: by_place(nn.RMSNorm(channels, eps=1e-5, elementwise_affine=False)),
    }
    return made[kind]()
