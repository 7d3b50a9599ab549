"""Weights of torchvision's ResNets in this book's: the tensors have the same names.

>>> from torchvision.models import resnet18
>>> from dlbook.models.resnet import resnet
>>> type(load_torchvision_state(resnet("resnet18"), resnet18().state_dict())).__name__
'ResNet'
"""

from collections.abc import Mapping

from torch import Tensor

from dlbook.models.resnet import Bottleneck, BottleneckV15, ResNet
from dlbook.nn.state import load_state


def load_torchvision_state(model: ResNet, state: Mapping[str, Tensor]) -> ResNet:
    """Copy a state dict of torchvision's resnet18 ... resnet152 into `model`; all or nothing.

    Old files without ``num_batches_tracked`` are accepted; that counter does not enter the computation.

    Raises:
        ValueError: if a tensor is missing, superfluous or of another shape; it names the first. A v1
            bottleneck net is refused too: every tensor would fit, but the weights were trained with the
            stride on the 3x3 convolution.
    """
    block = model.config.block
    if issubclass(block, Bottleneck) and not issubclass(block, BottleneckV15):
        raise ValueError(
            "expected a model with the stride on the 3x3 convolution, as torchvision's bottlenecks have "
            f"it, got {block.__name__} with the stride on the 1x1; build a _v1_5 row"
        )
    return load_state(model, state)
