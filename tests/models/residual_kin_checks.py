"""What the tests of ResNet's kin share: the receptive field by the support of a gradient, spread of weights,
and peers' shapes.
"""

import torch
from torch import nn

from dlbook.measure.feature_maps import feature_maps


def gradient_field(model: nn.Module, size: int) -> tuple[int, int]:
    """Rows and columns of the image that the middle of the last map depends on; `model` is thin and is
    changed.

    Positive weights, no normalisation, no gates and average for max pooling, so that no path cancels or is
    closed. The model has `stages`. size: height of the image; the width is a little more.
    """
    model.double().eval()
    for parent in model.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity())
            if isinstance(child, nn.MaxPool2d):
                setattr(parent, name, nn.AvgPool2d(3, 2, 1))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1.0 / module.weight[0].numel())
    image = torch.ones(1, model.in_channels, size, size + 16, dtype=torch.float64, requires_grad=True)
    last = feature_maps(model, image)[-1]
    last[0, 0, last.shape[2] // 2, last.shape[3] // 2].backward()
    support = image.grad[0].abs().sum(0) > 0
    return int(support.any(1).sum()), int(support.any(0).sum())


def field_of(layers: list[tuple[int, int]]) -> int:
    """The receptive field of (kernel, stride) layers one after the other: 1 + sum of (k - 1) times the
    strides before.
    """
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field


def check_spread(model: nn.Module) -> None:
    """Weights of convolutions: mean 0 and variance 2 / fan_out within five standard errors; BN starts at 1
    and 0.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() >= 4096:
            fan_out = module.weight.shape[0] * module.weight.shape[2] * module.weight.shape[3]
            expected, number = (2 / fan_out) ** 0.5, module.weight.numel()
            assert abs(module.weight.std().item() / expected - 1) < 5 / (2 * number) ** 0.5, (
                f"spread of {name}"
            )
            assert abs(module.weight.mean().item()) < 5 * expected / number**0.5, f"mean of {name}"
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all() and (module.bias == 0).all(), (
                f"{name} does not start as the identity"
            )


def shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Name and shape of everything in a state dict."""
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def stage_shapes(model: nn.Module, size: int) -> list[tuple[int, ...]]:
    """[B, C, H, W] of all feature maps, for two images on meta that are twice as wide as high."""
    images = torch.empty(2, model.in_channels, size, 2 * size, device="meta")
    return [tuple(x.shape) for x in feature_maps(model.to("meta").eval(), images)]


def keeps_channels_last(model: nn.Module, size: int) -> bool:
    """Whether every feature map of a channels_last model and image is channels_last."""
    images = torch.randn(2, model.in_channels, size, size + 8).to(memory_format=torch.channels_last)
    maps = feature_maps(model.to(memory_format=torch.channels_last).eval(), images)
    return all(x.is_contiguous(memory_format=torch.channels_last) for x in maps)
