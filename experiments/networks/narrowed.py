"""A network with a share of its channels, for files whose table of widths is fixed.

AlexNet, VGG, GoogLeNet and the wide bottlenecks have the widths of their papers. `narrowed` divides all of
them in a network that stands already, so that the paper's file stays as it is: every convolution, linear
layer and batch normalisation keeps the first channels of its inputs and outputs. The colours of the images
and the classes stay.

The weights that are kept are those of a fresh network, times the square root of the share of the inputs that
is kept. The variance of a layer's output is then what the paper's initialisation gives at full width.

>>> import torch
>>> wide = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 5))
>>> slim = narrowed(wide, Fraction(1, 4))
>>> slim[0].weight.shape, slim[3].weight.shape, tuple(slim(torch.zeros(2, 3, 3, 3)).shape)
(torch.Size([2, 3, 3, 3]), torch.Size([5, 2]), (2, 5))
"""

import math
from fractions import Fraction

import torch
from torch import Tensor, nn

__all__ = ["narrowed"]

WITH_WIDTH = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)


def narrowed(model: nn.Module, keep: Fraction) -> nn.Module:
    """Divide all widths of a fresh network, in place; its first layer reads and its last layer gives as many
    channels as before.

    Args:
        model: made of `nn.Conv2d`, `nn.Linear` and `nn.BatchNorm2d`, the first one first and the last one
            last in `model.modules()`; other modules have no widths.
        keep: the share of the channels that stays, above 0 and at most 1.

    Returns:
        The model.

    Raises:
        ValueError: a width times `keep` is no whole number.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, WITH_WIDTH)]
    weighty = [layer for layer in layers if not isinstance(layer, nn.BatchNorm2d)]
    with torch.no_grad():
        for layer in layers:
            if isinstance(layer, nn.BatchNorm2d):
                _narrow_norm(layer, keep)
            else:
                _narrow_layer(
                    layer,
                    Fraction(1) if layer is weighty[0] else keep,
                    Fraction(1) if layer is weighty[-1] else keep,
                )
    return model


def _share(width: int, keep: Fraction) -> int:
    """The channels that stay of `width`."""
    if (kept := width * keep).denominator != 1 or kept < 1:
        raise ValueError(
            f"expected a share that leaves whole channels of {width}, got {keep} of them, {float(kept)}; "
            "take one whose denominator divides every width"
        )
    return int(kept)


def _narrow_layer(layer: nn.Conv2d | nn.Linear, keep_in: Fraction, keep_out: Fraction) -> None:
    """Keep the first outputs, and the first inputs of each group."""
    outputs, inputs = layer.weight.shape[:2]
    outputs, inputs = _share(outputs, keep_out), _share(inputs, keep_in)
    layer.weight = nn.Parameter(layer.weight[:outputs, :inputs] / math.sqrt(keep_in))
    if layer.bias is not None:
        layer.bias = nn.Parameter(layer.bias[:outputs].clone())
    if isinstance(layer, nn.Conv2d):
        layer.in_channels, layer.out_channels = inputs * layer.groups, outputs
    else:
        layer.in_features, layer.out_features = inputs, outputs


def _narrow_norm(norm: nn.BatchNorm2d, keep: Fraction) -> None:
    """Keep the first channels."""
    norm.num_features = _share(norm.num_features, keep)

    def first(values: Tensor) -> Tensor:
        return values[: norm.num_features].clone()

    norm.weight, norm.bias = nn.Parameter(first(norm.weight)), nn.Parameter(first(norm.bias))
    norm.running_mean, norm.running_var = first(norm.running_mean), first(norm.running_var)
