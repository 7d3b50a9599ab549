"""What the tests of ResNet and its kin share: parity with a step of SGD, the receptive field by the support
of a gradient, spread of weights, and peers' shapes.
"""

import torch
from torch import nn
from torch.nn import functional as F

from dlbook.measure.feature_maps import feature_maps
from tests.oracles.resnet_reference import PaddedShortcut


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


def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Weights, affine parameters and running statistics away from 0 and 1, so that a dropped one is
    noticed.
    """
    generator = torch.Generator().manual_seed(seed)
    draw = lambda t, low, high: t.copy_(
        torch.rand(t.shape, generator=generator, dtype=t.dtype) * (high - low) + low
    )
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                for tensor, low, high in ((module.weight, 0.5, 1.5), (module.bias, -0.3, 0.3)):
                    draw(tensor, low, high)
                draw(module.running_mean, -0.2, 0.2)
                draw(module.running_var, 0.5, 2.0)
    return model


def close(name: str, ours: torch.Tensor, theirs: torch.Tensor, relative: float = 1e-10) -> None:
    assert ours.shape == theirs.shape, f"{name}: {tuple(ours.shape)} against {tuple(theirs.shape)}"
    difference = (ours.double() - theirs.double()).abs().max().item()
    assert difference <= relative * max(theirs.double().abs().max().item(), 1e-12), (
        f"{name} differs by {difference:.3g}"
    )


def check_parity(
    ours: nn.Module, theirs: nn.Module, *, train: bool, size=(64, 48), copy_weights=None
) -> None:
    """Equal outputs, gradients (weights and input) and, after one SGD step, equal state; float64, batch 2,
    not square.
    """
    ours, theirs = ours.double(), randomise(theirs.double())
    (copy_weights or (lambda model, state: model.load_state_dict(state)))(ours, theirs.state_dict())
    images = torch.randn(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    results = []
    for model in (ours.train(train), theirs.train(train)):
        x = images.clone().requires_grad_()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
        logits = model(x)
        F.cross_entropy(logits, torch.tensor([1, 3])).backward()
        grads = {name: p.grad for name, p in model.named_parameters()}
        optimizer.step()
        results.append((logits.detach(), x.grad, grads, model.state_dict()))
    (logits, image_grad, grads, state), (logits2, image_grad2, grads2, state2) = results
    close("logits", logits, logits2)
    close("gradient of the images", image_grad, image_grad2)
    assert list(grads) == list(grads2), "the parameters have other names or another order"
    for name in grads:
        close(f"gradient of {name}", grads[name], grads2[name])
    for name in state2:
        close(f"{name} after one step", state[name], state2[name])


def check_both_modes(ours: nn.Module, theirs: nn.Module, **settings) -> None:
    """`check_parity` in evaluation, then in training mode."""
    for train in (False, True):
        check_parity(ours, theirs, train=train, **settings)


def check_affine(ours: nn.Module, theirs: nn.Module) -> None:
    """Equal gamma and beta in every normalisation."""
    ours, theirs = ours.state_dict(), theirs.state_dict()
    for name in theirs:
        if theirs[name].ndim == 1 and "fc" not in name:
            close(name, ours[name], theirs[name])


def check_padding(shortcut: nn.Module, out_channels: int, stride: int) -> None:
    """Option A keeps every stride-th pixel and appends zero channels, on an uneven map."""
    x = torch.randn(2, 3, 7, 5, generator=torch.Generator().manual_seed(0))
    close("option A", shortcut(x), PaddedShortcut(out_channels, stride)(x))


def count(model: nn.Module, size: int, channels: int = 3) -> tuple[int, int]:
    """(parameters, multiply-accumulates of convolutions and linear layers) on the meta device, by hooks."""
    model = model.to("meta")
    macs = 0

    def add(module, inputs, output):
        nonlocal macs
        macs += output[0].numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(add) for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    model.eval()(torch.empty(1, channels, size, size, device="meta"))
    for hook in hooks:
        hook.remove()
    return sum(p.numel() for p in model.parameters()), macs
