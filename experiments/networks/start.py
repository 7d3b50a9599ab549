"""Where every row begins: one rule for the first weights, in the place of each paper's own.

The papers' standard deviations (0.01 in AlexNet, 0.05 in NiN, 0.02 in ConvNeXt) are numbers for the papers'
widths and for runs of many epochs. In rows of 8 to 64 channels they let the signal vanish: AlexNet and NiN
stayed at chance with every rate. A rule that asks for the inputs of a layer has no such number. It belongs to
the recipe, so it is the same for all rows:

1. Weights of convolutions and linear layers are N(0, 2 / fan_in), He's rule; their biases are 0.
2. Those after which no ReLU or the like follows, which are those of an attention and the last layer, the
   scores, are N(0, 1 / fan_in).
3. Layer scale, which only ConvNeXt has, begins at a number of the recipe. The paper's 1e-6 is for long runs.

What a normalisation begins with stays: it belongs to the block. So do class tokens and positions.
"""

import math

from torch import nn

from dlbook.models.convnext import Block
from dlbook.nn.attention import SelfAttention
from dlbook.nn.initialisers import init_layers_

__all__ = ["begin"]


def begin(model: nn.Module, layer_scale: float) -> nn.Module:
    """Draw the first weights of a fresh network anew, in place, from torch's global generator.

    Args:
        model: its last convolution or linear layer in `model.modules()` gives the scores.
        layer_scale: where the factors of ConvNeXt's branches begin.

    Returns:
        The model.
    """
    init_layers_(model, math.sqrt(2))
    last = [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))][-1]
    for module in model.modules():
        if module is last or isinstance(module, SelfAttention):
            init_layers_(module, 1.0)
        elif isinstance(module, Block):
            nn.init.constant_(module.gamma, layer_scale)
    return model
