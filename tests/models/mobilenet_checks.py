"""What the tests of the three MobileNets share: the receptive field of a chain of convolutions, by formula
and by gradient.
"""

from collections.abc import Sequence

import torch
from torch import nn

from dlbook.measure.feature_maps import feature_maps


def field_of(layers: Sequence[tuple[int, int]]) -> int:
    """r = 1 + sum of (kernel - 1) times the strides before it; layers as (kernel, stride)."""
    field, jump = 1, 1
    for kernel, stride in layers:
        field, jump = field + (kernel - 1) * jump, jump * stride
    return field


def height_of_support(net: nn.Module, height: int) -> int:
    """Rows of a high, narrow image that reach the middle of the last map, once every filter is an average.

    BN, gates and activations become the identity, so that nothing cuts or couples what the filters pass on.
    """
    net = net.double()
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d) or name in ("squeeze_excite", "activation"):
                setattr(parent, name, nn.Identity())
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1.0 / module.weight[0].numel())
    image = torch.ones(1, 3, height, 40, dtype=torch.float64, requires_grad=True)
    last = feature_maps(net, image)[-1]
    last[0, :, last.shape[2] // 2, last.shape[3] // 2].sum().backward()
    return int((image.grad[0].abs().sum((0, 2)) > 0).sum())


def check_spread(model: nn.Module, linear: float) -> None:
    """Convolutions: variance 2 / (k^2 C_out / groups); linear layers: deviation `linear`; within five
    standard errors.
    """
    for name, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module.weight.numel() >= 4096:
            weight = module.weight
            expected = (
                linear
                if weight.ndim == 2
                else (2 * module.groups / (module.out_channels * weight[0, 0].numel())) ** 0.5
            )
            assert abs(weight.std().item() / expected - 1) < 5 / (2 * weight.numel()) ** 0.5, name
        if getattr(module, "bias", None) is not None:
            assert not module.bias.any(), name


def set_everywhere(kind: type[nn.Module], **values):
    """A fault: give every module of a kind other settings."""

    def plant(model: nn.Module) -> None:
        for module in model.modules():
            if isinstance(module, kind):
                for name, value in values.items():
                    setattr(module, name, value)

    return plant
